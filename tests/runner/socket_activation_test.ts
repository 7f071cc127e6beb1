/** Sockets of a service manager: which are taken, which listeners they become, and that they serve. The manager is Python. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describeDescriptor, type Descriptor, hexAddress } from "../../src/runner/descriptor.ts";
import { OPTIONS } from "../../src/runner/options.ts";
import { settle } from "../../src/runner/settings.ts";
import { activate, foreignSockets, type PassedSocket, takeSockets } from "../../src/runner/socket_activation.ts";
import { StartupError } from "../../src/spec/errors.ts";
import { needs } from "../tools.ts";
import { Cli, cli, folder } from "./process.ts";

/** Opens the sockets of its first argument as systemd does, and becomes the command of the others. */
const MANAGER = `
import os, socket, sys
sockets = []
for what in sys.argv[1].split(","):
    if what.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX); s.bind(what[5:]); s.listen()
    elif what == "udp":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
    elif what == "deaf":
        s = socket.socket(); s.bind(("127.0.0.1", 0))
    else:
        host, port = what.rsplit(":", 1)
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET); s.bind((host, int(port))); s.listen()
    sockets.append(s)
copies = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(sockets)]
for i, copy in enumerate(copies): os.dup2(copy, 3 + i, inheritable=True)
os.closerange(3 + len(copies), 200)
os.environ["LISTEN_FDS"] = str(len(copies))
os.environ["LISTEN_FDNAMES"] = os.environ.get("NAMES", "")
os.environ["LISTEN_PID"] = os.environ.get("FOR", str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
`;

const APP = `const seen = Object.keys(Deno.env.toObject()).filter((name) => name.startsWith("LISTEN"));
export default { fetch: (request) => new Response(JSON.stringify([new URL(request.url).pathname, seen])) };
`;

const manager = (sockets: string) => ["python3", "-c", MANAGER, sockets];
const text = async (url: string) => await (await fetch(url)).text();
const named = (key: keyof typeof OPTIONS) => `--${OPTIONS[key].name}`;

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

function variables(values: Record<string, string>) {
  const map = new Map(Object.entries(values));
  return { get: (name: string) => map.get(name), delete: (name: string) => void map.delete(name), left: () => [...map.keys()] };
}

const tcp = (fd: number): Descriptor => ({ kind: "tcp", host: "127.0.0.1", port: 8000 + fd });
const socket = (fd: number, host: string, port: number, name = ""): PassedSocket => ({ fd, name, host, port });

Deno.test("SYSD-001, SYSD-003: takeSockets() takes what is for this process, and removes the variables in any case", () => {
  const all = { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "web:", LISTEN_PIDFDID: "1", OTHER: "x" };
  const mine = variables(all);
  assertEquals(takeSockets(mine, 7, tcp), [socket(3, "127.0.0.1", 8003, "web"), socket(4, "127.0.0.1", 8004)]);
  assertEquals(mine.left(), ["OTHER"]);
  const others = variables(all);
  assertEquals(takeSockets(others, 8, tcp), []);
  assertEquals(others.left(), ["OTHER"]);
  assertEquals(takeSockets(variables({}), 7, tcp), []);
  assertEquals(takeSockets(variables({ LISTEN_PID: "7", LISTEN_FDS: "0" }), 7, tcp), []);
  for (const count of ["", "-1", "x", "1025", "99999"]) {
    const error = assertThrows(() => takeSockets(variables({ LISTEN_PID: "7", LISTEN_FDS: count }), 7, tcp), StartupError);
    assertEquals(error.message, `LISTEN_FDS must be a number of sockets from 0 to 1024, got "${count}"`);
  }
});

Deno.test("foreignSockets() tells of sockets that are for another process, and of nothing else", () => {
  const told = (values: Record<string, string>) => foreignSockets(variables(values), 7);
  const level = "warn" as const;
  assertEquals(told({ LISTEN_PID: "8", LISTEN_FDS: "2" }), {
    level,
    text: "LISTEN_FDS is for process 8 (LISTEN_PID), not for this one (7): its sockets are not taken",
    fields: {},
  });
  assertEquals(told({ LISTEN_FDS: "1" })?.text, "LISTEN_FDS has no LISTEN_PID beside it: its sockets are not taken");
  for (const values of [{}, { LISTEN_PID: "7", LISTEN_FDS: "2" }, { LISTEN_PID: "8" }, { LISTEN_PID: "8", LISTEN_FDS: "0" }]) {
    assertEquals(told(values as Record<string, string>), null);
  }
});

