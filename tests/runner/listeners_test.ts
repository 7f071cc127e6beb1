import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { TlsSettings } from "../../src/engines/listener_settings.ts";
import { LISTEN_FORMS, readListen } from "../../src/runner/listen_address.ts";
import { listenersOf, type ListenOptions, listenText } from "../../src/runner/listeners.ts";
import { nodeNeeds } from "../../src/runner/node_needs.ts";
import { OPTIONS } from "../../src/runner/options.ts";
import { readCommand } from "../../src/runner/arguments.ts";
import { StartupError } from "../../src/spec/errors.ts";

const TLS: TlsSettings = { certificates: [{ cert: "c", key: "k" }], clientCertificates: "none", ca: null };
const typed = (key: keyof typeof OPTIONS) => `--${OPTIONS[key].name}`;
const listeners = (options: ListenOptions, tls: TlsSettings | null = null) => listenersOf(options, tls, typed);
const tcp = (host: string, port: number) => ({ kind: "tcp", host, port }) as const;

Deno.test("readListen() reads every form of an address, and the words behind it", () => {
  const good: [string, ReturnType<typeof readListen>][] = [
    ["127.0.0.1:80", { at: tcp("127.0.0.1", 80), security: null, proxyProtocol: false }],
    ["localhost:0", { at: tcp("localhost", 0), security: null, proxyProtocol: false }],
    [":65535", { at: tcp("0.0.0.0", 65535), security: null, proxyProtocol: false }],
    ["[::1]:80,tls", { at: tcp("::1", 80), security: "tls", proxyProtocol: false }],
    ["[fe80::1%eth0]:80", { at: tcp("fe80::1%eth0", 80), security: null, proxyProtocol: false }],
    ["[::]:443,proxy,tls", { at: tcp("::", 443), security: "tls", proxyProtocol: true }],
    ["a.example:80,plain,proxy", { at: tcp("a.example", 80), security: "plain", proxyProtocol: true }],
    ["unix:/run/a:b.sock", { at: { kind: "unix", path: "/run/a:b.sock" }, security: null, proxyProtocol: false }],
    ["unix:s,proxy", { at: { kind: "unix", path: "s" }, security: null, proxyProtocol: true }],
    ["fd:3", { at: { kind: "fd", fd: 3 }, security: null, proxyProtocol: false }],
    ["fd:10,tls", { at: { kind: "fd", fd: 10 }, security: "tls", proxyProtocol: false }],
  ];
  for (const [text, read] of good) assertEquals(readListen(text, "--listen"), read, text);
  assertEquals(good.slice(0, 1).concat(good.slice(5, 6)).map(([, { at }]) => listenText(at as never)), ["127.0.0.1:80", "[::]:443"]);
});

