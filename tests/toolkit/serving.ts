/** A served app for the tests of the toolkit, and the raw bytes that an independent client says to it. */
import type { App } from "../../src/spec/app.ts";
import { serve } from "../../src/runner/serve.ts";

/** An app behind a real socket. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly log: string[];
}

/** Serves an app on a free loopback port, in production, with its log kept. */
export async function served(app: App, options: Record<string, unknown> = {}): Promise<Served> {
  const log: string[] = [];
  const line = (level: string) => (...args: unknown[]) =>
    void log.push(`${level} ${args.map((arg) => typeof arg === "string" ? arg : JSON.stringify(arg)).join(" ")}`);
  const logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const server = await serve(app, { port: 0, logger, ...options });
  const { port } = server.addr as Deno.NetAddr;
  return { port, url: `http://127.0.0.1:${port}`, log, [Symbol.asyncDispose]: () => server.shutdown(500) };
}

/** Sends bytes (one code unit each), and gives what comes back until the server closes. */
export async function raw(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await write(connection, request);
  const deadline = setTimeout(() => connection.close(), 10_000); // the read rejects: a server that does not close is a failure
  using _ = { [Symbol.dispose]: () => clearTimeout(deadline) };
  let answer = "";
  const buffer = new Uint8Array(65_536);
  for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
    answer += latin1(buffer.subarray(0, count));
  }
  return answer;
}

/** Writes bytes, one code unit each. */
export async function write(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Reads until a text has come. */
export async function readUntil(connection: Deno.Conn, wanted: string): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(65_536);
  while (!text.includes(wanted)) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`The connection ended before ${JSON.stringify(wanted)}: ${JSON.stringify(text)}`);
    text += latin1(buffer.subarray(0, count));
  }
  return text;
}

/** A GET for one answer. */
export function get(target: string, headers = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;
}

/** Status and body of an answer with a length. */
export function parts(answer: string): { status: number; headers: string; body: string } {
  const end = answer.indexOf("\r\n\r\n");
  return { status: Number(answer.slice(9, 12)), headers: answer.slice(0, end).toLowerCase(), body: answer.slice(end + 4) };
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
