/** A stream and a WebSocket without an end; every send is awaited. @module */

import type { App } from "../../mod.ts";

// One chunk again and again, so that what grows is the server's and not the app's own garbage.
const chunk = new Uint8Array(65_536);

const app: App = async (scope, receive, send) => {
  if (scope.type === "http") {
    await send({ type: "http.response.start", status: 200 });
    while (scope["pagi.connection"].isConnected()) await send({ type: "http.response.body", body: chunk, more: true });
  } else if (scope.type === "websocket") {
    let open = true;
    await receive();
    await send({ type: "websocket.accept" });
    (async () => {
      while ((await receive()).type !== "websocket.disconnect");
      open = false;
    })();
    while (open) await send({ type: "websocket.send", bytes: chunk });
  } else throw new Error(`No ${scope.type} here`);
};

export default app;
