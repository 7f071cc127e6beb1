/** What proxies may say of a request, and what a client may not. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Pairs, RequestHead } from "../../src/exchange.ts";
import { PeerError } from "../../src/spec/errors.ts";
import { onceEach, withForwarded } from "../../src/wire/forwarded.ts";

/** Proxies of ours: 10.x.x.x, fd00::x, and the peers of Unix sockets. */
const ours = (address: string | null) => address === null || /^(?:::ffff:)?10\.|^fd00:/.test(address);
const everybody = () => true;
const NOT_REPORTED = (problem: string) => assert(false, problem);

const HEAD: RequestHead = {
  kind: "http",
  id: 1,
  httpVersion: "1.1",
  method: "GET",
  scheme: "http",
  rawPath: "/",
  path: "/",
  query: "",
  rootPath: "",
  headers: [],
  client: ["10.0.0.1", 4000],
  server: ["10.0.0.9", 80],
  body: "none",
  capabilities: [],
};

interface Row {
  readonly name: string;
  /** Behind `Host: inner`. */
  readonly headers: Pairs;
  readonly peer?: string | null;
  readonly rootPath?: string;
  readonly trusts?: typeof ours;
  /** What differs from the head as it came. */
  readonly gives?: { client?: readonly [string, number]; scheme?: string; host?: string; rootPath?: string };
  /** Words of the one report. */
  readonly reports?: RegExp;
}

const xff = (...values: string[]): Pairs => values.map((value) => ["x-forwarded-for", value]);
const forwarded = (...values: string[]): Pairs => values.map((value) => ["forwarded", value]);
const ALL: Pairs = [
  ["x-forwarded-for", "192.0.2.1"],
  ["x-forwarded-proto", "https"],
  ["x-forwarded-host", "example.org"],
  ["x-forwarded-prefix", "/api"],
];
const ALL_GIVEN = { client: ["192.0.2.1", 0], scheme: "https", host: "example.org", rootPath: "/api" } as const;

