/**
 * Small apps for the tests of the test client.
 *
 * @module
 */

import { type App, defineApp } from "../../src/spec/app.ts";
import type { HttpScope } from "../../src/spec/scope.ts";

/** Answers with what it was asked, as JSON. */
export const mirror: App = defineApp({
  async http(scope, receive, send) {
    let body = "";
    for (let event = await receive(); event.type === "http.request"; event = await receive()) {
      body += new TextDecoder().decode(event.body);
      if (event.more === 0) break;
    }
    const { method, path, raw_path, query_string, headers, http_version, scheme, root_path, client, server } = scope;
    const seen = { method, path, raw_path, query_string, headers, http_version, scheme, root_path, client, server, body };
    await send({ type: "http.response.start", status: 200, headers: [["content-type", "application/json"]] });
    await send({ type: "http.response.body", body: JSON.stringify(seen) });
  },
});

/** What {@linkcode mirror} answers. */
export type Mirrored =
  & Pick<
    HttpScope,
    "method" | "path" | "raw_path" | "query_string" | "headers" | "http_version" | "scheme" | "root_path" | "client" | "server"
  >
  & { body: string };

/** An app of one http answer. */
export function answering(status: number, body: string, headers: [string, string][] = []): App {
  return defineApp({
    async http(_scope, _receive, send) {
      await send({ type: "http.response.start", status, headers });
      await send({ type: "http.response.body", body });
    },
  });
}

/** Echoes messages until the client is gone. */
export const echo: App = defineApp({
  async websocket(scope, receive, send) {
    await receive();
    await send({ type: "websocket.accept", subprotocol: scope.subprotocols[0] ?? null, headers: [["x-app", "echo"]] });
    for (let event = await receive(); event.type === "websocket.receive"; event = await receive()) {
      if (event.text !== undefined) await send({ type: "websocket.send", text: event.text });
      else await send({ type: "websocket.send", bytes: event.bytes });
    }
  },
});
