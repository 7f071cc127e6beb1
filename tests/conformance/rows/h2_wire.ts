/** HTTP/2 where the engine sees its frames: codes of resets, limits, floods, and what is finished before the end. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, readBody, scopes, text } from "../apps.ts";
import { FLAG, FRAME, type Frame, frame, FrameConnection, GET, literal, settingsOf } from "../h2_frames.ts";
import { H2Peer } from "../h2_peer.ts";
import { join } from "../reply.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";

const WIRE = { wire: true } as const;
const SET = { wire: true, needs: ["target-limits"] } as const;
const WHOLE = FLAG.endHeaders | FLAG.endStream;

/** RFC 9113 section 7. */
const CODE = { none: 0, protocol: 1, internal: 2, refused: 7, cancel: 8, calm: 11 } as const;

/** The code of a RST_STREAM, or of a GOAWAY. */
const codeOf = ({ type, payload }: Frame) => new DataView(payload.slice().buffer).getUint32(type === FRAME.goaway ? 4 : 0);

row("H2-020", "with INTERNAL_ERROR", WIRE, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "hello", more: 1 });
    await settle(10);
    throw new Error("oops");
  }));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  const reset = await client.until(({ type }) => type === FRAME.reset);
  assertEquals(codeOf(reset!), CODE.internal);
});

row("H2-020", "a body shorter than its declared length is reset too, never ended", WIRE, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["content-length", "10"]] });
    await send({ type: "http.response.body", body: "hello", more: 1 });
  }));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  let ended = false;
  const reset = await client.until(({ type, flags, stream }) => {
    if (stream === 1 && type === FRAME.data && (flags & FLAG.endStream) === 1) ended = true;
    return type === FRAME.reset;
  });
  assertEquals([reset !== null && codeOf(reset) !== CODE.none, ended], [true, false]);
});

row("H2-028", "the number of streams can be set: one more is refused, and the app is not called", SET, async (target) => {
  const gate = new Gate();
  const seen = new Mailbox<string>();
  await using server = await target.start(
    http(async (scope, _receive, send) => {
      seen.put(scope.path);
      await gate.pass();
      await answer(send);
    }),
    { wire: { maxStreams: 3 } },
  );
  const client = await FrameConnection.connect(server);
  assertEquals(settingsOf((await client.next())!.payload).get(3), 3);
  // The limit binds a client that has acknowledged it, RFC 9113 section 6.5.3.
  await client.send(FRAME.settings, FLAG.ack, 0);
  for (const stream of [1, 3, 5, 7]) await client.send(FRAME.headers, WHOLE, stream, GET);
  const refusal = await client.until(({ type, stream }) => type === FRAME.goaway || (type === FRAME.reset && stream === 7));
  assert(refusal !== null && [CODE.refused, CODE.protocol].includes(codeOf(refusal) as 1), `${refusal?.type}`);
  gate.open();
  if (refusal.type === FRAME.reset) {
    assert(await client.until(({ type, stream }) => type === FRAME.data && stream === 5) !== null);
    assertEquals(seen.waiting, 3);
  }
});

row("H2-028", "the default is 128 streams, and no push", SET, async (target) => {
  await using server = await target.start(text("ok"));
  const client = await FrameConnection.connect(server);
  const settings = settingsOf((await client.next())!.payload);
  assertEquals([settings.get(3), settings.get(2) ?? 0], [128, 0]);
});

row("H2-036", "a client that is answered 413 is told to stop sending, not that something failed", SET, async (target) => {
  await using server = await target.start(
    http(async (_scope, receive, send) => {
      await readBody(receive);
      await answer(send);
    }),
    { maxBodyBytes: 100 },
  );
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, FLAG.endHeaders, 1, POST);
  await client.send(FRAME.data, 0, 1, new Uint8Array(200));
  assert(await client.until(({ type, stream }) => type === FRAME.headers && stream === 1) !== null);
  const last = await client.until(({ type, flags, stream }) =>
    stream === 1 && (type === FRAME.reset || (type === FRAME.data && (flags & FLAG.endStream) === 1))
  );
  if (last!.type === FRAME.reset) assertEquals(codeOf(last!), CODE.none);
  await client.send(FRAME.headers, WHOLE, 3, GET);
  assert(await client.until(({ type, stream }) => type === FRAME.headers && stream === 3) !== null, "other streams go on");
});

/** `POST /`, http, authority `test`. */
const POST = new Uint8Array([0x83, ...GET.subarray(1)]);

row("H2-046", "streams that are under way are finished, and no new one is taken", WIRE, async (target) => {
  const began = new Gate();
  const gate = new Gate();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "first ", more: 1 });
    began.open();
    await gate.pass();
    await send({ type: "http.response.body", body: "last" });
  }));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  await began.pass();
  const stopped = server.stop(3000);
  // A server may wait for the answer to a PING before it says its last GOAWAY.
  const answers = ({ type, flags, payload }: Frame) => {
    if (type === FRAME.ping && (flags & FLAG.ack) === 0) void client.send(FRAME.ping, FLAG.ack, 0, payload);
  };
  const goaway = await client.until(({ type }) => type === FRAME.goaway);
  assertEquals(codeOf(goaway!), CODE.none);
  gate.open();
  let body = "";
  const last = await client.until((frame) => {
    answers(frame);
    const { type, flags, payload } = frame;
    if (type === FRAME.data) body += new TextDecoder().decode(payload);
    return type === FRAME.data && (flags & FLAG.endStream) === 1;
  });
  assertEquals([last !== null, body.endsWith("last")], [true, true]);
  assertEquals(
    await client.until((frame) => {
      answers(frame);
      return false;
    }),
    null,
  );
  await stopped;
});

