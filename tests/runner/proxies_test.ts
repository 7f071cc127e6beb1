/**
 * The recipes of docs/proxies.md, run: real proxies in front of a server, and a client that tries to pass for somebody else.
 *
 * Clients connect from 127.0.0.2, which nobody trusts.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { serve } from "../../src/runner/serve.ts";
import type { ServeOptions } from "../../src/runner/options.ts";
import type { App } from "../../src/spec/app.ts";
import { certificate } from "../conformance/certificate.ts";
import { needs } from "../tools.ts";

const PAGE = new URL("../../docs/proxies.md", import.meta.url);

/** Answers with what it is told of the request. */
const app: App = async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("Unsupported scope type: lifespan");
  const { client, scheme, root_path, path, headers } = scope;
  const host = headers.filter(([name]) => name === "host").map(([, value]) => value).join();
  const text = JSON.stringify({ client: client?.[0] ?? null, scheme, host, root_path, path });
  if (scope.type === "websocket") {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text });
    await receive();
    return;
  }
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: text });
};

/** What a client may try. `Forwarded` and `X-Forwarded-For` name addresses that are trusted, too. */
const HOSTILE = [
  ...[
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For: 6.6.6.6, unix:",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil",
    "X-Forwarded-Port: 666",
  ],
  ...["X-Forwarded-Prefix: /evil", 'Forwarded: for="6.6.6.6', "Forwarded: for=6.6.6.6;proto=https;host=evil", "X_Forwarded_For: 6.6.6.6"],
];

interface Proxy {
  readonly tool: "nginx" | "caddy" | "haproxy";
  /** The name of the recipe. */
  readonly recipe: string;
  /** The recipe with other addresses. */
  readonly config: (recipe: string, dir: string, front: number, back: number) => string;
  readonly command: (file: string, dir: string) => string[];
  readonly server: (dir: string) => ServeOptions;
  readonly isWebSocket: boolean;
}

const HAPROXY_DEFAULTS = "defaults\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n";

const NGINX: Proxy = {
  tool: "nginx",
  recipe: "nginx",
  config: (recipe, dir, front) => {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir}/${name};`).join(" ");
    const http = replace(replace(recipe, "listen 80;", `listen 127.0.0.1:${front};`), "/run/app/app.sock;", `${dir}/app.sock;`);
    return `daemon off; master_process off; pid ${dir}/pid; error_log stderr; events {} http { access_log off; ${temporary}\n${http}\n}`;
  },
  command: (file, dir) => ["-p", dir, "-e", "stderr", "-c", file],
  server: (dir) => ({ socket: `${dir}/app.sock`, forwardedAllowIps: "unix" }),
  isWebSocket: true,
};

const PROXIES: readonly Proxy[] = [
  NGINX,
  {
    tool: "caddy",
    recipe: "caddy",
    config: (recipe, dir, front) =>
      `{\n  admin off\n  auto_https off\n}\n` +
      replace(replace(recipe, "example.org {", `http://:${front} {\n  bind 127.0.0.1`), "/run/app/app.sock", `${dir}/app.sock`),
    command: (file) => ["run", "--adapter", "caddyfile", "--config", file],
    server: (dir) => ({ socket: `${dir}/app.sock`, forwardedAllowIps: "unix" }),
    isWebSocket: true,
  },
  {
    tool: "haproxy",
    recipe: "haproxy",
    config: (recipe, _dir, front, back) =>
      HAPROXY_DEFAULTS +
      replace(replace(recipe, "bind :80", `bind 127.0.0.1:${front}`), "127.0.0.1:5000", `127.0.0.1:${back}`),
    command: (file) => ["-db", "-f", file],
    server: () => ({ port: 0, forwardedAllowIps: "127.0.0.1" }),
    isWebSocket: false, // its client would be 127.0.0.1, which is trusted
  },
];

for (const engine of ["deno", "node"] as const) {
  for (const proxy of PROXIES) {
    Deno.test(
      needs([proxy.tool, "curl"], `the recipe for ${proxy.recipe} tells the client and nothing that the client says, engine ${engine}`),
      async () => {
        await behind(proxy, { engine }, async (url) => {
          const told = { client: "127.0.0.2", scheme: "http", host: "example.org:81", root_path: "", path: "/a" };
          const args = ["--interface", "127.0.0.2", "-H", "Host: example.org:81"];
          assertEquals(JSON.parse(await curl(...args, `${url}a`)), told);
          assertEquals(JSON.parse(await curl(...args, ...HOSTILE.flatMap((line) => ["-H", line]), `${url}a`)), told);
          for (const line of HOSTILE) assertEquals(JSON.parse(await curl(...args, "-H", line, `${url}a`)), told, line);
          if (!proxy.isWebSocket) return;
          const socket = new WebSocket(`${url.replace("http", "ws")}ws`);
          const text = await new Promise<string>((resolve, reject) => {
            socket.onmessage = ({ data }) => resolve(String(data));
            socket.onerror = () => reject(new Error("the WebSocket failed"));
          });
          const closed = new Promise((resolve) => socket.onclose = resolve);
          socket.close();
          await closed;
          const { client, scheme } = JSON.parse(text);
          assertEquals([client, scheme], ["127.0.0.1", "ws"]);
        });
      },
    );
  }
}

