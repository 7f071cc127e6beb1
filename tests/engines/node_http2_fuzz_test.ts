/** Clients of HTTP/2 that break off, reset and leave at every point: the server lives, answers, and keeps nothing of them. */

import { assert, assertEquals } from "@std/assert";
import { until } from "../conformance/waiting.ts";
import { Cli, folder } from "../runner/process.ts";
import { play, script } from "./h2_script.ts";

/** Answers in many ways, by the path. */
const APP = `const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const BIG = new Uint8Array(200_000).fill(97);
export default async (scope, receive, send) => {
  if (scope.type === "websocket") {
    await receive();
    if (scope.path === "/refuse") return void await send({ type: "websocket.close" });
    await send({ type: "websocket.accept" });
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.disconnect") return;
      if (event.text === "close" || scope.path === "/close") return void await send({ type: "websocket.close", code: 1000 });
      if (scope.path === "/flood") for (let count = 0; count < 20; count++) await send({ type: "websocket.send", bytes: BIG });
      await send({ type: "websocket.send", text: "echo" });
    }
  }
  const start = (more = {}) => send({ type: "http.response.start", status: 200, headers: [], ...more });
  const body = (body, more = false) => send({ type: "http.response.body", body, more });
  const read = async () => { for (;;) { const { type, more } = await receive(); if (type !== "http.request" || !more) return; } };
  switch (scope.path) {
    case "/throw": throw new Error("broken");
    case "/late-throw": await start(); await body("x", true); throw new Error("broken");
    case "/never": while ((await receive()).type !== "http.disconnect"); return;
    case "/later": await sleep(5); break;
    case "/read": await read(); break;
    case "/hint": await send({ type: "http.response.early_hint", headers: [["link", "</a>; rel=preload"]] }); break;
    case "/empty": await start({ status: 204 }); return void await body("");
    case "/big": await start(); return void await body(BIG);
    case "/stream": await start(); for (let count = 0; count < 9; count++) { await body("x".repeat(1000), true); await sleep(1); } return void await body("");
    case "/trailers": await start({ trailers: true }); await body("abc"); return void await send({ type: "http.response.trailers", headers: [["x-t", "1"]] });
    case "/echo": await start(); for (;;) { const { type, body: part, more } = await receive(); if (type !== "http.request") return; await body(part, more); if (!more) return; }
  }
  await start();
  await body("ok");
};
`;

const ROUNDS = 12;
const CONNECTIONS = 40;

Deno.test("NodeEngine outlives HTTP/2 clients that do everything that a client can do", async () => {
  await using files = await folder({ "app.ts": APP });
  await using server = new Cli(["--engine", "node", "-p", "0", "--lifespan", "off", `${files.path}/app.ts`]);
  const port = Number(new URL(await server.url()).port);
  const answered = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
    return await response.text();
  };
  assertEquals(await answered(), "ok");
  const before = descriptors(server.pid);
  for (let round = 0; round < ROUNDS; round++) {
    const first = round * CONNECTIONS + 1;
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => play(port, script(first + index))));
    assertEquals(await answered().catch(() => "dead"), "ok", `after the seeds from ${first} on`);
  }
  await until(() => descriptors(server.pid) <= before + 1, "the end of all connections");
  assertEquals((await server.stop()).code, 0);
});

function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

Deno.test("script: the same seed is the same script", () => {
  assertEquals(script(7), script(7));
  assert(script(7).length > 1);
});
