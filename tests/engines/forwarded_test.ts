/** Forwarding headers through both engines, from raw bytes to the head. */
import type { Pairs } from "../../src/exchange.ts";
import type { ListenerSettings } from "../../src/engines/listener_settings.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { needs } from "../tools.ts";
import { TrustedAddresses } from "../../src/runner/trusted_addresses.ts";
import { echoHead, listener, LOCAL, RawClient, run, type Running, start, startNode, type Tap } from "./engine_peer.ts";

const trust = (...given: string[]) => TrustedAddresses.parse(given, "test");

const FORWARDED = "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-For: 192.0.2.1:4711\r\nX-Forwarded-Proto: https\r\n" +
  "X-Forwarded-Host: example.org\r\nX-Forwarded-Prefix: /api\r\n";

/** What both are told. */
interface Told {
  trust?: TrustedAddresses;
  rootPath?: string;
  listeners?: readonly ListenerSettings[];
}
type Start = (session: (tap: Tap) => void, settings: Told) => Promise<Running>;

const ENGINES: readonly (readonly [string, Start])[] = [["deno", start], ["node", startNode]];

/** Deno joins the values of a name, the other engine keeps the lines. */
function joined(headers: Pairs): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of headers) all[name] = name in all ? `${all[name]}, ${value}` : value;
  return all;
}

for (const [engine, begin] of ENGINES) {
  Deno.test(`engine ${engine} believes a trusted peer, and hands its headers on`, async () => {
    await using server = await begin(echoHead, { trust: trust("127.0.0.0/8"), rootPath: "/app" });
    using client = await RawClient.connect(server.port);
    await client.send(`GET /a HTTP/1.1\r\nHost: inner\r\n${FORWARDED}\r\n`);
    assertEquals((await client.response()).body, "GET /a?");
    const { head } = server.taps[0]!;
    assertEquals([head.client, head.scheme, head.rootPath, head.path], [["192.0.2.1", 4711], "https", "/api/app", "/a"]);
    assertEquals(joined(head.headers), {
      host: "example.org",
      "x-forwarded-for": "10.0.0.9, 192.0.2.1:4711",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "example.org",
      "x-forwarded-prefix": "/api",
    });
    assertEquals(head.headers.filter(([name]) => name === "host").length, 1);
    assertEquals(head.server, ["127.0.0.1", server.port]);
    assert(head === server.opened[0] && head === server.finished[0]!.head, "the log shows the same client");
    assertEquals(server.notes, []);
  });

  for (const given of [[], ["192.0.2.0/24"], ["::1", "unix"]]) {
    Deno.test(`engine ${engine} does not believe a peer that is not trusted: ${given.join() || "no option"}`, async () => {
      await using server = await begin(echoHead, given.length === 0 ? {} : { trust: trust(...given) });
      using client = await RawClient.connect(server.port);
      await client.send(`GET /a HTTP/1.1\r\nHost: inner\r\n${FORWARDED}Forwarded: for=1.1.1.1\r\n\r\n`);
      assertEquals((await client.response()).status, 200);
      const { head } = server.taps[0]!;
      const { port } = client.connection.localAddr as Deno.NetAddr;
      assertEquals([head.client, head.scheme, head.rootPath], [["127.0.0.1", port], "http", ""]);
      assertEquals(joined(head.headers).host, "inner");
    });
  }

  Deno.test(`engine ${engine} believes the peer of a Unix socket, where that is trusted`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      for (const [given, client] of [["unix", ["192.0.2.1", 4711]], ["127.0.0.1", undefined]] as const) {
        const path = `${dir}/${given}.sock`;
        await using server = await begin(echoHead, { trust: trust(given), listeners: [listener({ kind: "unix", path, mode: 0o600 })] });
        using peer = await RawClient.connect(path);
        await peer.send(`GET /a HTTP/1.1\r\nHost: inner\r\n${FORWARDED}\r\n`);
        assertEquals((await peer.response()).status, 200);
        const { head } = server.taps[0]!;
        assertEquals([head.client, head.server, "client" in head], [client, [path, null], client !== undefined]);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

  Deno.test(`engine ${engine}: takes Forwarded, for a WebSocket too`, async () => {
    await using server = await begin(({ out, head }) => head.kind === "websocket" ? out.accept(null, []) : undefined, {
      trust: trust("127.0.0.1"),
    });
    using client = await RawClient.connect(server.port);
    await client.send(
      "GET /ws HTTP/1.1\r\nHost: inner\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nForwarded: for="9.9.9.9\r\n' +
        'Forwarded: for="[2001:db8::1]:4711";proto=wss;host="example.org:81"\r\n\r\n',
    );
    assertStringIncludes(await client.readUntil((text) => text.includes("\r\n\r\n")), "101");
    const { head } = server.taps[0]!;
    assertEquals([head.kind, head.client, head.scheme], ["websocket", ["2001:db8::1", 4711], "https"]);
    assertEquals(joined(head.headers).host, "example.org:81");
  });

  Deno.test(`engine ${engine}: answers 400 where the two kinds disagree, and warns once`, async () => {
    await using server = await begin(echoHead, { trust: trust("127.0.0.1") });
    for (const [forwarded, status] of [["10.0.0.1", 400], ["10.0.0.2", 400], ["192.0.2.1", 200]] as const) {
      using client = await RawClient.connect(server.port);
      await client.send(`GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nForwarded: for=${forwarded}\r\n\r\n`);
      assertEquals((await client.response()).status, status);
    }
    assertEquals(server.finished.map(({ status, end }) => [status, end.reason]), [[400, "protocol_error"], [400, "protocol_error"], [
      200,
      null,
    ]]);
    assertEquals(server.notes.map((note) => note.split(",")[0]), [
      "warn: Forwarded and X-Forwarded-* disagree",
      "debug: Forwarded and X-Forwarded-* disagree",
    ]);
  });

  Deno.test(needs("curl", `engine ${engine}: the forwarded host takes the place of :authority over HTTP/2`), async () => {
    await using server = await begin(echoHead, { trust: trust("127.0.0.1") });
    const url = `http://127.0.0.1:${server.port}/a`;
    const { out } = await run("curl", [
      "-s",
      "--http2-prior-knowledge",
      "-H",
      "x-forwarded-host: example.org",
      "-H",
      "x-forwarded-for: 192.0.2.1",
      url,
    ]);
    assertEquals(out, "GET /a?");
    const { head } = server.taps[0]!;
    assertEquals([head.httpVersion, head.client], ["2", ["192.0.2.1", 0]]);
    assertEquals(head.headers.filter(([name]) => name === "host"), [["host", "example.org"]]);
  });
}

Deno.test("the peer that a PROXY header names is the one that is trusted, or not", async () => {
  const listeners = [{ ...listener(LOCAL), proxyProtocol: true }];
  for (const [named, client] of [["192.0.2.7", ["192.0.2.7", 81]], ["10.0.0.7", ["192.0.2.1", 4711]]] as const) {
    await using server = await startNode(echoHead, { trust: trust("127.0.0.1,10.0.0.0/8"), listeners });
    using peer = await RawClient.connect(server.port);
    await peer.send(`PROXY TCP4 ${named} 10.0.0.8 81 80\r\nGET /a HTTP/1.1\r\nHost: inner\r\n${FORWARDED}\r\n`);
    assertEquals((await peer.response()).status, 200);
    assertEquals(server.taps[0]!.head.client, client as readonly [string, number]);
  }
});
