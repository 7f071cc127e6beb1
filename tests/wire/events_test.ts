/** The strict check of events, by its tables. Contract sections 3, 5, 6 and 7. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EventError } from "../../src/spec/errors.ts";
import type { ScopeType } from "../../src/spec/scope.ts";
import { checkEvent, EVENTS, type Field, KINDS } from "../../src/wire/events.ts";

/** Good and bad values of each kind: what the tables are made of. */
const SAMPLES: Record<string, { good: unknown[]; bad: unknown[] }> = {
  status: { good: [200, 204, 404, 599], bad: [199, 600, 200.5, "200", NaN, Infinity, null, true, 0, -200, [200]] },
  headers: {
    good: [[], [["a", "b"]], [["a", ""], ["a", "\xff\t"]]],
    bad: [
      "a",
      null,
      {},
      new Map(),
      ["a"],
      [["a"]],
      [["a", "b", "c"]],
      [["a", 1]],
      [[1, "a"]],
      [["a", null]],
      [["a b", "c"]],
      [["a", "\x01"]],
      [["a", "\n"]],
      [["a", "€"]],
    ],
  },
  flag: { good: [0, 1, true, false], bad: [2, -1, "1", "", null, NaN, {}, []] },
  data: {
    good: ["", "x", new Uint8Array(), new Uint8Array([1])],
    bad: [1, null, [], new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), {}, true],
  },
  bytes: { good: [new Uint8Array(), new Uint8Array([0])], bad: ["", 1, [], new ArrayBuffer(1), new Uint16Array(1), {}] },
  text: { good: ["", "x", "€\n"], bad: [1, null, [], {}, true, new String("x")] },
  path: {
    good: ["/a", "/", "/a/../b", "C:\\a", "C:/a", "\\\\host\\share"],
    bad: ["", "a", "./a", "../a", "~/.x", "file:///a", 1, null, new URL("file:///a")],
  },
  handle: { good: [{ read: () => Promise.resolve(null) }], bad: [{}, null, "x", 3, { read: 1 }] },
  count: { good: [0, 1, 2 ** 40], bad: [-1, 1.5, NaN, Infinity, "1", null, 2 ** 60, 1n] },
  seconds: { good: [0, 0.5, 30], bad: [-1, -0.001, NaN, Infinity, "1", null] },
  token: { good: ["chat", "v1.chat"], bad: ["", "a b", "a,b", "é", 1, "a\n"] },
  code: { good: [1000, 1011, 3000, 4999], bad: [999, 1004, 1005, 1006, 1015, 2999, 5000, "1000", null, 1000.5, NaN] },
  reason: { good: ["", "bye", "a".repeat(123)], bad: ["a".repeat(124), "€".repeat(42), 1, null] },
  line: { good: ["", "tick", "a\0b"], bad: ["a\n", "\r", 1, {}] },
  id: { good: ["", "1"], bad: ["a\n", "\r", "\0", 1, {}] },
};

const SCOPES = Object.keys(EVENTS) as ScopeType[];

Deno.test("KINDS holds the kinds of the tables and no other, each with samples", () => {
  const used = new Set<string>();
  for (const scope of SCOPES) {
    for (const table of Object.values(EVENTS[scope])) for (const field of Object.values(table.fields)) used.add(field.kind);
  }
  assertEquals([...used].sort(), Object.keys(KINDS).sort());
  assertEquals(Object.keys(SAMPLES).sort(), Object.keys(KINDS).sort());
});

for (const scope of SCOPES) {
  for (const [type, table] of Object.entries(EVENTS[scope])) {
    Deno.test(`checkEvent() takes a good ${type} in a ${scope} scope`, () => {
      checkEvent(minimal(scope, type), scope);
      for (const [name, { kind, presence }] of Object.entries(table.fields)) {
        for (const value of SAMPLES[kind]!.good) checkEvent(alone(scope, type, name, value), scope);
        if (presence !== "required") checkEvent({ ...minimal(scope, type, name), [name]: undefined }, scope);
        if (presence === "nullable") checkEvent({ ...minimal(scope, type, name), [name]: null }, scope);
      }
    });

    Deno.test(`checkEvent() names the bad field of ${type} in a ${scope} scope`, () => {
      for (const [name, field] of Object.entries(table.fields)) {
        for (const value of SAMPLES[field.kind]!.bad) {
          if (value === null && field.presence === "nullable") continue;
          const error = assertThrows(
            () => checkEvent(alone(scope, type, name, value), scope),
            EventError,
            `Cannot send "${type}": ${name} `,
          );
          assertEquals([error.event, error.field], [type, name], `${name} = ${String(value)}`);
        }
      }
    });

    Deno.test(`checkEvent() misses each required field of ${type} in a ${scope} scope`, () => {
      for (const [name, field] of Object.entries(table.fields)) {
        if (field.presence !== "required") continue;
        for (const event of [{ ...minimal(scope, type), [name]: undefined }, remove(minimal(scope, type), name)]) {
          assertThrows(() => checkEvent(event, scope), EventError, `Cannot send "${type}": ${name} is missing: it must be `);
        }
      }
    });

    Deno.test(`checkEvent() does not mind unknown fields of ${type} in a ${scope} scope`, () => {
      checkEvent({ ...minimal(scope, type), "x.extra": NaN, stream: {}, [Symbol("s")]: 1 }, scope);
    });
  }
}

