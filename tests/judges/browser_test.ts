/** Chromium on the node engine, over TLS: HTTP/2, an event stream, and a WebSocket on the same connection as everything else (RFC 8441). */

import { assert, assertEquals } from "@std/assert";
import { chromium } from "playwright-core";
import { find, needs } from "../tools.ts";
import { judged } from "./judged.ts";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

// The page's own script, whose types are not those of this file.
const SCRIPT = `(async () => {
  const fetched = await (await fetch("/fetched", { method: "POST", body: "abc" })).text();
  const events = new EventSource("/events");
  const seen = [];
  await new Promise((resolve) => events.onmessage = ({ data }) => { seen.push(data); if (seen.length === 2) resolve(); });
  events.close();
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
  socket.send("hello");
  const echo = await new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
  socket.close(4001, "bye");
  const { code, reason, wasClean } = await new Promise((resolve) => socket.onclose = resolve);
  return { fetched, seen, echo, code, reason, wasClean, protocol: performance.getEntriesByType("navigation")[0].nextHopProtocol };
})()`;

for (const tls of [true, false]) {
  Deno.test({
    ...needs(["chromium", "openssl"], `Chromium ${tls ? "over TLS" : "in cleartext"}: a page, a fetch, events and a WebSocket`),
    // The driver of the browser keeps a pipe and timers of its own.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using server = await judged([], tls);
      const browser = await chromium.launch({ executablePath: find("chromium")!, args: FLAGS, headless: true });
      try {
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        context.setDefaultTimeout(20_000);
        const page = await context.newPage();
        const problems: string[] = [];
        page.on("pageerror", (error) => problems.push(String(error)));
        await page.goto(`${server.url}/page`);
        assertEquals(await page.title(), "Judged");
        const version = tls ? "2" : "1.1";
        assertEquals(await page.evaluate(SCRIPT), {
          fetched: `${version} POST /fetched 3`,
          seen: ["one", "two"],
          echo: `${version} hello`,
          code: 4001,
          reason: "bye",
          wasClean: true,
          protocol: tls ? "h2" : "http/1.1",
        });
        assertEquals(problems, []);
        assert(!/ error /.test(server.said()), server.said());
      } finally {
        await browser.close();
      }
    },
  });
}
