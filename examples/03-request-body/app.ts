/** Reads the whole request body and sends it back. */
import type { App, Receive } from "@pagi/server";

const app: App = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
  const body = await readBody(receive);
  if (body === null) return;
  const text = body.byteLength > 0 ? `You sent: ${new TextDecoder().decode(body)}` : "No body provided";
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain; charset=utf-8"]] });
  await send({ type: "http.response.body", body: text });
};

export default app;

/** The whole body, or `null` where the client left before it was whole. */
async function readBody(receive: Receive): Promise<Uint8Array | null> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const event = await receive();
    if (event.type !== "http.request") return null;
    parts.push(event.body as Uint8Array<ArrayBuffer>);
    if (!event.more) return new Uint8Array(await new Blob(parts).arrayBuffer());
  }
}
