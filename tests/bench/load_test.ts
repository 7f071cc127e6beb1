import { assertEquals, assertThrows } from "@std/assert";
import { readH2load, readWrk, readWrkMedian } from "../../bench/load.ts";

const GOOD = `Running 2s test @ http://127.0.0.1:8000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   390.12us   99.83us   2.02ms   80.01%
    Req/Sec    80.52k     3.00k   84.31k    70.00%
  161234 requests in 2.00s, 24.30MB read
Requests/sec:  80617.00
Transfer/sec:     12.15MB
`;

Deno.test("readWrk() reads the number of requests and the seconds", () => {
  assertEquals(readWrk(GOOD), { count: 161_234, seconds: 2 });
});

Deno.test("readWrk() reads minutes", () => {
  assertEquals(readWrk(GOOD.replace("2.00s,", "1.50m,")).seconds, 90);
});

Deno.test("readWrk() refuses a run with error answers", () => {
  assertThrows(
    () => readWrk(GOOD.replace("Requests/sec", "  Non-2xx or 3xx responses: 12\nRequests/sec")),
    Error,
    "Non-2xx or 3xx responses: 12",
  );
});

Deno.test("readWrk() refuses a run with broken connections", () => {
  const bad = GOOD.replace("Requests/sec", "  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec");
  assertThrows(() => readWrk(bad), Error, "read 3");
});

Deno.test("readWrk() refuses a run without requests", () => {
  assertThrows(() => readWrk(GOOD.replace("161234 requests", "0 requests")), Error, "no request was answered");
});

Deno.test("readWrkMedian() reads the median in its unit", () => {
  const text = `${GOOD}  Latency Distribution\n     50%   88.00us\n     75%   95.00us\n`;
  assertEquals(readWrkMedian(text), 88);
  assertEquals(readWrkMedian(text.replace("88.00us", "1.25ms")), 1250);
  assertThrows(() => readWrkMedian(GOOD), Error, "no median");
});

const GOOD_H2 = `finished in 2.00s, 10744.00 req/s, 1.11MB/s
requests: 21488 total, 21488 started, 21488 done, 21488 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 21488 2xx, 0 3xx, 0 4xx, 0 5xx
`;

Deno.test("readH2load() reads the number of requests and the seconds", () => {
  assertEquals(readH2load(GOOD_H2), { count: 21_488, seconds: 2 });
  assertEquals(readH2load(GOOD_H2.replace("2.00s,", "500.00ms,")).seconds, 0.5);
});

Deno.test("readH2load() refuses a run in which requests failed, or none was answered", () => {
  assertThrows(() => readH2load(GOOD_H2.replace("0 failed", "3 failed")), Error, "not every request was answered");
  assertThrows(() => readH2load(GOOD_H2.replace("21488 2xx", "0 2xx")), Error, "not every request was answered");
});
