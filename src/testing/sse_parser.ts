/**
 * A reader of event streams, as the HTML standard describes them (section 9.2.6, "Interpreting an event stream"), which also keeps the comments.
 *
 * It shares nothing with the code that writes streams.
 *
 * @module
 */

/** One event of a stream. */
export interface SseEvent {
  /** The data lines, joined by LF. */
  readonly data: string;
  /** Left out where the stream names none. */
  readonly event?: string;
  /** Left out where this event carries none. */
  readonly id?: string;
  /** Milliseconds. */
  readonly retry?: number;
}

/** Turns text, in pieces of any size, into events. */
export class SseParser {
  readonly #onEvent: (event: SseEvent) => void;
  readonly #onComment: (comment: string) => void;
  #rest = "";
  #fresh = true;
  #data: string[] = [];
  #fields: { event?: string; id?: string; retry?: number } = {};

  /** Creates a parser that reports to two callbacks. */
  constructor(onEvent: (event: SseEvent) => void, onComment: (comment: string) => void) {
    this.#onEvent = onEvent;
    this.#onComment = onComment;
  }

  /** Takes a piece of text. */
  push(text: string): void {
    this.#rest += text;
    if (this.#fresh && this.#rest.length > 0) {
      this.#fresh = false;
      if (this.#rest.startsWith("\uFEFF")) this.#rest = this.#rest.slice(1);
    }
    for (;;) {
      const at = this.#rest.search(/[\r\n]/);
      if (at < 0) return;
      // A CR at the very end may be the first half of a CRLF.
      if (this.#rest[at] === "\r" && at === this.#rest.length - 1) return;
      const end = this.#rest[at] === "\r" && this.#rest[at + 1] === "\n" ? 2 : 1;
      const line = this.#rest.slice(0, at);
      this.#rest = this.#rest.slice(at + end);
      this.#line(line);
    }
  }

  #line(line: string): void {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return this.#onComment(line.slice(1));
    const name = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? "" : line.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#fields.event = value;
    else if (name === "id" && !value.includes("\0")) this.#fields.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.#fields.retry = Number(value);
  }

  /** A block without data is no event: its name is dropped, its id and retry are kept for the next one. */
  #dispatch(): void {
    const { event: _name, ...kept } = this.#fields;
    if (this.#data.length === 0) {
      this.#fields = kept;
      return;
    }
    this.#onEvent({ data: this.#data.join("\n"), ...this.#fields });
    this.#data = [];
    this.#fields = {};
  }
}