const ROWS: readonly Row[] = [
  { name: "nothing said", headers: [["x-forwarded", "a"], ["x-forwarded-server", "a"], ["x-real-ip", "1.1.1.1"]] },
  { name: "all of X-Forwarded-*", headers: ALL, gives: ALL_GIVEN },
  { name: "over a Unix socket", headers: ALL, peer: null, gives: ALL_GIVEN },
  { name: "from a peer that is not trusted", headers: [...ALL, ...forwarded("for=1.1.1.1")], peer: "192.0.2.7" },
  { name: "from nobody that is trusted", headers: ALL, trusts: () => false },
  { name: "over a Unix socket that is not trusted", headers: ALL, peer: null, trusts: (address) => address !== null },
  {
    name: "all of Forwarded",
    headers: forwarded("for=192.0.2.1;proto=https;host=example.org;by=10.0.0.1"),
    gives: { client: ["192.0.2.1", 0], scheme: "https", host: "example.org" },
  },

  // The walk over X-Forwarded-For.
  { name: "the rightmost address that is not trusted", headers: xff("1.1.1.1, 192.0.2.1, 10.0.0.2"), gives: { client: ["192.0.2.1", 0] } },
  { name: "lines are joined in order", headers: xff("1.1.1.1", "192.0.2.1, 10.0.0.2", "10.0.0.3"), gives: { client: ["192.0.2.1", 0] } },
  { name: "all trusted: the leftmost", headers: xff("10.0.0.4, 10.0.0.3,10.0.0.2"), gives: { client: ["10.0.0.4", 0] } },
  { name: "everybody trusted: the leftmost", headers: xff("1.1.1.1,192.0.2.1"), trusts: everybody, gives: { client: ["1.1.1.1", 0] } },
  { name: "no blank behind a comma", headers: xff("1.1.1.1,192.0.2.1"), gives: { client: ["192.0.2.1", 0] } },
  { name: "blanks and tabs", headers: xff(" 1.1.1.1 ,\t192.0.2.1 "), gives: { client: ["192.0.2.1", 0] } },
  { name: "a port", headers: xff("192.0.2.1:4711"), gives: { client: ["192.0.2.1", 4711] } },
  { name: "IPv6", headers: xff("2001:db8::1"), gives: { client: ["2001:db8::1", 0] } },
  { name: "IPv6 in brackets", headers: xff("[2001:db8::1]"), gives: { client: ["2001:db8::1", 0] } },
  { name: "IPv6 with a port", headers: xff("[2001:db8::1]:4711, fd00::2"), gives: { client: ["2001:db8::1", 4711] } },
  { name: "IPv4-mapped", headers: xff("192.0.2.1, ::ffff:10.0.0.2"), gives: { client: ["192.0.2.1", 0] } },
  { name: "what nginx calls a Unix socket", headers: xff("192.0.2.1, unix:"), gives: { client: ["192.0.2.1", 0] } },
  { name: "unix: that is not trusted", headers: xff("192.0.2.1, unix:"), trusts: (address) => address === "10.0.0.1" },
  { name: "unknown", headers: xff("1.1.1.1, unknown") },
  { name: "unknown behind a proxy", headers: xff("1.1.1.1, unknown, 10.0.0.2"), gives: { client: ["10.0.0.2", 0] } },
  { name: "garbage ends the walk", headers: xff("1.1.1.1, garbage, 10.0.0.2"), gives: { client: ["10.0.0.2", 0] }, reports: /no address/ },
  { name: "garbage left of the client", headers: xff('", \\, 999.1.1.1, 192.0.2.1'), gives: { client: ["192.0.2.1", 0] } },
  ...["", " ", "a", "localhost", "1.2.3", "01.2.3.4", "256.1.1.1", "1.2.3.4:", "1.2.3.4:99999", "1.2.3.4:x", "[::1", "::1]", "[1.2.3.4]"]
    .map(
      (bad): Row => ({ name: `rightmost "${bad}"`, headers: xff(`1.1.1.1,${bad}`), reports: /no address/ }),
    ),
  ...[`${"1".repeat(60_000)}`, `[${":".repeat(200)}]`, "1.2.3.4%a", "<script>", "1.1.1.1 2.2.2.2", "\xff"].map(
    (bad): Row => ({ name: `rightmost ${bad.slice(0, 20)}`, headers: xff(`1.1.1.1, ${bad}`), reports: /no address/ }),
  ),

  // Proto, host, port.
  ...(["https", "wss", "HTTPS", "http, https"] as const).map((proto): Row => ({
    name: `proto ${proto}`,
    headers: [["x-forwarded-proto", proto]],
    gives: { scheme: "https" },
  })),
  { name: "the rightmost proto", headers: [["x-forwarded-proto", "https"], ["x-forwarded-proto", "http"]] },
  ...["ftp", "httpss", "https:", "", "javascript", "h".repeat(50_000)].map((bad): Row => ({
    name: `proto ${bad.slice(0, 20)}`,
    headers: [["x-forwarded-proto", bad]],
    reports: /scheme/,
  })),
  { name: "the rightmost host", headers: [["x-forwarded-host", "evil, good:81"]], gives: { host: "good:81" } },
  ...["", "a/b", "a b", "u@a", ":80", "a:99999", "a?b", "\\", "a".repeat(262), "\xe9", "<a>", "[::1", "evil,"].map((bad): Row => ({
    name: `host ${bad.slice(0, 20)}`,
    headers: [["x-forwarded-host", bad]],
    reports: /host/,
  })),
  { name: "a port", headers: [["x-forwarded-host", "good"], ["x-forwarded-port", "81"]], gives: { host: "good:81" } },
  { name: "a port alone", headers: [["x-forwarded-port", "1, 81"]], gives: { host: "inner:81" } },
  { name: "a port behind IPv6", headers: [["x-forwarded-host", "[::1]"], ["x-forwarded-port", "81"]], gives: { host: "[::1]:81" } },
  { name: "a port that the host has", headers: [["x-forwarded-host", "good:82"], ["x-forwarded-port", "81"]], gives: { host: "good:82" } },
  ...["80", "443"].map((port): Row => ({ name: `port ${port}`, headers: [["x-forwarded-port", port]] })),
  ...["", "0", "65536", "-1", "8x", "999999", "81,"].map((bad): Row => ({
    name: `port "${bad}"`,
    headers: [["x-forwarded-port", bad]],
    reports: /port/,
  })),

  // The prefix.
  { name: "a prefix before the mount point", headers: [["x-forwarded-prefix", "/a/b"]], rootPath: "/app", gives: { rootPath: "/a/b/app" } },
  { name: "a slash at its end", headers: [["x-forwarded-prefix", "/a/"]], gives: { rootPath: "/a" } },
  { name: "a slash alone", headers: [["x-forwarded-prefix", "/"]], rootPath: "/app" },
  { name: "an empty prefix", headers: [["x-forwarded-prefix", ""]] },
  {
    name: "the rightmost prefix",
    headers: [["x-forwarded-prefix", "/evil"], ["x-forwarded-prefix", "/good"]],
    gives: { rootPath: "/good" },
  },
  { name: "dots in a prefix", headers: [["x-forwarded-prefix", "/v1.2/..a/.b"]], gives: { rootPath: "/v1.2/..a/.b" } },
  ...[
    "a",
    "//evil.example",
    "/\\evil",
    "/a//b",
    "/..",
    "/a/../b",
    "/.",
    "/a?b",
    "/a#b",
    "/a%2fb",
    "/<b>",
    '/"',
    "/'",
    "/a b",
    "/\xe9",
    "//",
    `/${"a".repeat(256)}`,
  ]
    .map((bad): Row => ({
      name: `prefix ${bad.slice(0, 20)}`,
      headers: [["x-forwarded-prefix", bad]],
      rootPath: "/app",
      reports: /mount point/,
    })),

  // Forwarded.
  { name: "RFC 7239: the client of two elements", headers: forwarded("for=1.1.1.1, for=192.0.2.1"), gives: { client: ["192.0.2.1", 0] } },
  { name: "RFC 7239: case", headers: forwarded('For="[2001:db8:cafe::17]:4711"'), gives: { client: ["2001:db8:cafe::17", 4711] } },
  { name: "RFC 7239: an obfuscated port", headers: forwarded('for="192.0.2.1:_p"'), gives: { client: ["192.0.2.1", 0] } },
  { name: "RFC 7239: obfuscated", headers: forwarded("for=1.1.1.1, for=_gazonk") },
  { name: "RFC 7239: unknown", headers: forwarded('for=1.1.1.1, for="unknown:80";proto=https'), gives: { scheme: "https" } },
  {
    name: "RFC 7239: empty pairs",
    headers: forwarded(";for=192.0.2.1;;proto=https;"),
    gives: { client: ["192.0.2.1", 0], scheme: "https" },
  },
  { name: "RFC 7239: other parameters", headers: forwarded('secret="a,b;for=1";for=192.0.2.1;x=y'), gives: { client: ["192.0.2.1", 0] } },
  { name: "RFC 7239: escapes", headers: forwarded('for="192.\\0.2.1";host="a\\:81"'), gives: { client: ["192.0.2.1", 0], host: "a:81" } },
  { name: "unquoted IPv6 and port", headers: forwarded("for=2001:db8::1, for=[fd00::1]:80"), gives: { client: ["2001:db8::1", 0] } },
  {
    name: "an element is one proxy's: the outermost trusted one knows",
    headers: forwarded("for=1.1.1.1;proto=http;host=evil, for=192.0.2.1;proto=https;host=good", "for=10.0.0.2;proto=http;host=inner2"),
    gives: { client: ["192.0.2.1", 0], scheme: "https", host: "good" },
  },
  {
    name: "what it does not say, the next one does",
    headers: forwarded("for=1.1.1.1;proto=http, for=192.0.2.1, for=10.0.0.2;proto=https"),
    gives: { client: ["192.0.2.1", 0], scheme: "https" },
  },
  { name: "an element without a peer ends the walk", headers: forwarded("for=1.1.1.1, proto=https"), gives: { scheme: "https" } },
  {
    name: "a quote that the client leaves open",
    headers: forwarded('for="1.1.1.1, for=192.0.2.1;proto=https'),
    gives: { client: ["192.0.2.1", 0], scheme: "https" },
  },
  {
    name: "a quote that the client leaves open before a quoted element",
    headers: forwarded('for=1.1.1.1, for=", for="[2001:db8::1]:1";by="10.0.0.1"'),
    gives: { client: ["2001:db8::1", 1] },
  },
  {
    name: "a backslash at the end of the client's",
    headers: forwarded('for="a\\, for="[2001:db8::1]"'),
    gives: { client: ["2001:db8::1", 0] },
  },
  {
    name: "a comma before an escaped quote",
    headers: forwarded('for=192.0.2.1;x="a, for=1.1.1.1;y=\\"b"'),
    gives: { client: ["192.0.2.1", 0] },
  },
  { name: "commas and quotes in quotes", headers: forwarded('for=192.0.2.1;x="a\\", for=1.1.1.1"'), gives: { client: ["192.0.2.1", 0] } },
  ...[
    ...[
      "",
      ",",
      ";",
      "for",
      "for=",
      "for=a b",
      "=a",
      'for="a',
      'for="a"b',
      "for=1.1.1.1;for=2.2.2.2",
      "for =1.1.1.1",
      "for=1.1.1.1;proto=http;Proto=https",
    ],
    ...[
      'for="1.1.1.1\\"',
      'for=1.1.1.1"',
      "for=<a>",
      `for=1.1.1.1;x=${"a".repeat(2048)}`,
      `for="${"\\".repeat(9001)}`,
      "for=1.1.1.1 proto=https",
      "\xff=a",
    ],
  ].map((bad): Row => ({ name: `Forwarded ${bad.slice(0, 30)}`, headers: forwarded(`for=1.1.1.1, ${bad}`), reports: /malformed/ })),
  ...["a", "999.1.1.1", "[::1", "1.1.1.1:99999", '""', '"[1.1.1.1]"'].map((bad): Row => ({
    name: `Forwarded for ${bad}`,
    headers: forwarded(`for=2.2.2.2, for=${bad};proto=https`),
    gives: { scheme: "https" },
    reports: /peer/,
  })),

  // Both kinds.
  {
    name: "both agree",
    headers: [
      ...xff("192.0.2.1:81"),
      ["x-forwarded-proto", "https"],
      ["x-forwarded-host", "good"],
      ...forwarded("for=192.0.2.1;proto=https;host=good"),
    ],
    gives: { client: ["192.0.2.1", 0], scheme: "https", host: "good" },
  },
  {
    name: "both agree, one names a host: it may be the client's",
    headers: [...xff("192.0.2.1"), ...forwarded("for=192.0.2.1;host=evil")],
    gives: { client: ["192.0.2.1", 0] },
  },
  {
    name: "a prefix beside Forwarded",
    headers: [...forwarded("for=192.0.2.1"), ["x-forwarded-prefix", "/a"]],
    gives: { client: ["192.0.2.1", 0], rootPath: "/a" },
  },
];

