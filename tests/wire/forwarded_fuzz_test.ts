/** A client that writes whatever it likes into forwarding headers, behind proxies that append or replace: its words never count. */
import { assert, assertEquals } from "@std/assert";
import type { RequestHead } from "../../src/exchange.ts";
import { PeerError } from "../../src/spec/errors.ts";
import { withForwarded } from "../../src/wire/forwarded.ts";
import { generator } from "../links/doubles.ts";

type Random = (below: number) => number;
type Lines = [string, string][];

const ours = (address: string | null) => address === null || address.startsWith("10.") || address.startsWith("fd00:");

/** What a client may put together. */
const WORDS = [
  ...["10.0.0.2", "10.0.0.1", "127.0.0.1", "6.6.6.6", "fd00::6", "[fd00::6]:6", "unix:", "unknown", "_x", "::1"],
  ...[
    "for=",
    "for=6.6.6.6",
    'for="[fd00::6]"',
    "for=10.0.0.2",
    ";",
    ",",
    ", ",
    '"',
    '\\"',
    "\\",
    "=",
    " ",
    "\t",
    "proto=https",
    "proto=http",
    "host=evil",
  ],
  ...[";proto=https;host=evil", '";proto=https', "by=", "https", "evil", "/evil", "\xff", "a", 'host="', "'", "(", ")"],
];
const NAMES = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "forwarded"];

/** How a proxy adds a value: it replaces the lines, appends to the last one, or adds one. */
function write(lines: Lines, name: string, value: string, how: number): void {
  const last = lines.findLast(([other]) => other === name);
  if (how === 0) {
    remove(lines, name);
    lines.push([name, value]);
  } else if (how === 1 && last !== undefined) last[1] += `, ${value}`;
  else lines.push([name, value]);
}

function remove(lines: Lines, name: string): void {
  for (let at = lines.length - 1; at >= 0; at--) if (lines[at]![0] === name) lines.splice(at, 1);
}

function evilLines(random: Random): Lines {
  return Array.from({ length: random(8) }, () => [
    NAMES[random(NAMES.length)]!,
    Array.from({ length: random(9) }, () => WORDS[random(WORDS.length)]).join(""),
  ]);
}

const quoted = (address: string) => address.includes(":") ? `"[${address}]"` : address;

for (const kind of ["X-Forwarded-*", "Forwarded", "both"] as const) {
  Deno.test(`a client's words never count behind proxies that set ${kind}`, () => {
    let refused = 0;
    for (let seed = 1; seed <= 6000; seed++) {
      const random = generator(seed);
      const lines = evilLines(random);
      const [client, scheme, host, prefix] = [
        ["192.0.2.1", "2001:db8::1"][random(2)]!,
        ["http", "https"][random(2)]!,
        ["example.org", "example.org:81", "[2001:db8::2]"][random(3)]!,
        ["", "/a", "/a/b"][random(3)]!,
      ];
      // Behind the first, proxies hand on what it said of scheme and host, as those of X-Forwarded-* have to.
      const hops = 1 + random(3);
      let peer = client;
      // What the proxies do not set they remove, or pass on as it comes.
      const passesOther = random(2) === 0;
      for (let hop = 0; hop < hops; hop++) {
        const how = random(3);
        const outermost = hop === 0;
        if (kind !== "Forwarded") {
          write(lines, "x-forwarded-for", peer, outermost ? how : 1 + random(2));
          if (outermost) {
            write(lines, "x-forwarded-proto", scheme, how);
            write(lines, "x-forwarded-host", host, how);
          }
        }
        if (kind !== "X-Forwarded-*") {
          write(
            lines,
            "forwarded",
            `for=${quoted(peer)};proto=${outermost ? scheme : "http"};host="${outermost ? host : "inner"}"`,
            outermost ? how : 1 + random(2),
          );
        }
        if (outermost) {
          if (!passesOther) { for (const name of othersOf(kind)) remove(lines, name); }
          remove(lines, "x-forwarded-port");
          write(lines, "x-forwarded-prefix", prefix, how);
        }
        peer = random(2) === 0 ? `10.0.0.${hop + 1}` : `fd00::${hop + 1}`;
      }
      const head = headOf(peer, [["host", "inner"], ...lines]);
      const told = `seed ${seed}: ${JSON.stringify(lines)}`;
      let after: RequestHead;
      try {
        after = withForwarded(head, ours, () => {});
      } catch (error) {
        assert(error instanceof PeerError && error.status === 400, told);
        assert(passesOther && kind !== "both", `refused: ${told}`);
        refused++;
        continue;
      }
      assertEquals([after.client?.[0], after.scheme, after.rootPath], [client, scheme, prefix], told);
      const named = after.headers[0]![1];
      assert(named === host || (passesOther && named === "inner"), `${named}: ${told}`);
    }
    if (kind !== "both") assert(refused > 500, `${refused} were refused: the other kind is a client's`);
  });
}

Deno.test("a client that nobody trusts changes nothing, and nothing breaks what it writes", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const head = headOf("192.0.2.1", [["host", "inner"], ...evilLines(generator(seed))]);
    assert(withForwarded(head, ours, () => {}) === head);
    try {
      withForwarded(head, () => true, () => {});
    } catch (error) {
      assert(error instanceof PeerError, `seed ${seed}: ${error}`);
    }
  }
});

function othersOf(kind: string): string[] {
  if (kind === "both") return [];
  return kind === "Forwarded" ? ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"] : ["forwarded"];
}

function headOf(peer: string, headers: Lines): RequestHead {
  return {
    kind: "http",
    id: 1,
    httpVersion: "1.1",
    method: "GET",
    scheme: "http",
    rawPath: "/",
    path: "/",
    query: "",
    rootPath: "",
    headers,
    client: [peer, 4000],
    server: ["10.0.0.9", 80],
    body: "none",
    capabilities: [],
  };
}
