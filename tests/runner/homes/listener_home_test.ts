/** The sockets of workers that listen themselves, and `serve()` with such workers. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { ListenerSettings } from "../../../src/engines/listener_settings.ts";
import { serve } from "../../../src/runner/serve.ts";
import { ListenerPorts } from "../../../src/runner/listening/listener_ports.ts";
import { StartupError } from "../../../src/spec/errors.ts";
import { until } from "../../conformance/waiting.ts";
import { children } from "../../faults/processes.ts";
import { ask, RawClient, request } from "../../faults/raw_client.ts";
import { folder } from "../process.ts";

const APP = `export default async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("no lifespan");
  if (scope.path === "/hang") await new Promise(() => {});
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: String(Deno.pid) });
};
`;

const ANY: ListenerSettings = { at: { kind: "tcp", host: "127.0.0.1", port: 0 }, tls: null, proxyProtocol: false };
const QUIET = { quiet: true, accessLog: false, port: 0 } as const;

/** Of an open descriptor of a process. */
function flags(pid: number, fd: number): number {
  return parseInt(/flags:\s*(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/fdinfo/${fd}`))![1]!, 8);
}

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** The descriptor of a listening socket, found by another way than that of the code under test; `null` where a process has none. */
function listenerOf(pid: number, port: number): number | null {
  const inode = Deno.readTextFileSync("/proc/net/tcp").split("\n").map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[3] === "0A" && parseInt(fields[1]!.split(":")[1]!, 16) === port)![9];
  const found = [...Deno.readDirSync(`/proc/${pid}/fd`)].find(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/fd/${name}`) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  });
  return found === undefined ? null : Number(found.name);
}

function fdOf(ports: ListenerPorts): number {
  const [{ at }] = ports.listeners as [ListenerSettings];
  if (at.kind !== "fd") throw new Error("no descriptor");
  return at.fd;
}

Deno.test("ListenerPorts gives what it starts a socket that never blocks, and nobody else", async () => {
  const ports = ListenerPorts.open("node", [ANY]);
  const fd = fdOf(ports);
  assertEquals(flags(Deno.pid, fd) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC);
  const sleep = () => new Deno.Command("sleep", { args: ["30"] }).spawn();
  const heirs = [ports.inherit(sleep), ports.inherit(sleep)];
  const other = sleep();
  // The stall that this is about: a socket that turns blocking for all processes as soon as one more has it.
  for (const { pid } of heirs) assertEquals(flags(pid, fd) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK);
  assertEquals(flags(Deno.pid, fd) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC);
  const { port } = (await ports.listen())[0] as Deno.NetAddr;
  assertEquals(heirs.map(({ pid }) => listenerOf(pid, port)), [fd, fd]);
  assertEquals(listenerOf(other.pid, port), null);
  for (const child of [...heirs, other]) {
    child.kill("SIGKILL");
    await child.status;
  }
  ports.drain();
});

Deno.test("ListenerPorts holds its port until it is drained, and connections wait in it", async () => {
  const ports = ListenerPorts.open("node", [ANY]);
  const [addr] = await ports.listen() as [Deno.NetAddr];
  assertEquals(listenerOf(Deno.pid, addr.port), fdOf(ports));
  assertThrows(() => Deno.listen({ hostname: "127.0.0.1", port: addr.port }), Deno.errors.AddrInUse);
  (await Deno.connect({ hostname: "127.0.0.1", port: addr.port })).close();
  ports.drain();
  ports.drain();
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port: addr.port }), Deno.errors.ConnectionRefused);
});

Deno.test("ListenerPorts sets the backlog, where one was asked for", async () => {
  const ports = ListenerPorts.open("node", [{ ...ANY, backlog: 1 }]);
  const [{ port }] = await ports.listen() as [Deno.NetAddr];
  const { stdout } = await new Deno.Command("ss", { args: ["-tln", `sport = :${port}`] }).output();
  assertEquals(new TextDecoder().decode(stdout).split("\n")[1]!.trim().split(/\s+/)[2], "1");
  ports.drain();
});

Deno.test("ListenerPorts knows for the engine deno what port 0 is, and holds nothing", async () => {
  const ports = ListenerPorts.open("deno", [ANY]);
  const [{ port }] = await ports.listen() as [Deno.NetAddr];
  assertEquals(ports.listeners, [{ ...ANY, at: { kind: "tcp", host: "127.0.0.1", port }, reusePort: true }]);
  Deno.listen({ hostname: "127.0.0.1", port }).close();
  ports.drain();
});

Deno.test("ListenerPorts opens all of its ports or none", () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const before = [...Deno.readDirSync("/proc/self/fd")].length;
  for (const engine of ["node", "deno"] as const) {
    assertThrows(
      () => ListenerPorts.open(engine, [ANY, { ...ANY, at: { kind: "tcp", host: "127.0.0.1", port } }]),
      StartupError,
      `127.0.0.1:${port} is in use`,
    );
  }
  assertEquals([...Deno.readDirSync("/proc/self/fd")].length, before);
  taken.close();
});

Deno.test("serve() with listeners tells how many exchanges they have open, and leaves nothing", async () => {
  await using project = await folder({ "app.js": APP });
  const before = children(Deno.pid).length;
  const server = await serve(`${project.path}/app.js`, { ...QUIET, workers: 2, workerType: "listener", engine: "node" });
  const { port } = new URL(server.url);
  const pids = server.workers().map(({ pid }) => pid!);
  for (const pid of pids) {
    // An app's own programs would hold the port.
    assertEquals(flags(pid, listenerOf(pid, Number(port))!) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC);
  }
  assert(pids.includes(Number((await ask(server.url, "/")).body)));
  using client = await RawClient.to(server.url, request("/hang"));
  const open = () => server.workers().reduce((sum, worker) => sum + worker.open, 0);
  await until(() => open() === 1, "the exchange to be told");
  client[Symbol.dispose]();
  await until(() => open() === 0, "its end to be told");
  // The app still hangs.
  await server.shutdown(1000);
  assertEquals(children(Deno.pid).length, before);
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port: Number(port) }), Deno.errors.ConnectionRefused);
});

Deno.test("serve() with listeners that can't start frees the port", async () => {
  await using project = await folder({ "app.js": "throw new Error('broken');" });
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  for (const engine of ["node", "deno"] as const) {
    await assertRejects(
      () => serve(`${project.path}/app.js`, { ...QUIET, port, workers: 2, workerType: "listener", engine }),
      StartupError,
      "broken",
    );
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  }
});