for (const engine of ["deno", "node"] as const) {
  Deno.test(needs(["nginx", "curl"], `the recipe for nginx tells the mount point, engine ${engine}`), async () => {
    const mounted = (config: string) =>
      [
        ["location / {", "location /api/ {"],
        ["proxy_pass http://app;", "proxy_pass http://app/;"],
        ['X-Forwarded-Prefix ""', "X-Forwarded-Prefix /api"],
      ].reduce((text, [part, by]) => replace(text, part!, by!), config);
    await behind(NGINX, { engine, rootPath: "/app" }, async (url) => {
      const { path, root_path } = JSON.parse(await curl("-H", "X-Forwarded-Prefix: /evil", `${url}api/a`));
      assertEquals([path, root_path], ["/a", "/api/app"]);
    }, mounted);
  });

  Deno.test(needs(["nginx", "curl", "openssl"], `the recipe for nginx tells of TLS, engine ${engine}`), async () => {
    const { cert, key } = await certificate();
    const secure = (config: string, dir: string) => {
      Deno.writeTextFileSync(`${dir}/cert`, cert);
      Deno.writeTextFileSync(`${dir}/key`, key);
      return config.replace(
        /listen (127\.0\.0\.1:\d+);/,
        `listen $1 ssl http2; ssl_certificate ${dir}/cert; ssl_certificate_key ${dir}/key;`,
      );
    };
    await behind(NGINX, { engine }, async (url) => {
      const https = url.replace("http:", "https:");
      for (const version of ["--http1.1", "--http2"]) {
        const { client, scheme, host } = JSON.parse(
          await curl("-k", version, "--interface", "127.0.0.2", "-H", "X-Forwarded-Proto: http", `${https}a`),
        );
        assertEquals([client, scheme, host], ["127.0.0.2", "https", new URL(url).host], version);
      }
      const { hostname, port } = new URL(url);
      using connection = await Deno.connectTls({ hostname, port: Number(port), caCerts: [cert] });
      const request = `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
      await connection.write(new TextEncoder().encode(request));
      let text = "";
      for await (const chunk of connection.readable.pipeThrough(new TextDecoderStream("latin1"))) if ((text += chunk).includes("}")) break;
      assertEquals(JSON.parse(text.slice(text.indexOf("{"))).scheme, "wss");
    }, secure);
  });
}

Deno.test(needs(["haproxy", "curl", "openssl"], "the recipe for haproxy-tcp tells the client by the PROXY protocol"), async () => {
  const { cert, key } = await certificate();
  await behind(
    {
      tool: "haproxy",
      recipe: "haproxy-tcp",
      config: (recipe, _dir, front, back) =>
        HAPROXY_DEFAULTS + replace(replace(recipe, "bind :443", `bind 127.0.0.1:${front}`), "127.0.0.1:5443", `127.0.0.1:${back}`),
      command: (file) => ["-db", "-f", file],
      server: (dir) => {
        Deno.writeTextFileSync(`${dir}/cert`, cert);
        Deno.writeTextFileSync(`${dir}/key`, key, { mode: 0o600 });
        return { listen: ["127.0.0.1:0,tls,proxy"], sslCert: `${dir}/cert`, sslKey: `${dir}/key`, forwardedAllowIps: "127.0.0.1" };
      },
      isWebSocket: false,
    },
    { accessLog: false },
    async (url) => {
      for (const version of ["--http1.1", "--http2"]) {
        const args = ["-k", version, "--interface", "127.0.0.2", ...HOSTILE.flatMap((line) => ["-H", line])];
        const told = JSON.parse(await curl(...args, `${url.replace("http:", "https:")}a`));
        assertEquals(told, { client: "127.0.0.2", scheme: "https", host: new URL(url).host, root_path: "", path: "/a" }, version);
      }
    },
  );
});

/** Runs a server with a proxy in front. */
async function behind(
  proxy: Proxy,
  options: ServeOptions,
  test: (url: string) => Promise<void>,
  change = (config: string, _dir: string) => config,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await using server = await serve(app, { ...proxy.server(dir), ...options, env: "production", quiet: true });
    const back = server.addr.transport === "tcp" ? (server.addr as Deno.NetAddr).port : 0;
    const front = freePort();
    const file = `${dir}/config`;
    await Deno.writeTextFile(file, change(proxy.config(await recipeOf(proxy.recipe), dir, front, back), dir));
    const child = new Deno.Command(proxy.tool, {
      args: proxy.command(file, dir),
      env: { HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const said = new Response(child.stderr).text();
    try {
      if (!await answers(front, child.status)) throw new Error(`${proxy.tool} ended: ${await said}`);
      await test(`http://127.0.0.1:${front}/`);
    } finally {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await child.status;
      await said;
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A block of code of the page, by the comment in front of it. */
async function recipeOf(name: string): Promise<string> {
  const page = await Deno.readTextFile(PAGE);
  const recipe = new RegExp(`<!-- recipe: ${name} -->\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (recipe === undefined) throw new Error(`docs/proxies.md has no recipe "${name}"`);
  return recipe;
}

function replace(text: string, part: string, by: string): string {
  assertStringIncludes(text, part);
  return text.replace(part, by);
}

/** A port that was free a moment ago: none of the proxies tells which one it took. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Waits until a port takes connections; `false` where the process ends before. */
async function answers(port: number, status: Promise<unknown>, ms = 10_000): Promise<boolean> {
  const end = performance.now() + ms;
  let ended = false;
  void status.then(() => ended = true);
  while (!ended) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    if (performance.now() > end) throw new Error(`Nobody listens on port ${port} after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return false;
}

async function curl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("curl", { args: ["-sS", "-m", "5", ...args] }).output();
  if (code !== 0) throw new Error(`curl: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
