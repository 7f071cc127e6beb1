/** Rows of the checklist: a handshake that is refused, by a close, a denial response or a failed app. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { WebSocketApp } from "../../../src/spec/app.ts";
import { loose, outcomeOf, socketProbe } from "../probe.ts";
import { Refused, type Reply } from "../reply.ts";
import { row } from "../suite.ts";
import type { Running, Target } from "../target.ts";
import { settle } from "../waiting.ts";

const REFUSED = "the handshake was refused";

/** The answer to a handshake that is refused. */
async function refusal(server: Running): Promise<Reply> {
  return (await assertRejects(() => server.websocket(), Refused)).reply;
}

/** Starts a handler, shakes hands in vain, and gives the answer and what the handler gave. */
async function refused<T>(target: Target, handler: (...args: Parameters<WebSocketApp>) => Promise<T>): Promise<{ reply: Reply; given: T }> {
  const { app, outcome } = socketProbe(handler);
  await using server = await target.start(app);
  const reply = await refusal(server);
  return { reply, given: await outcome() };
}

row("WS-049", "A close before the accept is answered 403 with a short text", {}, async (target) => {
  const { reply } = await refused(target, (_scope, _receive, send) => send({ type: "websocket.close", code: 4000, reason: "private" }));
  assertEquals([reply.status, reply.get("content-type"), reply.get("content-length")], [
    403,
    "text/plain; charset=utf-8",
    String(reply.body.byteLength),
  ]);
  assert(reply.text.length > 0 && !reply.text.includes("private"), reply.text);
});

row("WS-050", "An accept after a refusal rejects (StateError) and writes nothing; other sends are ignored", {}, async (target) => {
  const { reply, given } = await refused(target, async (_scope, _receive, send) => {
    await send({ type: "websocket.close" });
    return [
      await outcomeOf(send({ type: "websocket.accept" })),
      await outcomeOf(send({ type: "websocket.send", text: "x" })),
      await outcomeOf(send({ type: "websocket.close" })),
    ];
  });
  assertEquals(reply.status, 403);
  assertEquals(given, [`StateError: Cannot send "websocket.accept": ${REFUSED}`, "resolved", "resolved"]);
});

row("WS-056", "An app that throws before the accept is answered 500, logged", {}, async (target) => {
  const { app } = socketProbe(() => Promise.reject(new Error("the app broke")));
  await using server = await target.start(app);
  assertEquals((await refusal(server)).status, 500);
  const note = await server.noted(/^The app failed$/);
  assert(note.level === "error" && String(note.fields.error).includes("the app broke"));
});

row("WS-057", "An app that returns without an answer is answered 500, logged", {}, async (target) => {
  const { app } = socketProbe(() => Promise.resolve());
  await using server = await target.start(app);
  assertEquals((await refusal(server)).status, 500);
  assertEquals((await server.noted(/without answering the handshake/)).level, "error");
});

row("WS-065", "A denial is that response: not 101, not 403", {}, async (target) => {
  const { reply } = await refused(target, async (_scope, _receive, send) => {
    await send({
      type: "websocket.http.response.start",
      status: 401,
      headers: [["www-authenticate", "Basic"], ["x-a", "1"], ["x-a", "2"]],
    });
    await send({ type: "websocket.http.response.body", body: "é no" });
  });
  assertEquals([reply.status, reply.get("www-authenticate"), reply.all("x-a").join(), reply.text], [401, "Basic", "1,2", "é no"]);
});

row("WS-066", "The body of a denial goes on until more is 0", {}, async (target) => {
  const { reply } = await refused(target, async (_scope, _receive, send) => {
    await send({ type: "websocket.http.response.start", status: 429, headers: [["content-type", "text/plain"]] });
    await send({ type: "websocket.http.response.body", body: "not ", more: 1 });
    await send({ type: "websocket.http.response.body", body: new TextEncoder().encode("so "), more: true });
    await send({ type: "websocket.http.response.body", body: "fast" });
  });
  assertEquals([reply.status, reply.text, reply.cut], [429, "not so fast", false]);
});

