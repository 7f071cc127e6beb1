/**
 * The life of a worker as a table: state × event → next state.
 *
 * Nothing is refused here: an event that comes too late, as the end of a process may, has no effect. `docs/supervision.md` prints the
 * table from here.
 *
 * @module
 */

import { IGNORE, type Table } from "../../sessions/table.ts";

/** The home starts it, it loads the app and runs the lifespan startup. */
export const STARTING = 0;
/** It takes exchanges. */
export const READY = 1;
/** It takes no more; the open ones go on. */
export const DRAINING = 2;
/** It runs the lifespan shutdown. */
export const STOPPING = 3;
/** Nothing more is expected of it but its end, which comes by itself or by a kill. */
export const ENDING = 4;
/** It is gone. */
export const GONE = 5;

/** The lifespan startup is complete. */
export const STARTED = 0;
/** It can't be started. */
export const FAILED = 1;
/** A new one has taken its place, or it is one too many. */
export const RETIRE = 2;
/** The last open exchange is over. */
export const IDLE = 3;
/** The server stops. */
export const STOP = 4;
/** The time that it had is over. */
export const LATE = 5;
/** The lifespan shutdown is complete. */
export const STOPPED = 6;
/** The link broke, or carried what is no packet. */
export const LOST = 7;
/** It is condemned: too silent, or too large. */
export const KILL = 8;
/** The process or thread has ended. */
export const EXITED = 9;
/** Nothing is left of it. */
export const OVER = 10;

/** The table. */
export const WORKER_TABLE: Table = {
  name: "worker",
  states: ["starting", "ready", "draining", "stopping", "ending", "gone"],
  events: ["started", "failed", "retire", "idle", "stop", "late", "stopped", "lost", "kill", "exited", "over"],
  rows: [
    [READY, ENDING, ENDING, IGNORE, ENDING, IGNORE, IGNORE, ENDING, ENDING, ENDING, IGNORE],
    [IGNORE, IGNORE, DRAINING, IGNORE, STOPPING, IGNORE, IGNORE, ENDING, ENDING, ENDING, IGNORE],
    [IGNORE, IGNORE, IGNORE, STOPPING, STOPPING, STOPPING, IGNORE, ENDING, ENDING, ENDING, IGNORE],
    [IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, ENDING, ENDING, ENDING, ENDING, ENDING, IGNORE],
    [IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, GONE],
    [IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE],
  ],
};
