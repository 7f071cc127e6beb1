/**
 * What the rows about malformed events share: a place to send them at, and what became of them.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import type { App } from "../../src/spec/app.ts";
import { loose, outcomeOf } from "./probe.ts";
import { row } from "./suite.ts";
import type { Running, Target } from "./target.ts";
import { Mailbox } from "./waiting.ts";

/** An event that no type allows. */
export type Event = Record<string, unknown>;
/** Where an event is sent: a scope type, and after which good events. */
export type Place =
  | "http"
  | "http started"
  | "sse"
  | "sse started"
  | "sse declining"
  | "websocket"
  | "websocket open"
  | "websocket denying";

/** Good events before, and after, those under test. */
export const FRAMES: Readonly<Record<Place, readonly [before: readonly Event[], after: readonly Event[]]>> = {
  "http": [[], [{ type: "http.response.start", status: 200 }, { type: "http.response.body", body: "good" }]],
  "http started": [[{ type: "http.response.start", status: 200 }], [{ type: "http.response.body", body: "good" }]],
  "sse": [[], [{ type: "sse.start" }, { type: "sse.send", data: "good" }]],
  "sse started": [[{ type: "sse.start" }], [{ type: "sse.send", data: "good" }]],
  "sse declining": [[{ type: "sse.http.response.start", status: 200 }], [{ type: "sse.http.response.body", body: "good" }]],
  "websocket": [[], [{ type: "websocket.accept" }, { type: "websocket.send", text: "good" }]],
  "websocket open": [[{ type: "websocket.accept" }], [{ type: "websocket.send", text: "good" }]],
  "websocket denying": [[{ type: "websocket.http.response.start", status: 200 }], [{ type: "websocket.http.response.body", body: "good" }]],
};

/** Sends events at a place, and gives what became of each; what comes behind them must work. */
export async function outcomes(target: Target, place: Place, events: readonly unknown[], validateEvents: boolean): Promise<string[]> {
  const told = new Mailbox<string[]>();
  const app: App = async (_scope, _receive, send) => {
    const [before, after] = FRAMES[place];
    for (const event of before) await loose(send)(event);
    const given: string[] = [];
    for (const event of events) given.push(await outcomeOf(loose(send)(event)));
    for (const event of after) await loose(send)(event);
    told.put(given);
  };
  await using server = await target.start(app, { validateEvents });
  assertMatch(await answered(server, place), /good/, "the app goes on");
  return await told.take();
}

/** What comes at the client. */
export async function answered(server: Running, place: Place): Promise<string> {
  if (place.startsWith("http")) return (await server.request()).text;
  if (place.startsWith("sse")) return (await server.request({ headers: [["accept", "text/event-stream"]] })).text;
  if (place !== "websocket denying") return String(await (await server.websocket()).receive());
  return await server.websocket().then(() => "accepted", ({ reply }) => reply.text);
}

/** Declares a row: at that place each of these events rejects and names the field; each of those resolves. */
export function checks(
  id: string,
  says: string,
  place: Place,
  type: string,
  bad: readonly [string, Event][],
  good: readonly Event[] = [],
): void {
  row(id, says, {}, async (target) => {
    for (const validateEvents of [true, false]) {
      const events = [...bad.map(([, fields]) => ({ type, ...fields })), ...good.map((fields) => ({ type, ...fields }))];
      const given = await outcomes(target, place, events, validateEvents);
      for (const [at, [field, fields]] of bad.entries()) {
        assertMatch(given[at]!, new RegExp(`^EventError: Cannot send "${type}": ${field} `), Deno.inspect(fields));
      }
      for (const [at, fields] of good.entries()) assertEquals(given[bad.length + at], "resolved", Deno.inspect(fields));
    }
  });
}
