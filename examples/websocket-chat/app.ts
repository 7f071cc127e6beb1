/** A chat for many users in rooms: a page over HTTP, everything else over one WebSocket for each user. */
import type { App, Send, WebSocketScope } from "@pagi/server";
import { Chat, type Member } from "./chat.ts";

const PAGE = await Deno.readFile(new URL("page.html", import.meta.url));
/** Bytes that may wait for one user; beyond it the connection is too slow to follow. */
const MAX_WAITING_BYTES = 1024 * 1024;

const chat = new Chat();

const app: App = async (scope, receive, send) => {
  if (scope.type === "http") return await servePage(scope.path, send);
  if (scope.type !== "websocket") throw new Error(`Unsupported scope type: ${scope.type}`);
  if (!isSameOrigin(scope)) return await send({ type: "websocket.close" });

  await receive(); // websocket.connect
  await send({ type: "websocket.accept" });
  // A chat could go on for ever: when the server is about to stop, it says good-bye.
  scope.extensions.drain?.signal.addEventListener(
    "abort",
    () => send({ type: "websocket.close", code: 1012, reason: "The server restarts" }),
  );

  let sent = Promise.resolve();
  const member: Member = chat.add((message) => {
    // Nobody waits for another, slow user: messages go out at once, and who has too many of them waiting is let go.
    const isSlow = scope["pagi.transport"].bufferedAmount() > MAX_WAITING_BYTES;
    if (isSlow) chat.remove(member);
    sent = isSlow
      ? send({ type: "websocket.close", code: 1013, reason: "Too slow" })
      : send({ type: "websocket.send", text: JSON.stringify(message) });
    sent.catch((error) => console.error("Cannot reach a user:", error));
  });
  try {
    for (;;) {
      const event = await receive();
      if (event.type !== "websocket.receive") return;
      chat.handle(member, event.text ?? "");
      await sent; // who talks faster than it listens is slowed down
    }
  } finally {
    chat.remove(member);
  }
};

export default app;

/** A page of another site must not open a chat in the name of its visitor. */
function isSameOrigin(scope: WebSocketScope): boolean {
  const headers = new Map(scope.headers);
  const origin = headers.get("origin");
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === headers.get("host"));
}

async function servePage(path: string, send: Send): Promise<void> {
  const found = path === "/";
  await send({
    type: "http.response.start",
    status: found ? 200 : 404,
    headers: [["content-type", found ? "text/html; charset=utf-8" : "text/plain"]],
  });
  await send({ type: "http.response.body", body: found ? PAGE : "Not Found\n" });
}
