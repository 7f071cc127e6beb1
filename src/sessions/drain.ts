/**
 * The `drain` extension: one signal for each scope that asks, all aborted when the home starts to drain.
 *
 * A signal is made when an app first reads it, so a request that does not care costs one small object; and it is forgotten when its
 * exchange ends, so listeners can't pile up on a signal that lives as long as the server. Contract section 9.
 *
 * @module
 */

import { DrainError } from "../spec/errors.ts";

/** The open scopes of a home that hold a drain signal. */
export class DrainRegistry {
  readonly #open = new Set<AbortController>();
  #reason: Error | null = null;

  /** Aborts every signal, and those that are asked for later. */
  drain(reason: string, secondsLeft: number): void {
    this.#reason ??= new DrainError(reason, secondsLeft);
    for (const controller of this.#open) controller.abort(this.#reason);
    this.#open.clear();
  }

  /** A fresh controller, already aborted where the drain is on. */
  controller(): AbortController {
    const controller = new AbortController();
    if (this.#reason) controller.abort(this.#reason);
    else this.#open.add(controller);
    return controller;
  }

  /** Forgets a controller whose exchange is over. */
  release(controller: AbortController): void {
    this.#open.delete(controller);
  }
}

/** `extensions.drain` of one scope. */
export class Drain {
  readonly #registry: DrainRegistry;
  #controller: AbortController | null = null;
  #over = false;

  /** Creates the handle; no signal yet. */
  constructor(registry: DrainRegistry) {
    this.#registry = registry;
  }

  /** Aborts when the home drains; its `reason` is a {@linkcode DrainError}. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = this.#over ? new AbortController() : this.#registry.controller();
    }
    return this.#controller.signal;
  }

  /** Lets go of a signal when its exchange is over. */
  static release(drain: Drain): void {
    drain.#over = true;
    if (drain.#controller) drain.#registry.release(drain.#controller);
  }
}
