/** Every line marked `// wrong` must be a compile error; its right twin stands in `right.ts`. Left out of the type check of the project. */

import { type App, defineApp, type HttpApp, type SendEvent } from "@pagi/server";

export const event: SendEvent = { type: "http.response.strat", status: 200 }; // wrong: a misspelt event type
export const field: SendEvent = { type: "sse.send" }; // wrong: a missing field
export const header: SendEvent = { type: "http.response.start", status: 200, headers: [["x-count", 1]] }; // wrong: a number for a header value
export const message: SendEvent = { type: "websocket.send", text: "a", bytes: new Uint8Array() }; // wrong: text and bytes
export const body: SendEvent = { type: "http.response.body", file: "/a", body: "b" }; // wrong: file and body

export const http: HttpApp = async (scope, receive, send) => {
  const received = await receive();
  if (received.type === "websocket.receive") return; // wrong: an event of another scope comes
  await send({ type: "websocket.send", text: "a" }); // wrong: an event of another scope is sent
  await send({ type: "http.response.body", body: scope.subprotocols }); // wrong: a key of another scope as a body
};

export const parts: App = defineApp({
  async websocket(scope, receive, send) {
    await receive();
    await send({ type: "websocket.accept", subprotocol: scope.method }); // wrong: a websocket scope has no method
    await send({ type: "http.response.body", body: "a" }); // wrong: an http event in a websocket scope
  },
  async sse(_scope, _receive, send) {
    await send({ type: "http.response.start", status: 200 }); // wrong: an http event in an sse scope
  },
  async lifespan(scope, _receive, send) {
    scope.state = 1; // wrong: the state is an object
    await send({ type: "lifespan.startup.completed" }); // wrong: a misspelt event type
  },
});

export const raw: App = async (scope, _receive, send) => {
  if (scope.type === "web-socket") await send({ type: "websocket.close" }); // wrong: a misspelt scope type
};
