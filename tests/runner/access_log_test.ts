import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { RequestHead } from "../../src/exchange.ts";
import { AccessLog } from "../../src/runner/access_log.ts";
import { type AccessEntry, accessLogFormatter } from "../../src/runner/access_log_format.ts";
import { StartupError } from "../../src/spec/errors.ts";

const HEAD: RequestHead = {
  kind: "http",
  id: 1,
  httpVersion: "1.1",
  method: "GET",
  scheme: "http",
  rawPath: "/test/path",
  path: "/test/path",
  query: "foo=bar",
  rootPath: "",
  headers: [["referer", "http://example.com/"], ["user-agent", "TestBot/1.0"], ["x-two", "a"], ["x-two", "b"]],
  client: ["192.168.1.1", 5],
  server: ["127.0.0.1", 5000],
  body: "none",
  capabilities: [],
};

const ENTRY: AccessEntry = {
  head: HEAD,
  status: 200,
  bytes: 1234,
  end: { reason: null },
  durationMs: 123.456,
  timeMs: Date.UTC(2026, 1, 10, 12, 34, 56, 7),
};

const line = (format: string, entry: Partial<AccessEntry> = {}) => accessLogFormatter(format)({ ...ENTRY, ...entry });

Deno.test("accessLogFormatter() writes the named formats", () => {
  const start = "192.168.1.1 - - [10/Feb/2026:12:34:56 +0000]";
  assertEquals(line("clf"), `${start} "GET /test/path?foo=bar" 200 0.123s 1234`);
  assertEquals(line("combined"), `${start} "GET /test/path?foo=bar HTTP/1.1" 200 1234 "http://example.com/" "TestBot/1.0"`);
  assertEquals(line("common"), `${start} "GET /test/path?foo=bar HTTP/1.1" 200 1234`);
  assertEquals(
    line("combined", { head: { ...HEAD, query: "", headers: [] }, bytes: 0 }),
    `${start} "GET /test/path HTTP/1.1" 200 - "-" "-"`,
  );
  assertEquals(line("tiny"), "GET /test/path?foo=bar 200 123.456ms 1234");
  assertEquals(JSON.parse(line("json")), {
    time: "2026-02-10T12:34:56.007Z",
    kind: "http",
    client: "192.168.1.1",
    method: "GET",
    path: "/test/path",
    query: "foo=bar",
    protocol: "HTTP/1.1",
    status: 200,
    bytes: 1234,
    duration_ms: 123.456,
    reason: null,
    referer: "http://example.com/",
    user_agent: "TestBot/1.0",
  });
});

Deno.test("accessLogFormatter() says why an exchange ended early", () => {
  const end = { reason: "client_closed", code: 1006 };
  assertMatch(line("clf", { end }), /200 0\.123s 1234 client_closed$/);
  assertMatch(line("tiny", { end }), /1234 client_closed$/);
  assertEquals(line("%X", { end }), "client_closed");
  assertEquals([JSON.parse(line("json", { end })).reason, JSON.parse(line("json", { end })).close_code], ["client_closed", 1006]);
});

Deno.test("accessLogFormatter() writes each atom", () => {
  const { client: _, ...local } = HEAD;
  const bare = { ...local, query: "", headers: [], httpVersion: "2" as const, kind: "sse" as const };
  const expected: [string, string, string][] = [
    ["%h", "192.168.1.1", "unix"],
    ["%l%u", "--", "--"],
    ["%t", "10/Feb/2026:12:34:56 +0000", "10/Feb/2026:12:34:56 +0000"],
    ["%r", "GET /test/path?foo=bar HTTP/1.1", "GET /test/path HTTP/2"],
    ["%m %U%q", "GET /test/path?foo=bar", "GET /test/path"],
    ["%H", "HTTP/1.1", "HTTP/2"],
    ["%s", "200", "-"],
    ["%b %B", "1234 1234", "- 0"],
    ["%d %D %T", "0.123 123456 0", "2.700 2700000 2"],
    ["%X %K", "- http", "- sse"],
    ["%{User-Agent}i", "TestBot/1.0", "-"],
    ["%{x-two}i", "a, b", "-"],
    ["100%% [x]", "100% [x]", "100% [x]"],
  ];
  for (const [format, first, second] of expected) {
    assertEquals(line(format), first, format);
    assertEquals(line(format, { head: bare, status: 0, bytes: 0, durationMs: 2700 }), second, format);
  }
});

Deno.test("accessLogFormatter() builds the time once a second", () => {
  const format = accessLogFormatter("%t");
  assertEquals(format(ENTRY), "10/Feb/2026:12:34:56 +0000");
  assertEquals(format({ ...ENTRY, timeMs: ENTRY.timeMs + 992 }), "10/Feb/2026:12:34:56 +0000");
  assertEquals(format({ ...ENTRY, timeMs: ENTRY.timeMs + 993 }), "10/Feb/2026:12:34:57 +0000");
});

Deno.test("accessLogFormatter() escapes whatever a client controls", () => {
  const evil = 'a"b\\c\n\r\t\0\x7f\x85\xe9\xff';
  const escaped = "a\\x22b\\x5cc\\x0a\\x0d\\x09\\x00\\x7f\\x85\\xe9\\xff";
  const head = {
    ...HEAD,
    method: evil,
    rawPath: evil,
    query: evil,
    headers: [["user-agent", evil], ["referer", evil]] as const,
    client: [evil, 1] as const,
  };
  assertEquals(line("%m %U %q", { head }), `${escaped} ${escaped} ?${escaped}`);
  assertEquals(line("%{user-agent}i", { head }), escaped);
  for (const format of ["clf", "combined", "common", "tiny", "json"]) {
    const text = line(format, { head, end: { reason: `x-${evil}` } });
    assertMatch(text, /^[ -~]+$/);
  }
  const parsed = JSON.parse(line("json", { head }));
  assertEquals([parsed.path, parsed.user_agent, parsed.client], [evil, evil, evil]);
});

Deno.test("accessLogFormatter() refuses what it does not know", () => {
  const wrong: [string, string][] = [
    ["%Z", 'Unknown access log format atom "%Z": known are %h %l'],
    ["%e", 'Unknown access log format atom "%e"'],
    ["%>s", 'Unknown access log format atom "%>"'],
    ["%{Host", "a %{ without its }"],
    ["%{Host}x", 'Unknown access log format atom "%{Host}x"'],
    ["%{}i", 'Unknown access log format atom "%{}i"'],
    ["%h %", "ends with a lone %"],
    ["%h\n%s", "holds a control byte"],
    ["commn", 'Unknown access log format "commn"'],
    ["", 'Unknown access log format ""'],
  ];
  for (const [format, message] of wrong) assertThrows(() => accessLogFormatter(format), StartupError, message);
});

Deno.test("AccessLog.finished() writes one line for each exchange, and appends to the file", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "before\n");
  const log = AccessLog.open(path, "%m %s %B %T", (problem) => {
    throw new Error(problem);
  });
  log.opened(HEAD);
  // Two ids that share a slot.
  log.opened({ ...HEAD, id: 1025 });
  log.finished({ ...HEAD, id: 1025 }, 204, 0, { reason: null });
  log.finished(HEAD, 200, 5, { reason: null });
  await log.close();
  assertEquals(await Deno.readTextFile(path), "before\nGET 204 0 0\nGET 200 5 0\n");
  await Deno.remove(path);
});