Deno.test("readListen() says what is wrong with an address, and what would be right", () => {
  const wrong: [string, string][] = [
    [",tls", `an address is missing: ${LISTEN_FORMS}`],
    ["8080", "a port alone: write 127.0.0.1:8080, or :8080 for every address of this machine"],
    ["localhost", "the port is missing: localhost:5000"],
    ["localhost:", "the port is missing: a number from 0 to 65535"],
    ["[::1]", "the port is missing: a number from 0 to 65535"],
    ["[::1]:", "the port is missing: a number from 0 to 65535"],
    ["localhost:http", 'the port must be a whole number from 0 to 65535, got "http"'],
    ["localhost:65536", 'the port must be a whole number from 0 to 65535, got "65536"'],
    ["localhost:-1", 'the port must be a whole number from 0 to 65535, got "-1"'],
    ["::1", "an IPv6 address stands in brackets: [::1]:5000"],
    ["::1:5000", "an IPv6 address stands in brackets: [::1]:5000"],
    ["256.1.1.1:80", "256.1.1.1 is no address"],
    ["127.0.0.01:80", "127.0.0.01 is no address"],
    ["127.0.0.1:1,127.0.0.1:2", '"127.0.0.1:2" is none of the words tls, plain and proxy: give each address with a --listen of its own'],
    ["2001:db8::1", "an IPv6 address stands in brackets: [2001:db8::1]:5000"],
    ["a:b:80", `it is none of ${LISTEN_FORMS}`],
    ["[127.0.0.1]:80", "[127.0.0.1] is no IPv6 address: what is not goes without brackets"],
    ["[]:80", "[] is no IPv6 address"],
    ["[::1]80", `it is none of ${LISTEN_FORMS}`],
    ["a b:80", '"a b" is no host name'],
    ["http://127.0.0.1:80", "this is a URL: write host:port, and ,tls behind it for https"],
    ["/run/app.sock", "a path is written unix:/run/app.sock"],
    ["unix:", "unix: needs a path, such as unix:/run/app.sock"],
    ["unix:/a,b", '"b" is none of the words tls, plain and proxy (a path with a comma: --socket)'],
    ["fd:", "fd: needs the number of a descriptor from 3 on, such as fd:3"],
    ["fd:2", "fd: needs the number of a descriptor from 3 on"],
    ["fd:x", "fd: needs the number of a descriptor from 3 on"],
    [":80,ssl", '"ssl" is none of the words tls, plain and proxy'],
    [":80,", '"" is none of the words tls, plain and proxy'],
    [":80,tls,plain", ",tls and ,plain exclude each other"],
    [":80,tls,tls", ",tls is there twice"],
    [":80,proxy,proxy", ",proxy is there twice"],
  ];
  for (const [text, problem] of wrong) {
    const error = assertThrows(() => readListen(text, "--listen"), StartupError);
    assertStringIncludes(error.message, `--listen "${text}": `);
    assertStringIncludes(error.message, problem, text);
    assertEquals(error.exitCode, 2);
  }
});

Deno.test("listenersOf() takes host, port and socket as the short form of one listener", () => {
  const plain = { tls: null, proxyProtocol: false };
  assertEquals(listeners({}), [{ at: tcp("127.0.0.1", 5000), ...plain }]);
  assertEquals(listeners({ host: "[::1]", port: 1 }), [{ at: tcp("::1", 1), ...plain }]);
  assertEquals(listeners({ socket: "s" }), [{ at: { kind: "unix", path: "s", mode: 0o600 }, ...plain }]);
  assertEquals(listeners({ port: 1, proxyProtocol: true, listenerBacklog: 9 }, TLS), [
    { at: tcp("127.0.0.1", 1), tls: TLS, proxyProtocol: true, backlog: 9 },
  ]);
});

Deno.test("listenersOf() gives TLS to TCP listeners that do not say otherwise, and to no Unix socket", () => {
  const made = listeners({ listen: ["a:1", "a:2,plain", "a:3,tls,proxy", "fd:3", "unix:s"], socketMode: 0o660 }, TLS);
  assertEquals(made.map(({ tls, proxyProtocol }) => [tls, proxyProtocol]), [
    [TLS, false],
    [null, false],
    [TLS, true],
    [TLS, false],
    [null, false],
  ]);
  assertEquals(made[4]!.at, { kind: "unix", path: "s", mode: 0o660 });
});

