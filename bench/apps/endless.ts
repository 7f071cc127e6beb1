/** A stream and a WebSocket without an end; every send is awaited. @module */

import type { App } from "../../mod.ts";

// A fresh chunk for each send: a queue of references to one chunk would weigh nothing, however long it is.
const SIZE = 65_536;

const app: App = async (scope, receive, send) => {
  if (scope.type === "http") {
    await send({ type: "http.response.start", status: 200 });
    while (scope["pagi.connection"].isConnected()) await send({ type: "http.response.body", body: new Uint8Array(SIZE), more: true });
  } else if (scope.type === "websocket") {
    let open = true;
    await receive();
    await send({ type: "websocket.accept" });
    (async () => {
      while ((await receive()).type !== "websocket.disconnect");
      open = false;
    })();
    while (open) await send({ type: "websocket.send", bytes: new Uint8Array(SIZE) });
  } else throw new Error(`No ${scope.type} here`);
};

export default app;
