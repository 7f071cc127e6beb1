/**
 * The PROXY protocol at the gate of the `node` engine: who is believed, what is handed over, before TLS too.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { certificate } from "../conformance/certificate.ts";
import { within } from "../conformance/waiting.ts";
import { needs } from "../tools.ts";
import { EchoGate, hear, listener, say, tls, trust } from "./gate_keeper.ts";

const LOCALHOST = trust("127.0.0.1");
const LINE = "PROXY TCP4 192.0.2.7 192.0.2.8 1234 443\r\n";
const SIGNATURE = "\r\n\r\n\x00\r\nQUIT\n";

Deno.test("PROXY: the client and the server are those of the header", async () => {
  await using echo = await EchoGate.open([listener({ proxyProtocol: true })], {}, LOCALHOST);
  const binary = `${SIGNATURE}\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x08\x04\xd2\x01\xbb`;
  for (const header of [LINE, binary]) {
    for (const pieces of [[`${header}GET`], [header, "GET"], [...header, "GET"]]) {
      using client = await echo.connect();
      client.setNoDelay(true);
      for (const piece of pieces) {
        await say(client, piece);
        await new Promise((resolve) => setTimeout(resolve));
      }
      const { client: peer, server, protocol } = await echo.connections.take();
      assertEquals([peer, server, protocol], [["192.0.2.7", 1234], ["192.0.2.8", 443], "http1"]);
      assertEquals(await hear(client, 3), "GET");
    }
  }
});

Deno.test("PROXY: a proxy that speaks for itself, or does not know, leaves the addresses of the socket", async () => {
  await using echo = await EchoGate.open([listener({ proxyProtocol: true })], {}, LOCALHOST);
  for (const header of ["PROXY UNKNOWN\r\n", `${SIGNATURE}\x20\x00\x00\x00`]) {
    using client = await echo.connect();
    await say(client, `${header}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`);
    const { client: peer, server, protocol } = await echo.connections.take();
    assertEquals([peer, server], [["127.0.0.1", (client.localAddr as Deno.NetAddr).port], ["127.0.0.1", echo.port()]]);
    assertEquals(protocol, "http2");
  }
});

Deno.test("PROXY: a connection without a header, with a broken one or none in time is closed", async () => {
  await using echo = await EchoGate.open([listener({ proxyProtocol: true })], { headerTimeoutMs: 100 }, LOCALHOST);
  for (const text of ["GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 1 2 3 4\r\n", `${SIGNATURE}\x21\x11\xff\xff`, "PROXY TCP4 1.2.3.4", ""]) {
    using client = await echo.connect();
    await say(client, text);
    assertEquals(await within(hear(client), "the end"), "");
    await echo.opens(0);
  }
  assertEquals(echo.taken, 0);
  const { text, level } = await echo.noted(/PROXY/);
  assertEquals([text, level], ["The PROXY header is missing", "warn"]);
});

Deno.test("PROXY: a peer that is not trusted is closed, with one line a second", async () => {
  await using echo = await EchoGate.open([listener({ proxyProtocol: true })], {}, trust("192.0.2.1", null));
  for (let round = 0; round < 5; round++) {
    using client = await echo.connect();
    assertEquals(await within(hear(client), "the end"), "");
  }
  await echo.opens(0);
  assertEquals(echo.notes.map(({ text }) => text), ["127.0.0.1 is no trusted proxy"]);
});

Deno.test("PROXY: on a Unix socket the peer is trusted by name", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s`;
  {
    await using echo = await EchoGate.open([listener({ at: { kind: "unix", path, mode: 0o600 }, proxyProtocol: true })], {}, trust(null));
    using client = await Deno.connect({ transport: "unix", path });
    await say(client, `${LINE}x`);
    const { client: peer, server } = await echo.connections.take();
    assertEquals([peer, server], [["192.0.2.7", 1234], ["192.0.2.8", 443]]);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("PROXY: connections of an address are those of the header", async () => {
  await using echo = await EchoGate.open([listener({ proxyProtocol: true })], { maxConnectionsPerAddress: 1 }, LOCALHOST);
  using one = await echo.connect();
  await say(one, `${LINE}x`);
  assertEquals(await hear(one, 1), "x");
  using two = await echo.connect();
  await say(two, `${LINE}x`);
  assertEquals(await within(hear(two), "the end"), "");
  using three = await echo.connect();
  await say(three, `${LINE.replace("192.0.2.7", "192.0.2.6")}x`);
  assertEquals(await hear(three, 1), "x");
  assertMatch((await echo.noted(/closed/)).text, /^Connection of 192\.0\.2\.7 closed/);
});

Deno.test(needs("openssl", "PROXY: the header is before TLS, in one piece with it or not"), async () => {
  const own = await certificate();
  await using echo = await EchoGate.open([listener({ proxyProtocol: true, tls: tls(own) })], {}, LOCALHOST);
  for (const isOne of [false, true]) {
    // A relay that puts the header in front: in a piece of its own, or with the first bytes of the client.
    const relay = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const relayed = (async () => {
      using inside = await relay.accept();
      using outside = await echo.connect();
      if (!isOne) await say(outside, LINE);
      const first = new Uint8Array(4096);
      const count = (await inside.read(first))!;
      await say(outside, (isOne ? LINE : "") + String.fromCharCode(...first.subarray(0, count)));
      await Promise.all([
        inside.readable.pipeTo(outside.writable, { preventClose: true }).catch(() => {}),
        outside.readable.pipeTo(inside.writable, { preventClose: true }).catch(() => {}),
      ]).catch(() => {});
    })();
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port: relay.addr.port });
    {
      using client = await Deno.startTls(tcp, { hostname: "localhost", caCerts: [own.cert], alpnProtocols: ["http/1.1"] });
      await say(client, "GET");
      const { client: peer, tls: info } = await echo.connections.take();
      assertEquals([peer, info?.server_cert], [["192.0.2.7", 1234], own.cert]);
      assertEquals(await hear(client, 3), "GET");
    }
    relay.close();
    for (const { socket } of echo.held) socket.destroy();
    await relayed.catch((error) => {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    });
  }
});

Deno.test(needs("curl", "PROXY: the header of curl"), async () => {
  await using echo = await EchoGate.open([listener({ proxyProtocol: true })], {}, LOCALHOST);
  const curl = new Deno.Command("curl", {
    args: ["-s", "--max-time", "5", "--haproxy-protocol", "--http0.9", `http://127.0.0.1:${echo.port()}/`],
  }).output();
  const { client, socket } = await echo.connections.take();
  socket.end();
  const text = new TextDecoder().decode((await curl).stdout);
  assertMatch(text, /^GET \/ HTTP\/1\.1\r\n/);
  assertEquals(client?.[0], "127.0.0.1");
});
