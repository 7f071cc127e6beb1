/** Rows of the checklist: malformed events. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { App } from "../../../src/spec/app.ts";
import { H2Peer } from "../h2_peer.ts";
import { loose, outcomeOf } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import { answered, checks, type Event, FRAMES, outcomes, type Place } from "../validating.ts";
import { Mailbox, settle } from "../waiting.ts";

const NO_LISTS: readonly [string, Event][] = ["x", {}, null, [["a"]], [["a", 1]], ["ab"]].map((headers) => ["headers", { headers }]);
const NO_STATUS: readonly [string, Event][] = [undefined, null, "200", 200.5, NaN, 99, 600, {}].map((status) => ["status", { status }]);
const withStatus = (list: readonly [string, Event][]): [string, Event][] =>
  list.map(([name, fields]) => [name, { status: 200, ...fields }]);
const NO_SECONDS: readonly [string, Event][] = [undefined, null, "30", -1, NaN, Infinity, {}].map((interval) => ["interval", { interval }]);
const NO_TEXT = [undefined, null, 5, ["x"], {}, new Uint8Array(1)];

for (const place of ["http", "sse", "websocket"] as const) {
  row("VAL-001", `Unknown and missing types reject in a scope of ${place}, and the text names type and protocol`, {}, async (target) => {
    const events = [{ type: "nope" }, { type: `${place}.strat` }, {}, { type: undefined }, { type: 5 }, { type: "constructor" }];
    for (const validateEvents of [true, false]) {
      const given = await outcomes(target, place, events, validateEvents);
      for (const text of given) assertMatch(text, /^EventError: Cannot send ".+": type .* of the (http|sse|websocket) protocol/);
      assert(given[0]!.includes('"nope"') && given[0]!.includes(`the ${place} protocol`), given[0]);
    }
  });

  row("VAL-021", `What is no object rejects in a scope of ${place}`, {}, async (target) => {
    for (const validateEvents of [true, false]) {
      for (const text of await outcomes(target, place, [null, undefined, "http.response.start", 5, [], true], validateEvents)) {
        assertMatch(text, /^EventError: /);
      }
    }
  });
}

row("VAL-002", "Unknown fields never matter", {}, async (target) => {
  const extra = { "x.mine": NaN, stream: {}, undefinedField: undefined };
  for (const [place, [before, after]] of Object.entries(FRAMES)) {
    if (before.length > 0) continue;
    for (const validateEvents of [true, false]) {
      const app: App = async (_scope, _receive, send) => {
        for (const event of after) await loose(send)({ ...event, ...extra });
      };
      await using server = await target.start(app, { validateEvents });
      assertMatch(await answered(server, place as Place), /good/);
    }
  }
});

row(
  "VAL-003",
  "Missing fields and wrong types reject, with validation and without (the reference checks in development)",
  {},
  async (target) => {
    for (const validateEvents of [true, false]) {
      const http = await outcomes(
        target,
        "http",
        [{ type: "http.response.start" }, { type: "http.response.start", status: {} }],
        validateEvents,
      );
      const sse = await outcomes(target, "sse started", [{ type: "sse.send" }, { type: "sse.comment" }], validateEvents);
      const socket = await outcomes(
        target,
        "websocket open",
        [{ type: "websocket.send" }, { type: "websocket.close", code: "x" }],
        validateEvents,
      );
      for (const text of [...http, ...sse, ...socket]) assertMatch(text, /^EventError: /);
    }
  },
);

checks(
  "VAL-004",
  "http.response.start: an integer status is required, headers are a list of pairs of strings",
  "http",
  "http.response.start",
  [
    ...NO_STATUS,
    ...withStatus(NO_LISTS),
    ["trailers", { status: 200, trailers: 2 }],
    ["trailers", { status: 200, trailers: "1" }],
  ],
);
checks(
  "VAL-005",
  "http.response.body: one of body, file and fh at most, and none is an empty body",
  "http started",
  "http.response.body",
  [
    ["body", { body: "x", file: "/etc/hostname" }],
    ["body", { body: "x", fh: { read: () => Promise.resolve(null) } }],
    ["(file|body)", { file: "/etc/hostname", fh: { read: () => Promise.resolve(null) } }],
    ["body", { body: 5 }],
    ["body", { body: [1, 2] }],
    ["more", { body: "x", more: 2 }],
  ],
  [{ more: 1 }, { body: undefined, more: true }],
);
checks(
  "VAL-006",
  "http.response.body: offset and length are non-negative integers",
  "http started",
  "http.response.body",
  [-1, 1.5, "0", NaN, null].flatMap((value): [string, Event][] => [
    ["offset", { file: "/etc/hostname", offset: value }],
    ["length", { file: "/etc/hostname", length: value }],
  ]),
);

row("VAL-007", "http.response.trailers: headers are a list; a missing or an empty one is fine", {}, async (target) => {
  for (const headers of [undefined, []]) {
    const told = new Mailbox<string[]>();
    const app: App = async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, trailers: 1 });
      await send({ type: "http.response.body", body: "good" });
      const given: string[] = [];
      for (const [, fields] of NO_LISTS) given.push(await outcomeOf(loose(send)({ type: "http.response.trailers", ...fields })));
      given.push(await outcomeOf(loose(send)({ type: "http.response.trailers", headers })));
      told.put(given);
    };
    for (const validateEvents of [true, false]) {
      await using server = await target.start(app, { validateEvents });
      assertEquals((await server.request()).text, "good");
      const given = await told.take();
      assertEquals(given.pop(), "resolved");
      for (const text of given) assertMatch(text, /^EventError: Cannot send "http\.response\.trailers": headers /);
    }
  }
});

checks("VAL-008", "websocket.send: exactly one of text and bytes, of their types", "websocket open", "websocket.send", [
  ["text", {}],
  ["text", { text: "a", bytes: new Uint8Array() }],
  ["text", { text: 5 }],
  ["bytes", { bytes: "a" }],
  ["bytes", { bytes: [1] }],
  ["bytes", { bytes: new ArrayBuffer(1) }],
], [{ text: "good" }]);
checks("VAL-009", "websocket.close: code is an integer that an app may send", "websocket open", "websocket.close", [
  ...["1000", 1000.5, NaN, null, 1005].map((code): [string, Event] => ["code", { code }]),
  ["reason", { reason: 5 }],
]);
checks("VAL-009", "websocket.accept: headers are a list of pairs of strings", "websocket", "websocket.accept", [...NO_LISTS]);
checks(
  "VAL-010",
  "websocket.keepalive: interval and timeout are numbers of seconds, 0 or more",
  "websocket open",
  "websocket.keepalive",
  [...NO_SECONDS, ...[-1, "1", NaN, null].map((timeout): [string, Event] => ["timeout", { interval: 30, timeout }])],
  [{ interval: 0 }],
);
checks("VAL-011", "websocket.http.response.start: status and headers as in http", "websocket", "websocket.http.response.start", [
  ...NO_STATUS,
  ...withStatus(NO_LISTS),
]);
checks("VAL-011", "websocket.http.response.body: more is a flag, body bytes or text", "websocket denying", "websocket.http.response.body", [
  ...[2, "1", 0.5, {}].map((more): [string, Event] => ["more", { more }]),
  ["body", { body: 5, more: 1 }],
], [{ more: 1 }]);
checks("VAL-012", "sse.send: data is required, a string, also an empty one", "sse started", "sse.send", [
  ...NO_TEXT.map((data): [string, Event] => ["data", { data }]),
], [{ data: "" }]);
checks("VAL-013", "sse.comment: comment is required, a string", "sse started", "sse.comment", [
  ...NO_TEXT.map((comment): [string, Event] => ["comment", { comment }]),
], [{ comment: "" }]);
checks("VAL-014", "sse.keepalive: interval is required, a number of seconds", "sse started", "sse.keepalive", [
  ...NO_SECONDS,
  ["comment", { interval: 1, comment: 5 }],
], [{ interval: 30 }, { interval: 30.5 }]);
checks("VAL-015", "sse.start: status is an integer and headers are a list, where they are given", "sse", "sse.start", [
  ...NO_STATUS.slice(1),
  ...NO_LISTS,
]);
checks(
  "VAL-015",
  "sse.close: reason is a string",
  "sse started",
  "sse.close",
  [5, null, {}, ["x"]].map((reason) => ["reason", { reason }]),
);
checks("VAL-016", "sse.http.response.start: status and headers as in http", "sse", "sse.http.response.start", [
  ...NO_STATUS,
  ...withStatus(NO_LISTS),
]);
checks("VAL-016", "sse.http.response.body: more is a flag", "sse declining", "sse.http.response.body", [
  ...[2, "1", 0.5, {}].map((more): [string, Event] => ["more", { more }]),
], [{ more: 1 }]);

row("VAL-010", "websocket.keepalive: whole and broken numbers of seconds are fine", { needs: ["ws-ping"] }, async (target) => {
  const type = "websocket.keepalive";
  const events = [{ type, interval: 30 }, { type, interval: 30.5, timeout: 0.5 }];
  for (const validateEvents of [true, false]) {
    assertEquals(await outcomes(target, "websocket open", events, validateEvents), ["resolved", "resolved"]);
  }
});

row(
  "VAL-017",
  "Checks come before any effect: a refused start leaves the response unstarted, with none of its headers",
  {},
  async (target) => {
    for (const validateEvents of [true, false]) {
      const app: App = async (scope, _receive, send) => {
        await outcomeOf(loose(send)({ type: "http.response.start", status: 500, headers: [["x-a", "1"], ["x-b", 2]] }));
        assert(scope.type === "http" && !scope["pagi.connection"].responseStarted());
        await send({ type: "http.response.start", status: 201 });
        await send({ type: "http.response.body", body: "good" });
      };
      await using server = await target.start(app, { validateEvents });
      const reply = await server.request();
      assertEquals([reply.status, reply.text, reply.get("x-a")], [201, "good", null]);
    }
  },
);

elsewhere("VAL-018", "An explicit validateEvents wins, else it is on in development alone", "tests/runner/options_test.ts");

row("VAL-019", "Events over HTTP/2 are checked like any", { wire: true }, async (target) => {
  const told = new Mailbox<string[]>();
  const app: App = async (_scope, _receive, send) => {
    const given = [
      await outcomeOf(loose(send)({ type: "http.response.start", status: "200" })),
      await outcomeOf(loose(send)({ type: "http.response.start", status: 200, headers: "x" })),
    ];
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "good" });
    told.put(given);
  };
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  assertEquals((await peer.request()).text, "good");
  for (const text of await told.take()) assertMatch(text, /^EventError: /);
});

row("VAL-020", "A status that is no number never gets near the wire, without validation too", {}, async (target) => {
  const app: App = async (_scope, _receive, send) => {
    await loose(send)({ type: "http.response.start", status: "abc" });
  };
  await using server = await target.start(app);
  assertEquals((await server.request()).status, 500);
  await settle();
  assert(String((await server.noted(/^The app failed$/)).fields.error).includes("status must be an integer"));
});
