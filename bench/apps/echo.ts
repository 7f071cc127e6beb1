/** Parses a JSON body and answers with it. @module */

import type { App, HttpReceiveEvent, Receive } from "../../mod.ts";

const app: App = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`No ${scope.type} here`);
  const data: unknown = JSON.parse(new TextDecoder().decode(await readBody(receive as Receive<HttpReceiveEvent>)));
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "application/json"]] });
  await send({ type: "http.response.body", body: JSON.stringify(data) });
};

async function readBody(receive: Receive<HttpReceiveEvent>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const event = await receive();
    if (event.type !== "http.request") throw new Error("The client left");
    parts.push(event.body);
    if (!event.more) break;
  }
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

export default app;