for (const { name, headers, peer = "10.0.0.1", rootPath = "", trusts = ours, gives = {}, reports } of ROWS) {
  Deno.test(`withForwarded(): ${name}`, () => {
    const { client: _client, ...local } = HEAD;
    const head: RequestHead = {
      ...local,
      ...(peer === null ? {} : { client: [peer, 4000] }),
      rootPath,
      headers: [["host", "inner"], ["accept", "*/*"], ...headers],
    };
    const before = structuredClone(head);
    const problems: string[] = [];
    const after = withForwarded(head, trusts, (problem) => problems.push(problem));
    assertEquals(head, before, "the head itself stays");
    const { host = "inner", client, ...changed } = gives;
    assertEquals(after, {
      ...head,
      ...changed as { scheme?: "https"; rootPath?: string },
      ...(client === undefined ? {} : { client }),
      headers: [["host", host], ["accept", "*/*"], ...headers],
    });
    if (reports === undefined) assertEquals(problems, []);
    else assert(problems.length === 1 && reports.test(problems[0]!), `${problems}`);
  });
}

const DISAGREEING: readonly (readonly [string, Pairs])[] = [
  ["another client", [...xff("192.0.2.1"), ...forwarded("for=192.0.2.2")]],
  ["a client in one of them", [...xff("192.0.2.1"), ...forwarded("proto=http")]],
  ["a malformed Forwarded", [...xff("192.0.2.1"), ...forwarded("x")]],
  ["an empty Forwarded", [...xff("192.0.2.1"), ...forwarded("")]],
  ["another scheme", [...xff("192.0.2.1"), ["x-forwarded-proto", "http"], ...forwarded("for=192.0.2.1;proto=https")]],
  ["a scheme in one of them", [...xff("192.0.2.1"), ...forwarded("for=192.0.2.1;proto=https")]],
  ["another host", [...xff("192.0.2.1"), ["x-forwarded-host", "a"], ...forwarded("for=192.0.2.1;host=b")]],
];
for (const [name, headers] of DISAGREEING) {
  Deno.test(`withForwarded() answers 400 where the two kinds disagree: ${name}`, () => {
    const error = assertThrows(() => withForwarded({ ...HEAD, headers }, ours, () => {}), PeerError);
    assertEquals([error.status, error.reason], [400, "protocol_error"]);
    assertEquals(withForwarded({ ...HEAD, client: ["192.0.2.9", 1], headers }, ours, NOT_REPORTED).headers, headers, "not from a stranger");
  });
}

