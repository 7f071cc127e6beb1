import { assert } from "@std/assert";
import { Farewell } from "../../src/engines/node_farewell.ts";

/** How long a wait takes while something else happens. */
async function took(traffic: { begun: number; arriving: number }, meanwhile: () => void = () => {}): Promise<number> {
  const started = performance.now();
  const farewell = new Farewell(traffic);
  meanwhile();
  await farewell.over;
  return performance.now() - started;
}

/** The quiet that it waits for. */
const QUIET_MS = 250;

Deno.test("Farewell is over after a quarter of a second without a request", async () => {
  const ms = await took({ begun: 7, arriving: 0 });
  assert(ms >= QUIET_MS - 1, `${ms}`);
});

Deno.test("Farewell begins anew with each request", async () => {
  const traffic = { begun: 0, arriving: 0 };
  const ms = await took(traffic, () => {
    let left = 4;
    const next = () => {
      traffic.begun++;
      if (--left > 0) setTimeout(next, 60);
    };
    setTimeout(next, 60);
  });
  assert(ms >= 4 * 60 + QUIET_MS - 30, `${ms}`);
});

Deno.test("Farewell waits for connections that have not spoken yet", async () => {
  const traffic = { begun: 0, arriving: 1 };
  const ms = await took(traffic, () => void setTimeout(() => traffic.arriving = 0, 200));
  assert(ms >= 200 + QUIET_MS - 30, `${ms}`);
});

Deno.test("Farewell does not count time in which the process was behind with its work", async () => {
  const ms = await took({ begun: 0, arriving: 0 }, () => {
    setTimeout(() => {
      const until = performance.now() + 200;
      while (performance.now() < until);
    }, 50);
  });
  assert(ms >= 250 + QUIET_MS - 30, `${ms}`);
});

Deno.test("Farewell can be given up", async () => {
  const started = performance.now();
  const farewell = new Farewell({ begun: 0, arriving: 5 });
  farewell.stop();
  await farewell.over;
  assert(performance.now() - started < QUIET_MS);
});
