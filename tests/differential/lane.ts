/**
 * A server of the corpus: an engine with an app that writes down what it sees.
 *
 * @module
 */

import type { Engine, Host } from "../../src/exchange.ts";
import { systemClock, systemFiles } from "../../src/loading/system.ts";
import { InlineHost } from "../../src/sessions/inline_host.ts";
import { defineApp, type HttpApp, type Send, type SseApp, type WebSocketApp } from "../../src/spec/app.ts";
import type { HttpSendEvent } from "../../src/spec/events.ts";
import type { HttpScope, SseScope, WebSocketScope } from "../../src/spec/scope.ts";
import { DEFAULT_LIMITS } from "../../src/testing/client_options.ts";
import { fromLatin1 } from "../conformance/reply.ts";
import { until } from "../conformance/waiting.ts";

/** The limit of request bodies and of WebSocket messages, bytes: entries stand on both sides of it. */
export const LIMIT_BYTES = 4096;

/** How long an app at `/slow` takes. */
const SLOW_MS = 40;

/** The probe that tells whether a connection goes on; the app does not write it down. */
export const PROBE = "/probe-that-no-entry-sends";

/** What the app saw of one exchange: names and texts. */
export type Saw = Record<string, string>;

/** An engine to try. */
export interface Maker {
  readonly name: "deno" | "node";
  create(): Engine;
}

/** A running server. One entry at a time is played against it. */
export class Lane implements AsyncDisposable {
  readonly port: number;
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #open: { readonly count: number };
  #saw: Saw[];
  #running: { count: number };

  /** Starts one. */
  static async start(maker: Maker): Promise<Lane> {
    const engine = maker.create();
    const box: { lane: Lane | null } = { lane: null };
    const seen = (scope: AnyScope, run: (seen: Saw) => Promise<void>) => box.lane!.#note(scope, run);
    const app = defineApp({
      http: (scope, receive, send) => scope.path === PROBE ? probe(send) : seen(scope, (saw) => http(scope, receive, send, saw)),
      sse: (scope, receive, send) => seen(scope, (saw) => stream(scope, receive, send, saw)),
      websocket: (scope, receive, send) => seen(scope, (saw) => socket(scope, receive, send, saw)),
    });
    const host = new InlineHost(app, { clock: systemClock, files: systemFiles, note: () => {} });
    const limits = { ...DEFAULT_LIMITS, maxMessageBytes: LIMIT_BYTES };
    await host.start({ isWorker: false, lifespan: "off", lifespanStartupTimeoutMs: 0, limits, validateEvents: true });
    const open = { count: 0 };
    const [address] = await engine.listen(host, { opened: () => open.count++, finished: () => open.count--, note: () => {} });
    return box.lane = new Lane(engine, host, (address as Deno.NetAddr).port, open);
  }

  private constructor(engine: Engine, host: Host, port: number, open: { readonly count: number }) {
    this.#engine = engine;
    this.#host = host;
    this.port = port;
    this.#open = open;
    this.#saw = [];
    this.#running = { count: 0 };
  }

  /** From now on the app writes down what it sees here. */
  watch(): { readonly saw: Saw[]; settled(): Promise<void> } {
    const saw: Saw[] = this.#saw = [];
    const running = this.#running = { count: 0 };
    return {
      saw,
      // What is still waiting after that time waits for its client.
      settled: () => until(() => running.count === 0, "the apps", 200).then(() => {}, () => {}),
    };
  }

  /** Exchanges that have begun and are not over. */
  get open(): number {
    return this.#open.count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.close(0);
    await this.#host.stop(0);
  }

  async #note(scope: AnyScope, run: (saw: Saw) => Promise<void>): Promise<void> {
    const saw: Saw = {
      type: scope.type,
      ...(scope.type === "websocket" ? null : { method: scope.method }),
      http_version: scope.http_version,
      scheme: scope.scheme,
      path: scope.path,
      raw_path: scope.raw_path,
      query: scope.query_string,
      headers: this.#portless(JSON.stringify(normal(scope.headers))),
      "raw headers": this.#portless(JSON.stringify(scope.headers)),
    };
    this.#saw.push(saw);
    const running = this.#running;
    running.count++;
    try {
      await run(saw);
    } finally {
      running.count--;
    }
  }

  /** The port is another one in each run. */
  #portless(text: string): string {
    return text.replaceAll(`:${this.port}`, ":PORT");
  }
}

