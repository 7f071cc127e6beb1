import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readCommand } from "../../src/runner/arguments.ts";
import { helpText } from "../../src/runner/help.ts";
import { DEFAULT_WIRE_LIMITS } from "../../src/engines/node_settings.ts";
import { nearest } from "../../src/wire/nearest.ts";
import { duration, fileMode, headers, integer, limit, size } from "../../src/runner/option_kinds.ts";
import { environmentName, OPTION_KEYS, OPTIONS } from "../../src/runner/options.ts";
import { settle } from "../../src/runner/settings.ts";
import { StartupError } from "../../src/spec/errors.ts";

const nothing = () => undefined;
const read = (...args: string[]) => readCommand(args, nothing);

Deno.test("size() reads bytes, powers of 1000 and of 1024", () => {
  const { parse } = size(0);
  const good: [string, number][] = [
    ["0", 0],
    ["65536", 65536],
    ["64k", 64_000],
    ["10M", 10_000_000],
    ["16Mi", 16_777_216],
    ["1.5Ki", 1536],
    ["2GiB", 2_147_483_648],
    ["1kb", 1000],
  ];
  for (const [text, value] of good) assertEquals(parse(text), value, text);
  for (const text of ["", "-1", "k", "1 k", "1kk", "1e3", "0x10", "99999999999999999999", "1T", " 1"]) {
    assertEquals(parse(text), undefined, text);
  }
  assertEquals(size(1).parse("0"), undefined);
  assertEquals([16_777_216, 10_000_000, 65_536, 1001, 0].map(size(0).show), ["16Mi", "10M", "64Ki", "1001", "0"]);
});

Deno.test("limit() takes 0, and what leaves room for something", () => {
  const { parse, accepts } = limit(256);
  assertEquals(["0", "256", "1k", "255", "1", "-1", "x"].map(parse), [0, 256, 1000, undefined, undefined, undefined, undefined]);
  assertEquals([0, 256, 255, 1.5, "256"].map(accepts), [true, true, false, false, false]);
  const right = "must be a number of bytes, at least 256 or 0 for no limit, got 255";
  assertThrows(() => settle({ maxHeaderBytes: 255 }), StartupError, `maxHeaderBytes ${right}`);
  assertThrows(() => settle({ maxWsMessageBytes: 0 }), StartupError, "maxWsMessageBytes must be a number of bytes, at least 1, got 0");
});

Deno.test("duration() reads seconds and units, and gives milliseconds", () => {
  const { parse } = duration();
  const good: [string, number][] = [["30", 30_000], ["1.5", 1500], [".25", 250], ["500ms", 500], ["2m", 120_000], ["1h", 3_600_000], [
    "0",
    0,
  ]];
  for (const [text, value] of good) assertEquals(parse(text), value, text);
  for (const text of ["", "-1", "1,5", "soon", "1d", "9999999", "NaN", "Infinity"]) assertEquals(parse(text), undefined, text);
});

Deno.test("integer() takes whole numbers of its range alone", () => {
  const { parse, accepts } = integer("PORT", 0, 65535);
  for (const text of ["", "abc", "-1", "65536", "1.0", "1e3", "0x50", " 1", "٣"]) assertEquals(parse(text), undefined, text);
  assertEquals(parse("0080"), 80);
  for (const value of [-1, 65536, 1.5, NaN, Infinity, "80", null]) assert(!accepts(value));
});

Deno.test("fileMode() takes 0 and three octal digits alone", () => {
  const { parse } = fileMode();
  assertEquals(parse("0660"), 0o660);
  for (const text of ["660", "0888", "1234", "abc", "00660", ""]) assertEquals(parse(text), undefined, text);
});

Deno.test("headers() splits at the first colon and refuses what could not be sent", () => {
  const { parse } = headers();
  assertEquals(parse("X-A: b:c "), [["x-a", "b:c"]]);
  for (const text of ["", ":x", "no", "a b:c", "x:\x01", "x:é\u0100", "x:a\r\nb"]) {
    assertEquals(parse(text), undefined, JSON.stringify(text));
  }
});

