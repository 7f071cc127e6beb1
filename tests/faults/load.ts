/**
 * A constant load: requests begin at a steady rate, on kept connections, and the fate of each one is known.
 *
 * @module
 */

/** How a request ended. `cut`: the connection was closed or reset instead of an answer. */
export type Fate = "ok" | "502" | "cut" | "hung" | `status ${number}`;

/** How many requests ended in each way. */
export type Fates = Partial<Record<Fate, number>>;

/** A request without an answer after that long hangs. */
const HANG_MS = 10_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Makes `perSecond` requests each second until it is stopped. */
export class Load {
  readonly fates: Fates = {};
  /** Requests that have ended. */
  count = 0;
  /** Requests that are under way. */
  open = 0;
  /** The most that were under way at once. */
  mostOpen = 0;
  readonly #address: { hostname: string; port: number };
  readonly #bytes: Uint8Array;
  readonly #idle: Deno.TcpConn[] = [];
  readonly #started = performance.now();
  readonly #perSecond: number;
  readonly #idleWaiters: (() => void)[] = [];
  #begun = 0;
  #timer: ReturnType<typeof setInterval>;

  constructor(url: string, path: string, perSecond: number) {
    const { hostname, port } = new URL(url);
    this.#address = { hostname, port: Number(port) };
    this.#bytes = encoder.encode(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    this.#perSecond = perSecond;
    this.#timer = setInterval(() => this.#begin(), 2);
  }

  /** Requests that did not end well. */
  get failed(): number {
    return this.count - (this.fates.ok ?? 0);
  }

  /** Begins no more, and waits for the rest. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.open > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    for (const conn of this.#idle.splice(0)) conn.close();
  }

  // As many as are due; a machine that was busy catches up.
  #begin(): void {
    const due = Math.floor((performance.now() - this.#started) * this.#perSecond / 1000);
    for (; this.#begun < due; this.#begun++) {
      this.open++;
      this.mostOpen = Math.max(this.mostOpen, this.open);
      void this.#request().then((fate) => {
        this.open--;
        this.count++;
        this.fates[fate] = (this.fates[fate] ?? 0) + 1;
        if (this.open === 0) { for (const resolve of this.#idleWaiters.splice(0)) resolve(); }
      });
    }
  }

  async #request(): Promise<Fate> {
    const conn = this.#idle.pop() ?? await Deno.connect(this.#address);
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      conn.close();
    }, HANG_MS);
    try {
      const text = await this.#exchange(conn);
      if (text === null) {
        conn.close();
        return "cut";
      }
      if (/\r\nconnection: close\r\n/i.test(text)) conn.close();
      else this.#idle.push(conn);
      const status = Number(text.slice(9, 12));
      return status === 200 ? "ok" : status === 502 ? "502" : `status ${status}`;
    } catch {
      if (hung) return "hung";
      conn.close();
      return "cut";
    } finally {
      clearTimeout(timer);
    }
  }

  // The answer, `null` where the connection ended first.
  async #exchange(conn: Deno.TcpConn): Promise<string | null> {
    for (let at = 0; at < this.#bytes.byteLength;) at += await conn.write(this.#bytes.subarray(at));
    const buffer = new Uint8Array(1024);
    for (let text = "";;) {
      const count = await conn.read(buffer);
      if (count === null) return null;
      text += decoder.decode(buffer.subarray(0, count));
      const end = text.indexOf("\r\n\r\n");
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (end >= 0 && length !== undefined && text.length >= end + 4 + Number(length)) return text;
    }
  }
}