row("WS-067", "No disconnect is told after a denial or a 403", {}, async (target) => {
  for (const denies of [true, false]) {
    const { given } = await refused(target, async (_scope, receive, send) => {
      await receive();
      if (denies) {
        await send({ type: "websocket.http.response.start", status: 401 });
        await send({ type: "websocket.http.response.body" });
      } else await send({ type: "websocket.close" });
      const next = receive().then(({ type }) => type);
      return await Promise.race([next, settle(100).then(() => "nothing")]);
    });
    assertEquals(given, "nothing");
  }
});

row("WS-068", "Denial events after the accept are ignored", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    const outcomes = [
      await outcomeOf(send({ type: "websocket.http.response.start", status: 500 })),
      await outcomeOf(send({ type: "websocket.http.response.body", body: "no" })),
    ];
    await send({ type: "websocket.send", text: "open" });
    return outcomes;
  });
  await using server = await target.start(app);
  assertEquals(await (await server.websocket()).receive(), "open");
  assertEquals(await outcome(), ["resolved", "resolved"]);
});

row("WS-069", "A denial gets content-length and date; a missing status or a bad header rejects, and a good start may follow", {}, async (
  target,
) => {
  const { reply, given } = await refused(target, async (_scope, _receive, send) => {
    const start = { type: "websocket.http.response.start" };
    const outcomes = [
      await outcomeOf(loose(send)(start)),
      await outcomeOf(loose(send)({ ...start, status: 403, headers: [["x-a", "b\r\nx-evil: 1"]] })),
      await outcomeOf(loose(send)({ ...start, status: "403" })),
    ];
    await send({ type: "websocket.http.response.start", status: 403 });
    await send({ type: "websocket.http.response.body", body: "mine" });
    return outcomes;
  });
  assertEquals([reply.status, reply.text, reply.get("content-length"), reply.get("x-evil")], [403, "mine", "4", null]);
  assert(reply.get("date") !== null);
  for (const text of given) assertMatch(text, /^EventError: Cannot send "websocket\.http\.response\.start": (status|headers) /);
});

row("WS-070", "A denial that the app leaves unfinished is a 500 where nothing has left", {}, async (target) => {
  const { app } = socketProbe((_scope, _receive, send) => send({ type: "websocket.http.response.start", status: 401 }));
  await using server = await target.start(app);
  assertEquals((await refusal(server)).status, 500);
  assertEquals((await server.noted(/before its denial was complete/)).level, "error");
});

row("WS-070", "A denial that the app leaves inside its body is cut", {}, async (target) => {
  const { app } = socketProbe(async (_scope, _receive, send) => {
    await send({ type: "websocket.http.response.start", status: 401 });
    await send({ type: "websocket.http.response.body", body: "part", more: 1 });
    await settle();
  });
  await using server = await target.start(app);
  assertMatch(await outcomeOf(server.websocket()), /^(Cut|Refused): /);
  assertEquals((await server.ended()).end.reason, "server_error");
});

row("WS-071", "Wrong orders of a denial reject (StateError; the reference ignores them or takes the last)", {}, async (target) => {
  const { reply, given } = await refused(target, async (_scope, _receive, send) => {
    const start = { type: "websocket.http.response.start" as const, status: 451 };
    const body = { type: "websocket.http.response.body" as const, body: "x" };
    const outcomes = [await outcomeOf(send(body))];
    await send(start);
    outcomes.push(await outcomeOf(send(start)));
    outcomes.push(await outcomeOf(send({ type: "websocket.accept" })));
    outcomes.push(await outcomeOf(send({ type: "websocket.close" })));
    await send(body);
    outcomes.push(await outcomeOf(send(body)), await outcomeOf(send(start)));
    return outcomes;
  });
  assertEquals([reply.status, reply.text], [451, "x"]);
  const started = "the denial response has started";
  assertEquals(given.map((text) => text.replace(/^StateError: Cannot send ".*": /, "")), [
    "the denial response has not started",
    started,
    started,
    started,
    REFUSED,
    REFUSED,
  ]);
});
