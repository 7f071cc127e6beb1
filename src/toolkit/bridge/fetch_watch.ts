/**
 * Whether the client of a bridged request is still there: as a signal for the handler, as a callback for the response.
 *
 * Nothing is watched before one of the two is asked for, since watching can cost as much as the rest of a request.
 *
 * @module
 */

import type { HttpScope, SseScope } from "../../spec/scope.ts";
import type { RequestBody } from "./fetch_request_body.ts";

/** The fate of one request. */
export class Watch {
  readonly #scope: HttpScope | SseScope;
  readonly #body: RequestBody;
  #controller: AbortController | null = null;
  #over = false;

  /** An http scope tells by itself; in an sse scope the disconnect event is received, behind the request body. */
  constructor(scope: HttpScope | SseScope, body: RequestBody) {
    this.#scope = scope;
    this.#body = body;
  }

  /** Aborts when the client leaves before the response was complete. */
  get signal(): AbortSignal {
    if (this.#scope.type === "http") return this.#scope["pagi.connection"].signal;
    if (this.#controller === null) {
      const controller = new AbortController();
      this.#controller = controller;
      this.onGone(() => controller.abort(new DOMException("The client has left", "AbortError")));
    }
    return this.#controller.signal;
  }

  /** Calls back when the client leaves before the response was complete. */
  onGone(callback: () => void): void {
    if (this.#scope.type === "http") return this.#scope["pagi.connection"].onDisconnect(() => this.#over || callback());
    this.#body.gone.then(() => this.#over || callback());
  }

  /** The response is complete: what comes now is no loss. */
  end(): void {
    this.#over = true;
  }
}
