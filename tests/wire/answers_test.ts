/** The answers that the server makes itself. Contract section 3. */
import { assert, assertEquals } from "@std/assert";
import { answer, hasNoBody } from "../../src/wire/answers.ts";

Deno.test("answer() is a short plain text for every status that the contract names", () => {
  for (const status of [400, 403, 404, 405, 406, 408, 413, 414, 416, 426, 431, 500, 501, 502, 503, 504]) {
    const made = answer(status);
    assertEquals(made.status, status);
    assertEquals(made.headers[0], ["content-type", "text/plain; charset=utf-8"]);
    assert(/^[A-Z][A-Za-z ]+\n$/.test(made.body), made.body);
    assert(!made.body.startsWith("Status"), "has a phrase of its own");
  }
});

Deno.test("answer() asks to come again after a 503 only", () => {
  assertEquals(answer(503).headers.find(([name]) => name === "retry-after"), ["retry-after", "5"]);
  for (const status of [400, 500, 502, 504]) assertEquals(answer(status).headers.length, 1);
});

Deno.test("answer() takes a text, and knows no other status by name", () => {
  assertEquals(answer(400, "No").body, "No\n");
  assertEquals(answer(418).body, "Status 418\n");
});

Deno.test("answer() gives each caller headers of its own", () => {
  (answer(500).headers as [string, string][]).push(["x-a", "b"]);
  assertEquals(answer(500).headers.length, 1);
});

Deno.test("hasNoBody() is true for 1xx, 204, 205 and 304 alone", () => {
  for (let status = 100; status < 600; status++) {
    assertEquals(hasNoBody(status), status < 200 || [204, 205, 304].includes(status), String(status));
  }
});
