/** Echoes every WebSocket message: text with a prefix, bytes unchanged. */
import type { App } from "@pagi/server";

const app: App = async (scope, receive, send) => {
  if (scope.type !== "websocket") throw new Error(`Unsupported scope type: ${scope.type}`);
  for (;;) {
    const event = await receive();
    switch (event.type) {
      case "websocket.connect":
        await send({ type: "websocket.accept" });
        // A stop of the server would wait for this client otherwise.
        scope.extensions.drain?.signal.addEventListener("abort", () => send({ type: "websocket.close", code: 1012 }));
        break;
      case "websocket.receive":
        if (event.text !== undefined) await send({ type: "websocket.send", text: `echo: ${event.text}` });
        else await send({ type: "websocket.send", bytes: event.bytes });
        break;
      case "websocket.disconnect":
        return console.error(`Client disconnected: ${event.code} ${event.reason}`);
    }
  }
};

export default app;
