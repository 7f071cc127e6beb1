/**
 * A constant load: requests begin at a steady rate, and the fate of each one is known.
 *
 * On kept connections, on fresh ones, or on both in turn. A kept connection that the server has closed while nothing was asked on it is
 * not used again, as with any client.
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
  readonly #idle: Connection[] = [];
  readonly #connections: "kept" | "fresh" | "both";
  readonly #started = performance.now();
  readonly #perSecond: number;
  readonly #idleWaiters: (() => void)[] = [];
  #begun = 0;
  #timer: ReturnType<typeof setInterval>;

  constructor(url: string, path: string, perSecond: number, connections: "kept" | "fresh" | "both" = "kept") {
    this.#connections = connections;
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
      const isFresh = this.#connections === "fresh" || this.#connections === "both" && this.#begun % 2 === 0;
      void this.#request(isFresh).then((fate) => {
        this.open--;
        this.count++;
        this.fates[fate] = (this.fates[fate] ?? 0) + 1;
        if (this.open === 0) { for (const resolve of this.#idleWaiters.splice(0)) resolve(); }
      });
    }
  }

  async #request(isFresh: boolean): Promise<Fate> {
    let conn: Connection | null = null;
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      conn?.close();
    }, HANG_MS);
    try {
      conn = (isFresh ? null : this.#kept()) ?? new Connection(await Deno.connect(this.#address));
      const text = await conn.exchange(this.#bytes);
      if (text === null) {
        conn.close();
        return hung ? "hung" : "cut";
      }
      if (isFresh || /\r\nconnection: close\r\n/i.test(text)) conn.close();
      else this.#idle.push(conn);
      const status = Number(text.slice(9, 12));
      return status === 200 ? "ok" : status === 502 ? "502" : `status ${status}`;
    } catch {
      conn?.close();
      return hung ? "hung" : "cut";
    } finally {
      clearTimeout(timer);
    }
  }

  #kept(): Connection | null {
    for (;;) {
      const conn = this.#idle.pop();
      if (conn === undefined) return null;
      if (!conn.isOver) return conn;
      conn.close();
    }
  }
}

/** A connection, which is always read: so it is known when the server closes it. */
class Connection {
  isOver = false;
  readonly #conn: Deno.TcpConn;
  #text = "";
  #wake: (() => void) | null = null;
  #isClosed = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    void this.#read();
  }

  /** Sends a request and gives its answer; `null` where the connection ends first. */
  async exchange(bytes: Uint8Array): Promise<string | null> {
    this.#text = "";
    for (let at = 0; at < bytes.byteLength;) at += await this.#conn.write(bytes.subarray(at));
    for (;;) {
      const end = this.#text.indexOf("\r\n\r\n");
      const length = /\r\ncontent-length: (\d+)/i.exec(this.#text)?.[1];
      if (end >= 0 && length !== undefined && this.#text.length >= end + 4 + Number(length)) return this.#text;
      if (this.isOver) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(1024);
    try {
      for (let count = await this.#conn.read(buffer); count !== null; count = await this.#conn.read(buffer)) {
        this.#text += decoder.decode(buffer.subarray(0, count));
        this.#wake?.();
      }
    } catch {
      // A reset is an end too.
    }
    this.isOver = true;
    this.#wake?.();
  }
}
