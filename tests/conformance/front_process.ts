/**
 * A process of fronts, reused by all rows: each connection to the socket that its argument names commands one. It ends with its stdin.
 *
 * @module
 */

import { SocketListener } from "../../src/links/socket_listener.ts";
import { serveFront } from "./front.ts";
import { type Command, LineChannel, type Report } from "./front_messages.ts";

const ACCEPT_MS = 5000;

if (import.meta.main) {
  const listener = Deno.listen({ transport: "unix", path: Deno.args[0]! });
  void (async () => {
    for await (const conn of listener) {
      void serveFront(new LineChannel<Report, Command>(conn), async (say) => {
        const socket = await SocketListener.open();
        say({ is: "waiting", path: socket.path, secret: socket.secret });
        return await socket.accept(ACCEPT_MS);
      });
    }
  })();
  console.log("listening");
  for await (const _ of Deno.stdin.readable);
  Deno.exit(0);
}
