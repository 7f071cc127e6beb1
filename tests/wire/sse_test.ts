/** The text of events and comments: SSE-019 to SSE-032, D33, D62. Checked against a reader written from the HTML standard. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EventError } from "../../src/spec/errors.ts";
import type { SseSendEvent } from "../../src/spec/events.ts";
import { sseComment, sseEvent } from "../../src/wire/sse.ts";

type Fields = Omit<SseSendEvent, "type">;
const event = (fields: Fields): string => sseEvent({ type: "sse.send", ...fields });
/** For what the types forbid. */
const loose = (fields: Record<string, unknown>): string => sseEvent({ type: "sse.send", ...fields } as unknown as SseSendEvent);

const EVENTS: [fields: Fields, text: string][] = [
  [{ data: "hello" }, "data: hello\n\n"],
  [{ data: "a\nb", event: "msg", id: "10", retry: 1000 }, "event: msg\ndata: a\ndata: b\nid: 10\nretry: 1000\n\n"],
  [{ data: "a\r\nb\rc\nd" }, "data: a\ndata: b\ndata: c\ndata: d\n\n"],
  [{ data: "a\n\rb" }, "data: a\ndata: \ndata: b\n\n"],
  [{ data: "a\n" }, "data: a\ndata: \n\n"],
  [{ data: "\n\nb" }, "data: \ndata: \ndata: b\n\n"],
  [{ data: "" }, "data: \n\n"],
  [{ data: " spaced " }, "data:  spaced \n\n"],
  [{ data: ": not a comment" }, "data: : not a comment\n\n"],
  [{ data: "event: evil" }, "data: event: evil\n\n"],
  [{ data: "x", event: "" }, "data: x\n\n"],
  [{ data: "x", id: "" }, "data: x\n\n"],
  [{ data: "x", event: "0", id: "0" }, "event: 0\ndata: x\nid: 0\n\n"],
  [{ data: "x", event: null, id: null, retry: null }, "data: x\n\n"],
  [{ data: "x", retry: 0 }, "data: x\nretry: 0\n\n"],
  [{ data: "née €😀" }, "data: née €😀\n\n"],
  [{ data: "a\u2028b\u0085c\x0bd" }, "data: a\u2028b\u0085c\x0bd\n\n"],
];
for (const [fields, text] of EVENTS) {
  Deno.test(`sseEvent() writes ${JSON.stringify(fields)}`, () => assertEquals(event(fields), text));
}

const BAD: [fields: Record<string, unknown>, field: string][] = [
  [{}, "data"],
  [{ data: null }, "data"],
  [{ data: 5 }, "data"],
  [{ data: new Uint8Array(1) }, "data"],
  [{ data: "x", event: "a\nb" }, "event"],
  [{ data: "x", event: "a\rdata: y" }, "event"],
  [{ data: "x", event: 5 }, "event"],
  [{ data: "x", id: "1\n" }, "id"],
  [{ data: "x", id: "\r" }, "id"],
  [{ data: "x", id: "a\0b" }, "id"],
  [{ data: "x", id: 7 }, "id"],
  [{ data: "x", retry: -1 }, "retry"],
  [{ data: "x", retry: 1.5 }, "retry"],
  [{ data: "x", retry: "abc" }, "retry"],
  [{ data: "x", retry: "5000\ndata: y" }, "retry"],
  [{ data: "x", retry: NaN }, "retry"],
  [{ data: "x", retry: Infinity }, "retry"],
];
for (const [fields, field] of BAD) {
  Deno.test(`sseEvent() refuses ${JSON.stringify(fields)} for its ${field}`, () => {
    const error = assertThrows(() => loose(fields), EventError, `Cannot send "sse.send": ${field} `);
    assertEquals(error.field, field);
  });
}

const COMMENTS: [text: string, wire: string][] = [
  ["ping", ":ping\n\n"],
  [":ping", ":ping\n\n"],
  ["", ":\n\n"],
  [" sp", ": sp\n\n"],
  ["a\nb", ":a\n:b\n\n"],
  ["a\r\nb\rc", ":a\n:b\n:c\n\n"],
  ["a\n\ndata: evil", ":a\n:\n:data: evil\n\n"],
  [":a\r:b", ":a\n:b\n\n"],
  ["a\n", ":a\n:\n\n"],
];
for (const [text, wire] of COMMENTS) {
  Deno.test(`sseComment() writes ${JSON.stringify(text)}`, () => assertEquals(sseComment(text), wire));
}

Deno.test("sseEvent() is read back by the parser of the HTML standard, whatever the data holds", () => {
  const alphabet = ["a", "b", ":", " ", "\n", "\r", "\r\n", "data", "event: x", "é", "€", "\0"];
  for (let round = 0; round < 3000; round++) {
    const data = pick(alphabet, 12);
    const name = pick(["a", " ", ":", "é", "tick"], 4);
    const id = pick(["1", "-", "é", " "], 4);
    const [read, ...more] = parse(event({ data, event: name, id }));
    assertEquals(more, []);
    assertEquals(read!.data, data.replaceAll(/\r\n|\r/g, "\n"));
    assertEquals(read!.event, name);
    assertEquals(read!.id, id);
  }
});

Deno.test("sseComment() is invisible to the parser of the HTML standard, whatever it holds", () => {
  const alphabet = ["a", ":", "\n", "\r", "\r\n", "data: evil", "event: evil", "id: 1", "retry: 1", "\u2028", " "];
  for (let round = 0; round < 3000; round++) {
    const text = pick(alphabet, 10);
    assertEquals(parse(sseComment(text) + "data: after\n\n"), [{ data: "after", event: "", id: "", retry: "" }], JSON.stringify(text));
    assert(!sseComment(text).includes("\r"));
  }
});

function pick(alphabet: readonly string[], most: number): string {
  let text = "";
  for (let left = Math.floor(Math.random() * most); left > 0; left--) text += alphabet[Math.floor(Math.random() * alphabet.length)];
  return text;
}

interface Read {
  data: string;
  event: string;
  id: string;
  retry: string;
}

/** HTML standard, section 9.2.6. */
function parse(stream: string): Read[] {
  const events: Read[] = [];
  let current: Read & { lines: string[] } = { data: "", event: "", id: "", retry: "", lines: [] };
  for (const line of stream.split(/\r\n|\n|\r/)) {
    if (line === "") {
      const { lines, ...rest } = current;
      if (lines.length > 0) events.push({ ...rest, data: lines.join("\n") });
      current = { data: "", event: "", id: "", retry: "", lines: [] };
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") current.lines.push(value);
    else if (field === "event" || field === "id" || field === "retry") current[field] = value;
  }
  return events;
}
