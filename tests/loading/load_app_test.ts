import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadApp } from "../../src/loading/load_app.ts";
import { kindOf, toApp } from "../../src/loading/to_app.ts";
import { StartupError } from "../../src/spec/errors.ts";

Deno.test("toApp() takes a function as it is, and what toApp() gives", async () => {
  const app = () => Promise.resolve();
  assert(await toApp(app, "x") === app);
  assert(await toApp({ toApp: () => app }, "x") === app);
  assert(await toApp({ toApp: () => Promise.resolve(app) }, "x") === app);
  assert(await toApp(Object.assign(() => {}, { toApp: () => app }), "x") === app);
});

Deno.test("toApp() prefers toApp() to fetch(), and makes an app of fetch()", async () => {
  const app = () => Promise.resolve();
  assert(await toApp({ toApp: () => app, fetch: () => new Response() }, "x") === app);
  assertEquals(typeof await toApp({ fetch: () => new Response() }, "x"), "function");
});

Deno.test("toApp() says what it got", async () => {
  const wrong: [unknown, string][] = [
    [undefined, "X is undefined: an app is a function (scope, receive, send)"],
    [null, "X is null"],
    ["x", "X is a string"],
    [[], "X is an array"],
    [{}, "X is an object without app"],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, "X is an object with a, b, c, d, e, …"],
    [Promise.resolve(), "X is a promise"],
    [class Shop {}, "X is the class Shop"],
    [{ toApp: () => 1 }, "toApp() of x gave a number"],
    [{ toApp: () => class A {} }, "toApp() of x gave the class A"],
    [{
      toApp() {
        throw new RangeError("no");
      },
    }, "toApp() of x failed: it threw RangeError: no"],
  ];
  for (const [value, message] of wrong) await assertRejects(() => toApp(value, "x"), StartupError, message);
  assertEquals(kindOf(() => {}), "a function");
});

Deno.test("loadApp() calls an export as a factory only where arguments are given", async () => {
  const code =
    "let calls = 0; export default (first) => typeof first === 'object' && !('type' in first) ? async () => { throw new Error(JSON.stringify(first)); } : Promise.resolve();";
  const plain = await loadApp({ code });
  assertEquals(plain.name, "default");
  const made = await loadApp({ code, args: { a: "1" } });
  await assertRejects(() => made({} as never, {} as never, {} as never), Error, '{"a":"1"}');
});

Deno.test("loadApp() takes code as an expression or as a module", async () => {
  for (
    const code of [
      "async () => {}",
      "({ fetch: () => new Response() })",
      "{ fetch() {} }",
      "async () => {} // done",
      "const a = async () => {};\nexport { a as default };",
      'import "node:path"; export default () => {};',
    ]
  ) {
    assertEquals(typeof await loadApp({ code }), "function", code);
  }
  await assertRejects(() => loadApp({ code: "export const a = 1;" }), StartupError, "The code of --eval has no default export");
});
