/**
 * What a server tells about its workers.
 *
 * @module
 */

/**
 * One worker. While a worker is replaced there are two of its number: the new one and the one that still drains.
 *
 * @example
 * ```ts
 * import type { WorkerInfo } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const line = ({ number, pid, state, open }: WorkerInfo) => `worker ${number} (${pid ?? "thread"}): ${state}, ${open} open`;
 * const worker: WorkerInfo = { number: 1, pid: 4711, state: "ready", open: 3, restarts: 0, lastCause: null };
 * assertEquals(line(worker), "worker 1 (4711): ready, 3 open");
 * ```
 */
export interface WorkerInfo {
  /** The `worker_num` that the app finds in its lifespan scope, from 1 on. */
  readonly number: number;
  /** `null` for a thread, and where the process is not there yet or no more. */
  readonly pid: number | null;
  /** `starting`, `ready`, `draining`, `stopping`, `ending`; `gone` where a new one is due and waits for its turn. */
  readonly state: WorkerState;
  /** Open exchanges. */
  readonly open: number;
  /** How often the worker of this number was replaced. */
  readonly restarts: number;
  /** Why it was the last time, `null` where it never was. */
  readonly lastCause: string | null;
}

/** The states of a worker. */
export type WorkerState = "starting" | "ready" | "draining" | "stopping" | "ending" | "gone";