Deno.test("readCommand() takes options before and after the app, and keeps its arguments", () => {
  for (
    const args of [["-p", "1", "app.ts", "a=b=c", "d="], ["app.ts", "a=b=c", "--port=1", "d="], ["app.ts", "a=b=c", "d=", "--port", "1"]]
  ) {
    assertEquals(
      read(...args),
      { options: { port: 1 }, variables: new Set<never>(), app: "app.ts", appArguments: { a: "b=c", d: "" } },
      args.join(" "),
    );
  }
});

Deno.test("readCommand() takes the last of a repeated option, and collects headers", () => {
  assertEquals(read("-p", "1", "--port=2").options.port, 2);
  assertEquals(read("--access-log", "x", "--no-access-log").options.accessLog, false);
  assertEquals(read("--validate-events", "--no-validate-events").options.validateEvents, false);
  assertEquals(read("--header", "a:1", "--header", "b:2,3").options.header, [["a", "1"], ["b", "2,3"]]);
});

Deno.test("readCommand() lets no option without a value swallow the app", () => {
  assertEquals(read("-q", "app.ts").app, "app.ts");
  assertEquals(read("--validate-events", "app.ts").app, "app.ts");
  assertEquals(read("--no-access-log", "app.ts").app, "app.ts");
});

Deno.test("readCommand() keeps numbers, dashes and what follows -- as text", () => {
  assertEquals(read("80").app, "80");
  assertEquals(read("--access-log", "-").options.accessLog, "-");
  assertEquals(read("--", "-p").app, "-p");
  assertEquals(read("--root-path=", "app.ts"), { options: { rootPath: "" }, variables: new Set<never>(), app: "app.ts", appArguments: {} });
  assertEquals(read("-e", "-x => 1").options.eval, "-x => 1");
});

Deno.test("readCommand() knows the alias of a reference option", () => {
  assertEquals(read("--max-ws-frame-size", "2Mi").options.maxWsMessageBytes, 2_097_152);
  assertEquals(read("--timeout", "9").options.keepAliveTimeoutMs, 9000);
});

Deno.test("readCommand() puts the command line before the environment", () => {
  const environment = (values: Record<string, string>) => (name: string) => values[name];
  const both = readCommand(["--socket", "s"], environment({ PAGI_PORT: "1", PAGI_HOST: "x", PAGI_QUIET: "yes", PAGI_LOG_LEVEL: "" }));
  assertEquals(both.options, { socket: "s", quiet: true });
  assertEquals(readCommand(["-p", "1"], environment({ PAGI_SOCKET: "s" })).options, { port: 1 });
  assertEquals(readCommand([], environment({ PAGI_ACCESS_LOG: "off", PAGI_EVAL: "x", PAGI_HELP: "1" })).options, { accessLog: false });
  assertThrows(() => readCommand([], environment({ PAGI_QUIET: "maybe" })), StartupError, 'PAGI_QUIET must be true or false, got "maybe"');
});

Deno.test("nearest() finds what was meant, or nothing", () => {
  const names = ["--port", "--host", "--ssl-cert", "--access-log", "--access-log-format"];
  assertEquals(nearest("--prot", names), "--port");
  assertEquals(nearest("--ssl-crt", names), "--ssl-cert");
  assertEquals(nearest("--acces-log", names), "--access-log");
  assertEquals(nearest("--quux", names), null);
});

