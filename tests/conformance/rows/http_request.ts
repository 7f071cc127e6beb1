/** Rows of the checklist: what a request looks like to the app. */

import { assert, assertEquals } from "@std/assert";
import { scopes, text } from "../apps.ts";
import { row } from "../suite.ts";

row("HTTP-001", "Each plain request is one call of the app with a new http scope, also on a reused connection", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  await server.request();
  const [first, second] = [await seen.take(), await seen.take()];
  assertEquals([first.type, second.type, seen.waiting], ["http", "http", 0]);
  assert(first !== second);
});

row("HTTP-002", "scope.pagi has the version of the interface as a string", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  const { pagi } = await seen.take();
  assertEquals([pagi.version, pagi.spec_version], ["0.3", "0.3"]);
});

row("HTTP-060", "A Date header is added where the app gave none", {}, async (target) => {
  await using server = await target.start(text("ok"));
  const date = (await server.request()).get("date")!;
  assert(/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(date), date);
});
