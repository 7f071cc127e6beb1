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
export type { Denial } from "./src/runner/sandbox/denials.ts";
export type { WorkerInfo, WorkerState } from "./src/runner/pool/worker_info.ts";

// The CLI is loaded only here, so that importing the library stays light. No top-level await: the app imports this module too, and
// would wait for it while it waits for the app.
if (import.meta.main) void import("./src/runner/main.ts").then(({ main }) => main(Deno.args)).then(Deno.exit);