Deno.test("OPTIONS have unique names, and defaults and shown texts that they accept", () => {
  const names = new Set<string>();
  for (const key of OPTION_KEYS) {
    const option = OPTIONS[key];
    for (const name of [option.name, option.alias, option.short]) {
      if (name === undefined) continue;
      assert(!names.has(name), name);
      names.add(name);
    }
    assertMatch(option.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    assertMatch(environmentName(option.name), /^PAGI_[A-Z0-9_]+$/);
    assert(!option.help.endsWith("."));
    if (option.default !== null) assert(option.kind.accepts(option.default), key);
    assert(helpText().includes(`--${option.name}`));
  }
});

Deno.test("settle() fills in the defaults of the table", () => {
  const settings = settle({ env: "production" });
  assertEquals(settings.listeners, [{ at: { kind: "tcp", host: "127.0.0.1", port: 5000 }, tls: null, proxyProtocol: false }]);
  assertEquals(settings.listensByDefault, true);
  assertEquals(settings.wire, DEFAULT_WIRE_LIMITS);
  assertEquals([settings.nodeNeeds, settings.wsDeflate, settings.engine], [[], false, "auto"]);
  assertEquals(settings.limits, {
    highWaterBytes: 65_536,
    lowWaterBytes: 16_384,
    maxSendBufferBytes: 16_777_216,
    maxReceiveQueue: 1000,
    maxReceiveQueueBytes: 16_777_216,
    maxMessageBytes: 1_048_576,
    requestTimeoutMs: 0,
    wsIdleTimeoutMs: 0,
    sseIdleTimeoutMs: 0,
  });
  assertEquals([settings.accessLog, settings.validateEvents, settings.shutdownTimeoutMs, settings.maxBodyBytes], [
    false,
    false,
    30_000,
    10_000_000,
  ]);
  assertEquals([settle({ env: "development" }).accessLog, settle({ env: "development" }).validateEvents], [true, true]);
  assertEquals([
    settle({ env: "development", validateEvents: false }).validateEvents,
    settle({ env: "x", validateEvents: true }).validateEvents,
  ], [
    false,
    true,
  ]);
  assertEquals([settle({ env: "test" }).accessLog, settle({ env: "test", quiet: true }).logLevel], [true, "error"]);
});

Deno.test("settle() refuses wrong values by the names that programs use", () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ port: "80" }, 'port must be a whole number from 0 to 65535, got "80"'],
    [{ prot: 80 }, 'Unknown option "prot": did you mean "port"?'],
    [{ eval: "x" }, 'Unknown option "eval"'],
    [{ shutdownTimeoutMs: -1 }, "shutdownTimeoutMs must be a number of milliseconds from 0 to 2147483647, got -1"],
    [{ maxBodyBytes: 1.5 }, "maxBodyBytes must be a number of bytes, at least 0, got 1.5"],
    [{ lifespan: true }, "lifespan must be auto, on or off, got true"],
    [{ header: [["a", "\x01"]] }, "header must be a header as name:value"],
    [{ socket: "s", host: "x" }, "socket and host exclude each other"],
    [{ socketMode: 0o600 }, "socketMode needs socket, or listen unix:path"],
    [{ sslKey: "k" }, "sslKey needs sslCert: give both or neither"],
    [{ socket: "s", sslKey: "k", sslCert: "c" }, "sslCert does not go with socket"],
    [
      { writeHighWatermarkBytes: 10, writeLowWatermarkBytes: 11 },
      "writeLowWatermarkBytes (11) must not be above writeHighWatermarkBytes (10)",
    ],
    [{ maxSendBufferBytes: 10 }, "maxSendBufferBytes (10) must not be below writeHighWatermarkBytes (65536)"],
    [{ logger: { debug() {}, info() {} } }, "logger must have the methods debug, info, warn and error, it lacks warn, error"],
    [{ engine: "fast" }, 'engine must be auto, deno or node, got "fast"'],
    [{ listen: "x:1" }, "listen must be host:port, [v6]:port, :port, unix:path or fd:N"],
    [
      { proxyProtocol: true },
      "proxyProtocol needs forwardedAllowIps: a PROXY header counts only where it comes from a proxy that is named",
    ],
    [{ listen: ["[::1]:1,proxy"] }, "listen [::1]:1,proxy needs forwardedAllowIps"],
    [{ listen: [] }, "listen must have at least one address"],
    [{ listen: ["localhost:80"], port: 80 }, "listen and port exclude each other: give all addresses with listen"],
    [{ rootPath: "/a/" }, "rootPath must be empty, or a path"],
    [{ accessLogFormat: "%Z" }, 'Unknown access log format atom "%Z"'],
  ];
  for (const [options, message] of wrong) assertThrows(() => settle({ env: "x", ...options }), StartupError, message);
});
