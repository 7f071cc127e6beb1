/** Headers of responses. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, rejection, saying, text } from "../apps.ts";
import { row } from "../suite.ts";
import type { Target } from "../target.ts";

row("HTTP-057", "The start sets status and headers, in order, names that repeat as lines of their own", {}, async (target) => {
  await using server = await target.start(text("ok", [["set-cookie", "a=1"], ["x-b", "2"], ["set-cookie", "c=3"], ["x-a", "4"]]));
  const reply = await server.request();
  assertEquals(reply.pairs.filter(([name]) => /^(set-cookie|x-)/.test(name.toLowerCase())), [
    ["set-cookie", "a=1"],
    ["x-b", "2"],
    ["set-cookie", "c=3"],
    ["x-a", "4"],
  ]);
});

row("HTTP-061", "A Date of the app is the only one", {}, async (target) => {
  const date = "Thu, 01 Jan 1970 00:00:00 GMT";
  await using server = await target.start(text("ok", [["Date", date]]));
  assertEquals((await server.request()).all("date"), [date]);
});

row("HTTP-062", "No Server header is added; the server can be told to add one, and the app's own wins", { wire: true }, async (target) => {
  {
    await using server = await target.start(text("ok"));
    assertEquals((await server.request()).get("server"), null);
  }
  {
    await using server = await target.start(text("ok"), { headers: [["server", "x"]] });
    assertEquals((await server.request()).get("server"), "x");
  }
  await using server = await target.start(text("ok", [["Server", "mine"]]), { headers: [["server", "x"]] });
  assertEquals((await server.request()).all("server"), ["mine"]);
});

row("HTTP-064", "Transfer-Encoding of the app is dropped", {}, async (target) => {
  for (const coding of ["chunked", "gzip", "identity"]) {
    await using server = await target.start(text("ok", [["Transfer-Encoding", coding], ["x-a", "1"]]));
    const reply = await server.request();
    assertEquals([reply.text, reply.get("x-a"), reply.all("transfer-encoding")], ["ok", "1", []]);
  }
});

/** Each header is refused and nothing of it is sent. */
async function refusesHeaders(target: Target, pairs: readonly (readonly [string, string])[]): Promise<void> {
  const { server, said } = await saying(target, async (send, say) => {
    for (const [name, value] of pairs) {
      const start = { type: "http.response.start", status: 201, headers: [["x-ok", "1"], [name, value]] } as const;
      say((await rejection(send(start))).name);
    }
    await answer(send, "fine");
  });
  await using _ = server;
  const reply = await server.request();
  assertEquals([reply.status, reply.text, reply.get("x-ok")], [200, "fine", null]);
  for (const pair of pairs) assertEquals(await said.take(), "EventError", JSON.stringify(pair));
}

row(
  "HTTP-066",
  "CR, LF and NUL in a header reject the send, and no byte of it is sent",
  {},
  (target) =>
    refusesHeaders(
      target,
      ["\r", "\n", "\0", "\r\nSet-Cookie: a=1", "a\nb"].flatMap((bad) => [["x-a", `v${bad}`], [`x${bad}`, "v"]] as const),
    ),
);

row("HTTP-067", "So do other control bytes, and characters that are no byte; a tab in a value is fine", {}, async (target) => {
  await refusesHeaders(
    target,
    ["\x01", "\x0b", "\x1f", "\x7f", "\u0100", "😀"].flatMap((bad) => [["x-a", `v${bad}`], [`x${bad}`, "v"]] as const),
  );
  await using server = await target.start(text("ok", [["x-a", "a\tb"]]));
  assertEquals((await server.request()).get("x-a"), "a\tb");
});

row("HTTP-068", "Behind a start that was refused a correct one works", {}, (target) => refusesHeaders(target, [["x-a", "a\nb"]]));

row("HTTP-068", "and where the app gives up, the answer is a 500", {}, async (target) => {
  await using server = await target.start(http(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["x-a", `a\n${scope["pagi.connection"].responseStarted()}`]] });
  }));
  assertEquals((await server.request()).status, 500);
});

row(
  "HTTP-069",
  "A header name that is no token is refused",
  {},
  (target) => refusesHeaders(target, [["", "v"], ["x a", "v"], ["x:", "v"], ["x(", "v"], ["é", "v"]]),
);

row("HTTP-060", "A Date header in the standard form is added where the app gave none", {}, async (target) => {
  await using server = await target.start(text("ok"));
  const date = (await server.request()).get("date")!;
  assert(/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(date), date);
});
