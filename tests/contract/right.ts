/** Every line here must compile: the right twin of each line in `wrong.ts`. */

import { type App, defineApp, type HttpApp, type SendEvent } from "@pagi/server";

export const event: SendEvent = { type: "http.response.start", status: 200 };
export const field: SendEvent = { type: "sse.send", data: "a" };
export const header: SendEvent = { type: "http.response.start", status: 200, headers: [["x-count", "1"]] };
export const message: SendEvent = { type: "websocket.send", text: "a" };
export const body: SendEvent = { type: "http.response.body", file: "/a" };

export const http: HttpApp = async (scope, receive, send) => {
  const received = await receive();
  if (received.type === "http.request") await send({ type: "http.response.start", status: received.more ? 100 + 100 : 200 });
  await send({ type: "http.response.body", body: scope.method });
};

export const parts: App = defineApp({
  async websocket(scope, receive, send) {
    await receive();
    await send({ type: "websocket.accept", subprotocol: scope.subprotocols[0] ?? null });
    await send({ type: "websocket.send", text: "a" });
  },
  async sse(_scope, _receive, send) {
    await send({ type: "sse.start" });
  },
  async lifespan(scope, _receive, send) {
    scope.state.ready = true;
    await send({ type: "lifespan.startup.complete" });
  },
});

export const raw: App = async (scope, _receive, send) => {
  if (scope.type === "websocket") await send({ type: "websocket.close", code: scope.subprotocols.length ? 1000 : 1003 });
};