type AnyScope = HttpScope | SseScope | WebSocketScope;

async function http(...[scope, receive, send, seen]: [...Parameters<HttpApp>, Saw]): Promise<void> {
  if (!scope.path.startsWith("/unread")) await body(receive, seen);
  if (seen["end"] === "http.disconnect") return;
  switch (scope.path) {
    case "/slow":
      await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      break;
    case "/204":
      return await whole(send, 204, [], "");
    case "/304":
      return await whole(send, 304, [["etag", '"x"']], "");
    case "/length":
      return await whole(send, 200, [["content-length", "4"]], "four");
    case "/close":
      return await whole(send, 200, [["connection", "close"]], "bye");
    case "/throw":
      throw new Error("The app threw");
    case "/throw-late":
    case "/stream":
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "one", more: 1 });
      if (scope.path === "/throw-late") throw new Error("The app threw late");
      await send({ type: "http.response.body", body: "two" });
      return;
  }
  await whole(send, 200, [["content-type", "text/plain"]], `${scope.method} ${scope.path}`);
}

async function stream(...[_scope, receive, send, seen]: [...Parameters<SseApp>, Saw]): Promise<void> {
  await body(receive, seen);
  await send({ type: "sse.start" });
  await send({ type: "sse.send", data: "1" });
  await send({ type: "sse.close" });
}

/** Reads a body to its end, and writes down what came of it even where the end does not come. */
async function body(receive: Parameters<HttpApp>[1] | Parameters<SseApp>[1], seen: Saw): Promise<void> {
  seen["body"] = "";
  seen["end"] = "waits";
  let bytes = 0;
  for (;;) {
    const event = await receive();
    // An event stream says "sse.disconnect", and its requests may come as events of their own name.
    if (!("body" in event)) {
      seen["end"] = event.type;
      return;
    }
    bytes += event.body.byteLength;
    seen["body"] = bytes > 60 ? `${bytes} bytes` : seen["body"] + fromLatin1(event.body);
    if (event.more === 1) continue;
    seen["end"] = "whole";
    return;
  }
}

async function socket(...[scope, receive, send, seen]: [...Parameters<WebSocketApp>, Saw]): Promise<void> {
  seen["subprotocols"] = JSON.stringify(scope.subprotocols);
  seen["messages"] = "";
  await receive();
  if (scope.path === "/deny") {
    await send({ type: "websocket.http.response.start", status: 418, headers: [] });
    await send({ type: "websocket.http.response.body", body: "no" });
    return;
  }
  if (scope.path === "/reject") return await send({ type: "websocket.close" });
  const [subprotocol] = scope.subprotocols;
  await send({ type: "websocket.accept", ...(subprotocol === undefined || subprotocol.includes(" ") ? {} : { subprotocol }) });
  for (;;) {
    const event = await receive();
    if (event.type === "websocket.disconnect") {
      seen["end"] = `${event.code} ${event.reason}`.trim();
      return;
    }
    if (event.type !== "websocket.receive") continue;
    const { text, bytes } = event;
    seen["messages"] += text !== undefined ? `text ${short(text)};` : `binary ${bytes!.byteLength};`;
    if (text === "close") await send({ type: "websocket.close", code: 4321, reason: "mine" });
    else if (text !== undefined) await send({ type: "websocket.send", text });
    else await send({ type: "websocket.send", bytes: bytes! });
  }
}

function probe(send: Send<HttpSendEvent>): Promise<void> {
  return whole(send, 200, [["x-probe", "1"]], "probe");
}

async function whole(send: Send<HttpSendEvent>, status: number, headers: [string, string][], text: string): Promise<void> {
  await send({ type: "http.response.start", status, headers });
  await send({ type: "http.response.body", body: text });
}

/** Sorted by name, repeated names in one, as an engine gives them that has no better. */
function normal(headers: AnyScope["headers"]): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of headers) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  }
  return Object.fromEntries([...joined].toSorted(([a], [b]) => a < b ? -1 : 1).map(([name, value]) => [name, short(value)]));
}

function short(text: string): string {
  return text.length > 60 ? `${text.length} characters` : text;
}
