/**
 * The elements of a `Forwarded` header, from the right: `for=192.0.2.1;proto=https, for="[2001:db8::1]"`. RFC 7239 section 4.
 *
 * From the right, because a proxy appends: what stands left of its element is the client's, and a quote that the client leaves open must
 * not swallow the proxy's word. In a well-formed value both directions find the same elements.
 *
 * @module
 */

/** What one proxy says. Parameters that are not here do not matter. */
export interface Element {
  readonly for: string | null;
  readonly proto: string | null;
  readonly host: string | null;
}

/** Longer elements are malformed. */
const MAX_CHARS = 2048;

/** Unquoted values may hold `:` and brackets, which the RFC wants in quotes: many proxies write `for=2001:db8::1`. */
const PAIR = /[ \t]*(?:([!#$%&'*+\-.^_`|~\w]+)=(?:([!#$%&'*+\-.^_`|~\w:[\]]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*(;|$)/y;

/** Gives the elements of a value, the last first. */
export class Elements {
  readonly #text: string;
  #end: number;

  constructor(text: string) {
    this.#text = text;
    this.#end = text.length;
  }

  /** Whether there is no element left. */
  get isOver(): boolean {
    return this.#end < 0;
  }

  /** The next element; `null` where it is malformed. */
  next(): Element | null {
    const start = startOf(this.#text, this.#end);
    const text = this.#end - start > MAX_CHARS ? null : this.#text.slice(start, this.#end);
    this.#end = start - 1;
    return text === null ? null : parseElement(text);
  }
}

/** Behind the last comma before `end` that stands in no quoted string. */
function startOf(text: string, end: number): number {
  let quoted = false;
  for (let at = end - 1; at >= 0; at--) {
    const unit = text.charCodeAt(at);
    if (unit === COMMA) {
      if (!quoted) return at + 1;
    } else if (unit === QUOTE) {
      let before = at;
      while (before > 0 && text.charCodeAt(before - 1) === BACKSLASH) before--;
      // An odd number of backslashes: the quote is a character of the string.
      if ((at - before) % 2 === 0) quoted = !quoted;
      at = before;
    }
  }
  return 0;
}

function parseElement(text: string): Element | null {
  const found: { for: string | null; proto: string | null; host: string | null } = { for: null, proto: null, host: null };
  let isEmpty = true;
  PAIR.lastIndex = 0;
  for (;;) {
    const match = PAIR.exec(text);
    if (match === null) return null;
    const [, name, token, quoted, end] = match as (string | undefined)[];
    if (name !== undefined) {
      isEmpty = false;
      const key = name.toLowerCase();
      if (key === "for" || key === "proto" || key === "host") {
        // Twice the same parameter: one of them may be a client's.
        if (found[key] !== null) return null;
        found[key] = token ?? quoted!.replace(/\\(.)/g, "$1");
      }
    }
    if (end === "") return isEmpty ? null : found;
  }
}

const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
