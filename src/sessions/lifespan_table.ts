/**
 * The rules of a lifespan scope. Contract section 7.
 *
 * @module
 */

import type { Table } from "./table.ts";

/** `lifespan.startup` is out, no answer yet. */
export const STARTING = 0;
/** The app is ready. */
export const STARTED = 1;
/** `lifespan.shutdown` is out, no answer yet. */
export const STOPPING = 2;
/** The app has answered the shutdown, or the wait is over. */
export const STOPPED = 3;
/** The startup failed. */
export const FAILED = 4;
/** The app does not support lifespan. */
export const DECLINED = 5;
/** The app ended after its startup; it gets no shutdown. */
export const OVER = 6;

/** `lifespan.startup.complete` */
export const STARTUP_COMPLETE = 0;
/** `lifespan.startup.failed` */
export const STARTUP_FAILED = 1;
/** `lifespan.shutdown.complete` */
export const SHUTDOWN_COMPLETE = 2;
/** `lifespan.shutdown.failed` */
export const SHUTDOWN_FAILED = 3;
/** the app's promise resolved */
export const RETURN = 4;
/** the app's promise rejected */
export const THROW = 5;
/** the wait for an answer is over */
export const TIMEOUT = 6;
/** the server stops */
export const STOP = 7;

const IS_STARTED = "the startup is complete";
const NO_SHUTDOWN = "no shutdown was asked for";
const IS_STOPPED = "the shutdown is over";
const HAS_FAILED = "the startup has failed";
const HAS_ENDED = "the lifespan has ended";

/** State × event of a lifespan session. */
export const LIFESPAN_TABLE: Table = {
  name: "lifespan",
  states: ["starting", "started", "stopping", "stopped", "failed", "declined", "over"],
  events: [
    "startup.complete",
    "startup.failed",
    "shutdown.complete",
    "shutdown.failed",
    "(app returns)",
    "(app throws)",
    "(timeout)",
    "(server stops)",
  ],
  // deno-fmt-ignore
  rows: [
    [STARTED, FAILED, NO_SHUTDOWN, NO_SHUTDOWN, DECLINED, DECLINED, FAILED, FAILED],
    [IS_STARTED, IS_STARTED, NO_SHUTDOWN, NO_SHUTDOWN, OVER, OVER, STARTED, STOPPING],
    [IS_STARTED, IS_STARTED, STOPPED, STOPPED, STOPPED, STOPPED, STOPPED, STOPPING],
    [IS_STOPPED, IS_STOPPED, IS_STOPPED, IS_STOPPED, STOPPED, STOPPED, STOPPED, STOPPED],
    [HAS_FAILED, HAS_FAILED, HAS_FAILED, HAS_FAILED, FAILED, FAILED, FAILED, FAILED],
    [HAS_ENDED, HAS_ENDED, HAS_ENDED, HAS_ENDED, DECLINED, DECLINED, DECLINED, DECLINED],
    [HAS_ENDED, HAS_ENDED, HAS_ENDED, HAS_ENDED, OVER, OVER, OVER, OVER],
  ],
};
