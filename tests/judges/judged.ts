/**
 * The server that judges look at: the real command line with `--engine node`, in cleartext or with TLS, and an app that shows what it got.
 *
 * @module
 */

import { certificate } from "../conformance/certificate.ts";
import { Cli, folder } from "../runner/process.ts";

const APP = `
const WORDS = ["content-type", "text/plain"];
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("No lifespan here");
  if (scope.type === "websocket") {
    await receive();
    await send({ type: "websocket.accept" });
    for (let event = await receive(); event.type === "websocket.receive"; event = await receive()) {
      await send({ type: "websocket.send", text: scope.http_version + " " + event.text });
    }
    return;
  }
  if (scope.type === "sse") {
    await send({ type: "sse.start" });
    for (const data of ["one", "two"]) await send({ type: "sse.send", data });
    while ((await receive()).type !== "sse.disconnect");
    return;
  }
  if (scope.path === "/page") {
    await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/html"]] });
    return await send({ type: "http.response.body", body: "<!doctype html><link rel=icon href=data:,><title>Judged</title>" });
  }
  if (scope.path === "/big") {
    await send({ type: "http.response.start", status: 200, headers: [["content-type", "application/octet-stream"]] });
    while (scope["pagi.connection"].isConnected()) await send({ type: "http.response.body", body: new Uint8Array(65536), more: 1 });
    return;
  }
  let bytes = 0;
  if (scope.path !== "/unread") {
    for (let event = await receive(); event.type === "http.request"; event = await receive()) {
      bytes += event.body.length;
      if (event.more === 0) break;
    }
  }
  if (scope.path === "/trailers") {
    await send({ type: "http.response.start", status: 200, headers: [WORDS], trailers: 1 });
    await send({ type: "http.response.body", body: "with trailers" });
    return await send({ type: "http.response.trailers", headers: [["x-sum", "42"]] });
  }
  await send({ type: "http.response.start", status: 200, headers: [WORDS] });
  await send({ type: "http.response.body", body: [scope.http_version, scope.method, scope.path, bytes].join(" ") });
};
`;

/** A running server. */
export interface Judged extends AsyncDisposable {
  /** With the scheme; without a slash at the end. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** A folder for files; with TLS it holds `cert.pem`. */
  readonly path: string;
  /** What the server has said. */
  said(): string;
}

/** Starts one. */
export async function judged(options: readonly string[] = [], tls = false): Promise<Judged> {
  const files = await folder({ "app.js": APP });
  const args = [`${files.path}/app.js`, "--engine", "node", "--host", "127.0.0.1", "--port", "0", "--access-log", "off", ...options];
  if (tls) {
    const { cert, key } = await certificate();
    await Deno.writeTextFile(`${files.path}/cert.pem`, cert);
    await Deno.writeTextFile(`${files.path}/key.pem`, key, { mode: 0o600 });
    args.push("--ssl-cert", `${files.path}/cert.pem`, "--ssl-key", `${files.path}/key.pem`);
  }
  const cli = new Cli(args, { cwd: files.path });
  const { port, protocol } = new URL(await cli.url());
  const host = tls ? "localhost" : "127.0.0.1";
  return {
    url: `${protocol}//${host}:${port}`,
    host,
    port: Number(port),
    pid: cli.pid,
    path: files.path,
    said: () => cli.stderr.text,
    async [Symbol.asyncDispose]() {
      await cli[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

/** Runs a judge to its end. */
export async function judge(program: string, args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}
