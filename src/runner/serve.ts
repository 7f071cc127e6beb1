/**
 * `serve`: a server in one call.
 *
 * @module
 */

import { type Servable, toApp } from "../loading/to_app.ts";
import { StartupError } from "../spec/errors.ts";
import { type AppHome, homeOf, inlineHome } from "./app_home.ts";
import { engineText } from "./engine_choice.ts";
import { openLogging } from "./logging.ts";
import type { ServeOptions } from "./options.ts";
import { RunningServer, type Server } from "./server.ts";
import { type Settings, settle } from "./settings.ts";

export type { Servable } from "../loading/to_app.ts";

/**
 * Serves an app: a function (scope, receive, send), an object with `toApp()`, or one with `fetch(request)`; or the name of one, which is
 * what workers need: a path, a URL or a specifier, with `:export` behind it where it is not the default export.
 *
 * The promise resolves when the app has started and the server listens. Options are those of the command line, with units in their
 * names; of the environment only `PAGI_ENV` is read, where `env` is not given. No signal is listened for: whoever embeds the server
 * decides when to call `shutdown`.
 *
 * @throws {StartupError} Where an option is wrong, the app is none of these, the app refuses to start, or the address can't be had.
 *
 * @example
 * ```ts
 * import { defineApp, serve } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const app = defineApp({
 *   async http(_scope, _receive, send) {
 *     await send({ type: "http.response.start", status: 200 });
 *     await send({ type: "http.response.body", body: "Hello from PAGI" });
 *   },
 * });
 * const server = await serve(app, { port: 0, quiet: true });
 * const response = await fetch(server.url);
 * assertEquals(await response.text(), "Hello from PAGI");
 * await server.shutdown(1000);
 * ```
 *
 * @example An app by name, in two worker processes
 * ```ts ignore
 * import { serve } from "@pagi/server";
 *
 * await using server = await serve(new URL("./app.ts", import.meta.url), { workers: 2 });
 * console.log(server.workers());
 * ```
 */
export async function serve(app: Servable | string | URL, options: ServeOptions = {}): Promise<Server> {
  const settings = settle(options);
  const logging = openLogging(settings, options.logger);
  try {
    const server = await RunningServer.start(homeFor(app, settings), settings, logging);
    logging.log("info", `Listening on ${server.urls.join(", ")} (${engineText(server.choice)})`);
    return server;
  } catch (error) {
    await logging.flush();
    throw error;
  }
}

function homeFor(app: Servable | string | URL, settings: Settings): AppHome {
  if (typeof app === "string" || app instanceof URL) return homeOf({ app: String(app) }, settings, (key) => key);
  if (settings.sandbox !== null) {
    throw new StartupError("sandbox needs an app that a worker can load: give serve() its path, its URL or a specifier", { exitCode: 2 });
  }
  const { count } = settings.workers;
  if (count !== null && count !== 0) {
    throw new StartupError(`workers (${count}) needs an app that a worker can load: give serve() its path, its URL or a specifier`, {
      exitCode: 2,
    });
  }
  return inlineHome(() => toApp(app, "what serve() was given"), settings, (key) => key);
}