Deno.test("takeSockets() refuses what Deno can't serve, and says why", () => {
  const refused = (what: Descriptor) =>
    assertThrows(() => takeSockets(variables({ LISTEN_PID: "7", LISTEN_FDS: "1" }), 7, () => what), StartupError).message;
  assertMatch(
    refused({ kind: "unix", path: "/run/x" }),
    /^LISTEN_FDS passes the Unix socket \/run\/x \(descriptor 3\), and Deno listens .* ever answering/,
  );
  assertStringIncludes(refused({ kind: "other", what: "is not open" }), "descriptor 3, which is not open: only TCP sockets that listen");
});

Deno.test("activate() makes listeners of them where nothing was said of listeners", () => {
  const settings = settle({ env: "x" }, named);
  const made = activate(settings, [socket(3, "0.0.0.0", 80, "web"), socket(4, "::1", 81)]);
  const plain = { tls: null, proxyProtocol: false };
  assertEquals(made.settings.listeners, [{ at: { kind: "fd", fd: 3 }, ...plain }, { at: { kind: "fd", fd: 4 }, ...plain }]);
  assertEquals(made.settings.nodeNeeds, ["LISTEN_FDS"]);
  assertEquals(made.unused, []);
  assertEquals(made.lines, [
    { level: "info", text: "Descriptor 3 of LISTEN_FDS (web) listens on 0.0.0.0:80 and is served", fields: { fd: 3, name: "web" } },
    { level: "info", text: "Descriptor 4 of LISTEN_FDS listens on [::1]:81 and is served", fields: { fd: 4 } },
  ]);
  assertEquals(activate(settings, []), { settings, unused: [], lines: [] });
});

Deno.test("SYSD-001, SYSD-007: activate() matches them to listeners by address, and leaves what no listener is for", () => {
  const options = { listen: ["127.0.0.1:80,proxy", "[0:0::1]:81", "localhost:82", ":83", "unix:s", "10.0.0.1:84"], env: "x" };
  const settings = settle({ ...options, forwardedAllowIps: "*" }, named);
  const sockets = [
    socket(3, "::", 83),
    socket(4, "::1", 81),
    socket(5, "127.0.0.1", 80),
    socket(6, "127.0.0.1", 82),
    socket(7, "10.0.0.2", 84),
  ];
  const { settings: made, unused, lines } = activate(settings, sockets);
  assertEquals(made.listeners.map(({ at }) => at.kind === "fd" ? at.fd : at.kind), [5, 4, 6, 3, "unix", "tcp"]);
  assertEquals(made.listeners[0]!.proxyProtocol, true);
  assertEquals(unused, [sockets[4]!]);
  assertEquals(lines[4], {
    level: "warn",
    text: "Descriptor 7 of LISTEN_FDS listens on 10.0.0.2:84, which no --listen names: it is closed",
    fields: { fd: 7 },
  });
  const none = activate(settings, [sockets[4]!]);
  assertEquals([none.settings.listeners, none.settings.nodeNeeds], [settings.listeners, settings.nodeNeeds]);
});

Deno.test("hexAddress() reads addresses as /proc writes them", () => {
  assertEquals(hexAddress("0100007F"), "127.0.0.1");
  assertEquals(hexAddress("00000000000000000000000001000000"), "::1");
  assertEquals(hexAddress("B80D0120000000000000000001000000"), "2001:db8::1");
});

