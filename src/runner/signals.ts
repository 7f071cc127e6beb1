/**
 * Signals of the process: how it is asked to stop.
 *
 * TERM and INT stop gracefully; an INT while the stop is under way ends at once, and a TERM then is nothing new. HUP replaces the
 * workers, opens the access log anew and reads the certificates anew, TTIN and TTOU change their number. In one process these have nothing to act on, and USR2 nowhere has: all of them say so.
 *
 * @module
 */

/** What the signals call. */
export interface SignalActions {
  /** TERM, or the first INT: called once. */
  stop(signal: Deno.Signal): void;
  /** An INT while the stop is under way. */
  kill(): void;
  /** A signal that changes nothing. */
  ignored(signal: Deno.Signal): void;
  /** What the workers are told; left out where there are none. */
  readonly workers?: WorkerActions;
}

/** What the signals call where there are workers. */
export interface WorkerActions {
  /** HUP. */
  roll(signal: Deno.Signal): void;
  /** TTIN. */
  grow(signal: Deno.Signal): void;
  /** TTOU. */
  shrink(signal: Deno.Signal): void;
}

/** A terminal and a wrapper such as `deno task` may both deliver the same Ctrl+C: INTs that follow so closely are one. */
const SAME_INT_MS = 50;

/** Listens for signals until disposed. */
export function watchSignals(actions: SignalActions, now: () => number = () => performance.now()): Disposable {
  let stoppedAt: number | null = null;
  const onStop = (signal: Deno.Signal) => {
    if (stoppedAt === null) {
      stoppedAt = now();
      actions.stop(signal);
    } else if (signal === "SIGINT" && now() - stoppedAt >= SAME_INT_MS) actions.kill();
  };
  const all: [Deno.Signal, () => void][] = [
    ["SIGTERM", () => onStop("SIGTERM")],
    ["SIGINT", () => onStop("SIGINT")],
    ["SIGUSR2", () => actions.ignored("SIGUSR2")],
  ];
  const { workers } = actions;
  if (workers === undefined) {
    // Nobody listening, TTIN and TTOU would suspend the process.
    for (const signal of ["SIGHUP", "SIGTTIN", "SIGTTOU"] as const) all.push([signal, () => actions.ignored(signal)]);
  } else {
    all.push(["SIGHUP", () => workers.roll("SIGHUP")]);
    all.push(["SIGTTIN", () => workers.grow("SIGTTIN")]);
    all.push(["SIGTTOU", () => workers.shrink("SIGTTOU")]);
  }
  // Windows has no others that can be listened for.
  const listeners = Deno.build.os === "windows" ? all.filter(([signal]) => signal === "SIGINT" || signal === "SIGHUP") : all;
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
