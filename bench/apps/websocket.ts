/** Sends every message back. @module */

import type { App } from "../../mod.ts";

const app: App = async (scope, receive, send) => {
  if (scope.type !== "websocket") throw new Error(`No ${scope.type} here`);
  await receive();
  await send({ type: "websocket.accept" });
  for (;;) {
    const event = await receive();
    if (event.type !== "websocket.receive") return;
    if (event.text !== undefined) await send({ type: "websocket.send", text: event.text });
    else await send({ type: "websocket.send", bytes: event.bytes });
  }
};

export default app;