Deno.test({ name: "describeDescriptor() knows a file and what is not open", ignore: Deno.build.os !== "linux" }, () => {
  assertEquals(describeDescriptor(1_000_000), { kind: "other", what: "is not open" });
  assertMatch((describeDescriptor(0) as { what: string }).what, /^is no socket \(/);
});

Deno.test(needs("python3", "SYSD-002, SYSD-008: cli serves a socket that was passed, and its app finds no trace of it"), async () => {
  await using files = await folder({ "app.js": APP });
  await using server = new Cli(["app.js"], { cwd: files.path, via: manager("127.0.0.1:0"), env: { NAMES: "web" } });
  const url = await server.url();
  assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  for (const path of ["/a", "/b"]) assertEquals(await text(url + path.slice(1)), JSON.stringify([path, []]));
  const { code, stderr } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(stderr, "(engine node: for what LISTEN_FDS asks for, deno would");
  const address = new URL(url).host;
  assertStringIncludes(stderr, `info Descriptor 3 of LISTEN_FDS (web) listens on ${address} and is served fd=3 name="web"\n`);
});

Deno.test(needs("python3", "cli matches passed sockets to --listen, closes the others, and workers serve on them"), async () => {
  await using files = await folder({ "app.js": APP });
  const [wanted, other] = [freePort(), freePort()];
  const args = ["app.js", "--listen", `[::1]:${wanted}`, "--listen", "127.0.0.1:0", "--workers", "1"];
  await using server = new Cli(args, { cwd: files.path, via: manager(`127.0.0.1:${other},::1:${wanted}`) });
  const banner = await server.stderr.until(/Listening on \S+, \S+ \(/);
  const [, first, second] = /Listening on (\S+), (\S+) \(/.exec(banner)!;
  assertEquals(first, `http://[::1]:${wanted}/`);
  for (const url of [first!, second!]) assertEquals(await text(url), '["/",[]]');
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port: other }), Deno.errors.ConnectionRefused);
  const { code, stderr } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(stderr, `warn Descriptor 3 of LISTEN_FDS listens on 127.0.0.1:${other}, which no --listen names: it is closed`);
});

Deno.test(needs("python3", "cli refuses passed sockets that it can't serve"), async (t) => {
  await using files = await folder({ "app.js": APP });
  const refusals: [string, readonly string[], RegExp, number][] = [
    [
      `unix:${files.path}/s`,
      [],
      /error: LISTEN_FDS passes the Unix socket \S+\/s \(descriptor 3\), and Deno listens on an inherited one without ever/,
      3,
    ],
    [
      "udp",
      [],
      /error: LISTEN_FDS passes descriptor 3, which is no TCP socket that listens: only TCP sockets that listen can be served/,
      3,
    ],
    ["deaf", [], /error: LISTEN_FDS passes descriptor 3, which is no TCP socket that listens/, 3],
    ["127.0.0.1:0", ["--sandbox"], /error: A sandbox does not go with an inherited socket: the app inherits it too, and could listen/, 2],
    [
      "127.0.0.1:0",
      ["--engine", "deno"],
      /error: The engine "deno" was asked for, and can't do what LISTEN_FDS asks for: the engine "node" can/,
      2,
    ],
  ];
  for (const [sockets, args, message, code] of refusals) {
    await t.step(`${sockets} ${args.join(" ")}`, async () => {
      const finished = await cli(["app.js", ...args], { cwd: files.path, via: manager(sockets) });
      assertMatch(finished.stderr, message);
      assertEquals(finished.code, code);
      if (args.includes("--engine")) assert(!finished.stderr.includes("is served"), finished.stderr);
    });
  }
});

Deno.test(needs("python3", "SYSD-003: cli leaves sockets alone that are for another process, and removes the variables"), async () => {
  await using files = await folder({ "app.js": APP });
  await using server = new Cli(["app.js", "-p", "0"], { cwd: files.path, via: manager("127.0.0.1:0"), env: { FOR: "1" } });
  assertEquals(await text(await server.url()), '["/",[]]');
  await server.stderr.until(
    /^\S+ warn LISTEN_FDS is for process 1 \(LISTEN_PID\), not for this one \(\d+\): its sockets are not taken$/m,
  );
  assertEquals((await server.stop()).code, 0);
});

Deno.test(needs("python3", "cli serves --listen fd:3, with TCP alone"), async () => {
  await using files = await folder({ "app.js": APP });
  await using server = new Cli(["app.js", "--listen", "fd:3"], { cwd: files.path, via: manager("127.0.0.1:0"), env: { FOR: "1" } });
  assertEquals(await text(await server.url()), '["/",[]]');
  assertEquals((await server.stop()).code, 0);
  const unix = await cli(["app.js", "--listen", "fd:3"], { cwd: files.path, via: manager(`unix:${files.path}/u`), env: { FOR: "1" } });
  assertEquals(unix.code, 3);
  assertMatch(unix.stderr, /error: .*Unix socket/);
  assertEquals(unix.stdout, "");
});
