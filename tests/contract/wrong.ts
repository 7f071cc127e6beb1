/** Every line marked `// wrong` must fail to compile, with the code that stands there; its right twin is in `right.ts`. */

import { type App, defineApp, type HttpApp, type SendEvent } from "@pagi/server";

export const event: SendEvent = { type: "http.response.strat", status: 200 }; // wrong: TS2820, a misspelt event type
export const field: SendEvent = { type: "sse.send" }; // wrong: TS2322, a missing field
export const header: SendEvent = { type: "http.response.start", status: 200, headers: [["x-count", 1]] }; // wrong: TS2322, a number for a header value
export const message: SendEvent = { type: "websocket.send", text: "a", bytes: new Uint8Array() }; // wrong: TS2322, text and bytes
export const body: SendEvent = { type: "http.response.body", file: "/a", body: "b" }; // wrong: TS2322, file and body

export const http: HttpApp = async (scope, receive, send) => {
  const received = await receive();
  if (received.type === "websocket.receive") return; // wrong: TS2367, an event of another scope comes
  await send({ type: "websocket.send", text: "a" }); // wrong: TS2322, an event of another scope is sent
  await send({ type: "http.response.body", body: scope.subprotocols }); // wrong: TS2322, a key of another scope as a body
};

export const parts: App = defineApp({
  async websocket(scope, receive, send) {
    await receive();
    await send({ type: "websocket.accept", subprotocol: scope.method }); // wrong: TS2322, a websocket scope has no method
    await send({ type: "http.response.body", body: "a" }); // wrong: TS2322, an http event in a websocket scope
  },
  async sse(_scope, _receive, send) {
    await send({ type: "http.response.start", status: 200 }); // wrong: TS2820, an http event in an sse scope
  },
  async lifespan(scope, _receive, send) {
    scope.state = 1; // wrong: TS2322, the state is an object
    await send({ type: "lifespan.startup.completed" }); // wrong: TS2820, a misspelt event type
  },
});

export const raw: App = async (scope, _receive, send) => {
  if (scope.type === "web-socket") await send({ type: "websocket.close" }); // wrong: TS2367, a misspelt scope type
};