Deno.test("checkEvent() takes one of body, file and fh, or none", () => {
  const base = { type: "http.response.body" };
  const fh = { read: () => Promise.resolve(null) };
  checkEvent(base, "http");
  checkEvent({ ...base, file: "/a", offset: 1, length: 2, more: 1 }, "http");
  checkEvent({ ...base, body: "", file: undefined, fh: undefined }, "http");
  for (const fields of [{ body: "", file: "/a" }, { body: "", fh }, { file: "/a", fh }, { body: "", file: "/a", fh }]) {
    assertThrows(() => checkEvent({ ...base, ...fields }, "http"), EventError, "must come alone: body, file, fh exclude each other");
  }
});

Deno.test("checkEvent() takes exactly one of text and bytes", () => {
  const base = { type: "websocket.send" };
  const bytes = new Uint8Array();
  for (const fields of [{ text: "" }, { bytes }, { text: "", bytes: null }, { bytes, text: undefined }]) {
    checkEvent({ ...base, ...fields }, "websocket");
  }
  assertThrows(
    () => checkEvent({ ...base, text: "", bytes }, "websocket"),
    EventError,
    "text must come alone: text, bytes exclude each other",
  );
  for (const fields of [{}, { text: null }, { text: undefined, bytes: null }]) {
    assertThrows(() => checkEvent({ ...base, ...fields }, "websocket"), EventError, "text or bytes must be given, exactly one of them");
  }
});

Deno.test("checkEvent() says what is wrong with a header", () => {
  const event = { type: "http.response.start", status: 200, headers: [["x-a", "b"], ["x-b", "\x01"]] };
  assertThrows(
    () => checkEvent(event, "http"),
    EventError,
    'Cannot send "http.response.start": headers are malformed: header "x-b" holds the control byte 0x01',
  );
});

Deno.test("checkEvent() leaves unknown types and things that are no event to the session", () => {
  for (
    const event of [null, undefined, 1, "x", {}, { type: 1 }, { type: "nope" }, { type: "toString" }, { type: "__proto__" }, {
      type: "sse.send",
    }]
  ) {
    checkEvent(event, "http");
  }
});

Deno.test("EVENTS keeps the events of one scope type out of another", () => {
  for (const scope of SCOPES) {
    for (const type of Object.keys(EVENTS[scope])) {
      assert(type.startsWith(`${scope}.`) || (scope === "sse" && type === "http.fullflush"), `${type} in ${scope}`);
    }
  }
});

/** The fewest fields with which an event is good; `besides` is a field that is about to be set, so its group needs no other. */
function minimal(scope: ScopeType, type: string, besides?: string): Record<string, unknown> {
  const table = EVENTS[scope][type]!;
  const event: Record<string, unknown> = { type };
  const fill = (name: string, field: Field) => event[name] = SAMPLES[field.kind]!.good[0];
  for (const [name, field] of Object.entries(table.fields)) if (field.presence === "required") fill(name, field);
  for (const group of table.groups ?? []) {
    const name = group.fields.find((field) => field !== besides)!;
    if (group.count === "exactly one") fill(name, table.fields[name]!);
  }
  return event;
}

/** An event whose field has a value, without the others of its group. */
function alone(scope: ScopeType, type: string, name: string, value: unknown): Record<string, unknown> {
  const event = minimal(scope, type, name);
  for (const group of EVENTS[scope][type]!.groups ?? []) {
    if (group.fields.includes(name)) { for (const other of group.fields) delete event[other]; }
  }
  return { ...event, [name]: value };
}

function remove(event: Record<string, unknown>, name: string): Record<string, unknown> {
  const { [name]: _, ...rest } = event;
  return rest;
}
