/** The app of `stalled_test.ts`: `/stream` never ends and waits where it must; anything else is a short answer. */

import { defineApp } from "../../src/spec/app.ts";

const PIECE = new Uint8Array(65_536).fill(97);

export default defineApp({
  async websocket(_scope, receive, send) {
    await receive();
    await send({ type: "websocket.accept" });
    while ((await receive()).type !== "websocket.disconnect");
  },
  async http(scope, receive, send) {
    if (scope.path === "/upload") {
      // One part, and then never again.
      await receive();
      await new Promise(() => {});
    }
    await send({ type: "http.response.start", status: 200 });
    if (scope.path !== "/stream") return await send({ type: "http.response.body", body: "ok" });
    while (scope["pagi.connection"].isConnected()) await send({ type: "http.response.body", body: PIECE, more: 1 });
  },
});