Deno.test("listenersOf() refuses what does not go together", () => {
  const wrong: [ListenOptions, TlsSettings | null, string][] = [
    [{ listen: [] }, null, "--listen must have at least one address"],
    [{ listen: ["a:1"], host: "b" }, null, "--listen and --host exclude each other: give all addresses with --listen"],
    [{ listen: ["a:1"], socket: "b" }, null, "--listen and --socket exclude each other"],
    [{ socket: "s", port: 1 }, null, "--socket and --port exclude each other"],
    [{ listen: ["a:1"], socketMode: 0o600 }, null, "--socket-mode needs --socket, or --listen unix:path"],
    [{ listen: ["a:1,tls"] }, null, "--listen a:1,tls needs --ssl-cert"],
    [{ listen: ["unix:s,tls", "a:1"] }, TLS, "--listen unix:s: a Unix socket is served without TLS, leave ,tls out"],
    [{ listen: ["unix:s"] }, TLS, "--ssl-cert is for no listener: a Unix socket is served without TLS"],
    [{ listen: ["a:1,plain", "unix:s"] }, TLS, "--ssl-cert is for no listener: each listener says ,plain"],
    [{ socket: "s" }, TLS, "--ssl-cert is for no listener: a Unix socket is served without TLS"],
    [{ listen: ["0.0.0.0:1", "127.0.0.1:1"] }, null, "--listen 0.0.0.0:1 and 127.0.0.1:1 overlap: leave one of them out"],
    [{ listen: ["127.0.0.1:2", "[::]:1", "[::1]:1"] }, null, "--listen [::]:1 and [::1]:1 overlap"],
    [{ listen: ["10.0.0.1:1", "unix:s", ":1"] }, null, "--listen 10.0.0.1:1 and 0.0.0.0:1 overlap"],
    [{ host: "256.1.1.1" }, null, "--host must be an address or a host name: 256.1.1.1 is no address"],
    [{ host: "127.0.0.1:80" }, null, "--host must be an address or a host name: 127.0.0.1:80 is no address"],
    [{ listen: ["a:1", "A:1"] }, null, '--listen "A:1": this address is there twice'],
    [{ listen: ["[::1]:1", "[0:0::1]:1,plain"] }, null, '--listen "[0:0::1]:1,plain": this address is there twice'],
    [{ listen: ["unix:s", "unix:s"] }, null, "this address is there twice"],
    [{ listen: ["fd:3", "fd:03"] }, null, "this address is there twice"],
  ];
  for (const [options, tls, message] of wrong) {
    const error = assertThrows(() => listeners(options, tls), StartupError, message);
    assertEquals(error.exitCode, 2);
  }
  assertEquals(listeners({ listen: ["a:0", "a:0"] }).length, 2, "two free ports are two addresses");
  assertEquals(listeners({ listen: [":0", "127.0.0.1:0", ":1", "[::1]:1", "a:1"] }).length, 5);
});

Deno.test("nodeNeeds() names what only the engine node can do, and nothing that asks for less", () => {
  const needs = (options: Parameters<typeof nodeNeeds>[0]) => nodeNeeds(options, listeners(options), typed);
  assertEquals(needs({}), []);
  assertEquals(needs({ headerTimeoutMs: 0, maxConnections: 0, wsDeflate: false, proxyProtocol: false, listenerBacklog: 9 }), []);
  assertEquals(needs({ wsDeflate: true, headerTimeoutMs: 1, maxTargetBytes: 0 }), [
    "--header-timeout",
    "--max-target-size",
    "--ws-deflate",
  ]);
  assertEquals(needs({ proxyProtocol: true, listen: ["a:1"] }), ["--proxy-protocol"]);
  assertEquals(needs({ listen: ["a:1,proxy", "fd:3", "unix:s"], listenerBacklog: 9 }), [
    "--listen a:1,proxy",
    "--listen fd:3",
    "--listener-backlog with a Unix socket",
  ]);
});

Deno.test("--listen of the command line goes before host, port and socket of the environment, and the other way round", () => {
  const environment = (values: Record<string, string>) => (name: string) => values[name];
  const listen = readCommand(["--listen", "a:1", "--listen=b:2"], environment({ PAGI_HOST: "x", PAGI_PORT: "1", PAGI_SOCKET: "s" }));
  assertEquals(listen.options, { listen: ["a:1", "b:2"] });
  assertEquals(readCommand(["-p", "1"], environment({ PAGI_LISTEN: "a:1\nb:2" })).options, { port: 1 });
  assertEquals(readCommand([], environment({ PAGI_LISTEN: "a:1\nb:2" })).options, { listen: ["a:1", "b:2"] });
  assertEquals([...readCommand(["-p", "1"], environment({ PAGI_PORT: "2", PAGI_ENV: "x" })).variables], ["env"]);
});