/** What a client may send too much of, RFC 9113 section 10.5. */
const FLOODS: readonly [what: string, frames: () => Uint8Array[]][] = [
  ["PING", () => Array.from({ length: 20_000 }, () => frame(FRAME.ping, 0, 0, new Uint8Array(8)))],
  ["SETTINGS", () => Array.from({ length: 20_000 }, () => frame(FRAME.settings, 0, 0))],
  ["empty DATA", () => [
    frame(FRAME.headers, FLAG.endHeaders, 1, POST),
    ...Array.from({ length: 20_000 }, () => frame(FRAME.data, 0, 1)),
  ]],
  ["CONTINUATION", () => [
    frame(FRAME.headers, 0, 1, GET),
    ...Array.from({ length: 20_000 }, (_, index) => frame(FRAME.continuation, 0, 1, literal(`x-${index}`, "v".repeat(100)))),
  ]],
];

for (const [what, frames] of FLOODS) {
  row("SEC-008", `A flood of ${what} frames ends its connection, and others are served`, {
    wire: true,
    needs: ["target-limits"],
  }, async (target) => {
    const { app, seen } = scopes();
    await using server = await target.start(app);
    const client = await FrameConnection.connect(server);
    // Nothing is read meanwhile, so that answers pile up.
    const sending = client.sendAll(frames()).catch(() => {});
    const goaway = await client.until(({ type }) => type === FRAME.goaway);
    if (goaway !== null) assert(codeOf(goaway) !== CODE.none, `${codeOf(goaway)}`);
    assertEquals(await client.until(() => false), null);
    client.close();
    await sending;
    await using peer = await H2Peer.connect(server);
    assertEquals((await peer.request()).text, "ok");
    assert(seen.waiting <= 2);
  });
}

row("H2-032", "many that say it one after the other leave the server as it was", WIRE, async (target) => {
  await using server = await target.start(text("x".repeat(100_000)));
  for (let count = 0; count < 50; count++) {
    await using peer = await H2Peer.connect(server);
    assertEquals((await peer.request()).body.byteLength, 100_000);
  }
  assertEquals((await server.request()).status, 200);
});

row("H2-031", "PRIORITY and unknown frames mean nothing", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  const client = await FrameConnection.connect(server);
  await client.send(2, 0, 1, new Uint8Array([0, 0, 0, 0, 16]));
  await client.send(0xbe, 0, 0, new Uint8Array(10));
  await client.send(FRAME.headers, WHOLE, 1, GET);
  assert(await client.until(({ type, flags }) => type === FRAME.data && (flags & FLAG.endStream) === 1) !== null);
});

/** Requests whose head RFC 9113 section 8 forbids. */
const MALFORMED: readonly [what: string, lines: readonly (readonly [string, string])[]][] = [
  ["no :path", [[":method", "GET"], [":scheme", "http"], [":authority", "a"]]],
  ["an empty :path", [[":method", "GET"], [":scheme", "http"], [":path", ""], [":authority", "a"]]],
  ["a name in upper case", [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a"], ["X-A", "1"]]],
  ["a connection header", [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a"], ["connection", "close"]]],
  ["a pseudo header behind others", [[":method", "GET"], [":scheme", "http"], [":path", "/"], ["x-a", "1"], [":authority", "a"]]],
  ["a pseudo header twice", [[":method", "GET"], [":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a"]]],
  ["an unknown pseudo header", [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a"], [":x", "1"]]],
  ["a TE other than trailers", [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a"], ["te", "gzip"]]],
];

row("SEC-001", "A header of an HTTP/2 request whose value has a line end or a NUL never reaches the app", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const value of ["a\nb: c", "a\rb", "a\0b"]) {
    const client = await FrameConnection.connect(server);
    const lines = [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a"], ["x-a", value]] as const;
    await client.send(FRAME.headers, WHOLE, 1, join(lines.map(([name, value]) => literal(name, value))));
    assert(await client.until(({ type, stream }) => type === FRAME.goaway || (stream === 1 && type !== FRAME.window)) !== null);
    if (seen.waiting > 0) assertEquals((await seen.take()).headers.some(([name]) => name === "x-a"), false);
    client.close();
  }
});

row("H2-004", "A malformed head is refused: 400 or a reset, and the app is not called", SET, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const [what, lines] of MALFORMED) {
    const client = await FrameConnection.connect(server);
    await client.send(FRAME.headers, WHOLE, 1, join(lines.map(([name, value]) => literal(name, value))));
    const refusal = await client.until(({ type, stream }) =>
      type === FRAME.goaway || (stream === 1 && (type === FRAME.reset || type === FRAME.headers))
    );
    assert(refusal !== null, what);
    // An answer with status 400 stands in the static table as 12.
    if (refusal.type === FRAME.headers) assertEquals(refusal.payload[0], 0x8c, what);
    assertEquals(seen.waiting, 0, what);
    client.close();
  }
});
