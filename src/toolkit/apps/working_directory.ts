/**
 * The app of a command without one: it lists the working directory.
 *
 * @module
 */

import type { App } from "../../spec/app.ts";
import { directoryApp } from "./directory.ts";

/** Makes the app; the directory is looked at when it is called. */
export default function workingDirectory(): App {
  return directoryApp(Deno.cwd());
}
