/**
 * PAGI for Deno: an asynchronous gateway server for HTTP, WebSocket, server-sent events and lifespan.
 *
 * As a library it gives the contract as types and {@linkcode serve}. As the main module it is the command line:
 * `deno run -A jsr:@pagi/server app.ts`.
 *
 * @module
 */

export * from "./src/spec/mod.ts";
export * from "./src/runner/serve.ts";
export type { ServeOptions } from "./src/runner/options.ts";
export type { LoggerLike } from "./src/runner/logger.ts";
export type { Server } from "./src/runner/server.ts";

if (import.meta.main) {
  // Loaded only here, so that importing the library stays light.
  const { main } = await import("./src/runner/main.ts");
  Deno.exit(await main(Deno.args));
}
