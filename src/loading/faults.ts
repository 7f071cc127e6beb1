/**
 * Faults that no exchange answers for: rejections that nobody handles, and errors thrown in timers. They are logged, and the server
 * goes on: one careless callback must not end every other request.
 *
 * @module
 */

import type { Fields, Level } from "../exchange.ts";

/** Listens for such faults until disposed. */
export function watchFaults(log: (level: Level, text: string, fields?: Fields) => void): Disposable {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    log("error", "A rejection was not handled", { error: describe(event.reason) });
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    log("error", "An error was not caught", { error: describe(event.error) });
  };
  addEventListener("unhandledrejection", onRejection);
  addEventListener("error", onError);
  return {
    [Symbol.dispose]() {
      removeEventListener("unhandledrejection", onRejection);
      removeEventListener("error", onError);
    },
  };
}

// What was thrown may throw itself when it is looked at, which must not end the process after all.
function describe(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack ?? `${error.name}: ${error.message}`) : Deno.inspect(error);
  } catch {
    return "something that can't be shown";
  }
}