Deno.test("withForwarded() gives a Host to a request that has none, and gives the head itself where nothing was said", () => {
  assertEquals(withForwarded({ ...HEAD, headers: [["x-forwarded-host", "a"]] }, ours, NOT_REPORTED).headers.at(-1), ["host", "a"]);
  assertEquals(withForwarded({ ...HEAD, headers: [["x-forwarded-port", "81"]] }, ours, NOT_REPORTED).headers.length, 1);
  assert(withForwarded(HEAD, ours, NOT_REPORTED) === HEAD);
});

Deno.test("withForwarded() walks over a hundred proxies and no more", () => {
  const list = (count: number) => xff(`192.0.2.1${", 10.0.0.2".repeat(count)}`);
  assertEquals(withForwarded({ ...HEAD, headers: list(99) }, ours, NOT_REPORTED).client, ["192.0.2.1", 0]);
  assertEquals(withForwarded({ ...HEAD, headers: list(100) }, ours, NOT_REPORTED).client, ["10.0.0.2", 0]);
});

Deno.test("onceEach() warns of a problem once", () => {
  const notes: string[] = [];
  const report = onceEach((level, problem) => notes.push(`${level} ${problem}`));
  for (const problem of ["a", "b", "a", "a"]) report(problem);
  assertEquals(notes, ["warn a", "warn b", "debug a", "debug a"]);
});
