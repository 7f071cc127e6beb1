/**
 * An app under observation: what it throws, to whom that is told, and the state that its lifespan fills. It changes nothing for the app.
 *
 * @module
 */

import type { App } from "../spec/app.ts";
import type { LifespanScope } from "../spec/scope.ts";

/** The client's end of an exchange, which can be made to throw. */
export interface Handle {
  /** Nothing comes any more. */
  readonly isOver: boolean;
  /** The app threw in it. */
  appThrew(error: unknown): void;
  /** Fails everything that waits. */
  fail(error: unknown): void;
}

/** Watches one app. */
export class AppWatch {
  /** The app, watched. */
  readonly app: App;
  /** What it threw, the lifespan left out. */
  readonly errors: unknown[] = [];
  /** What was to be raised, but no call of the client waited any more. */
  readonly unraised: unknown[] = [];
  readonly #raises: boolean;
  /** Whose exchange is being opened: a home calls the app meanwhile. */
  #opening: Handle | null = null;
  #lifespan: LifespanScope | null = null;
  #isStarted = false;

  /** `raises`: errors are told to the exchange that they belong to. */
  constructor(app: App, raises: boolean) {
    this.#raises = raises;
    this.app = (scope, receive, send) => {
      if (scope.type === "lifespan") {
        this.#lifespan = scope;
        return app(scope, receive, async (event) => {
          await send(event);
          if (event.type === "lifespan.startup.complete") this.#isStarted = true;
        });
      }
      const handle = this.#opening;
      try {
        const running = app(scope, receive, send);
        Promise.resolve(running).catch((error) => this.#failed(error, handle));
        return running;
      } catch (error) {
        this.#failed(error, handle);
        throw error;
      }
    };
  }

  /** The lifespan state as the app holds it, `null` where its startup is not complete. */
  get state(): Record<string, unknown> | null {
    return this.#isStarted ? this.#lifespan!.state : null;
  }

  /** Opens an exchange; an app that is called meanwhile is called for `handle`. */
  opening<T>(handle: Handle, open: () => T): T {
    this.#opening = handle;
    try {
      return open();
    } finally {
      this.#opening = null;
    }
  }

  #failed(error: unknown, handle: Handle | null): void {
    this.errors.push(error);
    handle?.appThrew(error);
    if (!this.#raises) return;
    if (handle === null || handle.isOver) this.unraised.push(error);
    else handle.fail(error);
  }
}
