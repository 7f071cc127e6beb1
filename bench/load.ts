/**
 * Load on a server, always from another process: wrk, h2load, curl, and the clients of bench/clients.
 *
 * Each of them says how much it has done; a load that met errors is no measurement and throws.
 *
 * @module
 */

/** What was done. */
export interface Load {
  /** Requests, messages or events. */
  readonly count: number;
  readonly seconds: number;
}

/** A load that can be put on a server again and again. */
export interface Driver extends AsyncDisposable {
  run(seconds: number): Promise<Load>;
}

/** How wrk asks. */
export interface WrkOptions {
  readonly path?: string;
  readonly connections?: number;
  readonly headers?: readonly (readonly [string, string])[];
  /** A file in bench/clients. */
  readonly script?: string;
}

/** The request headers of a plain request; wrk adds `host`. */
export const SIX_HEADERS: readonly (readonly [string, string])[] = [
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
  ["accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
  ["accept-language", "en-US,en;q=0.5"],
  ["accept-encoding", "gzip, deflate, br, zstd"],
  ["cookie", "session=8f1d0c2a4b6e; theme=dark"],
  ["cache-control", "no-cache"],
];

/** wrk with one thread on one URL. */
export function wrkDriver(url: string, options: WrkOptions = {}): Driver {
  const { path = "/", connections = 32, headers = SIX_HEADERS, script } = options;
  return {
    async run(seconds) {
      const args = ["-t1", `-c${connections}`, `-d${seconds}s`, ...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`])];
      if (script !== undefined) args.push("-s", pathOf(script));
      return readWrk(await output("wrk", [...args, url + path]));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The median latency of requests on one connection, one after the other, µs. */
export async function wrkMedianMicros(url: string, seconds: number): Promise<number> {
  const headers = SIX_HEADERS.flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const text = await output("wrk", ["-t1", "-c1", `-d${seconds}s`, "--latency", ...headers, `${url}/`]);
  readWrk(text);
  return readWrkMedian(text);
}

/** curl that fetches one URL on one connection, as often as it fits; `perSecond` is a guess of how often that is. */
export function curlDriver(url: string, perSecond: number): Driver {
  return {
    async run(seconds) {
      const count = Math.max(1, Math.round(perSecond * seconds));
      const started = performance.now();
      const text = await output("curl", ["-sSf", "-o", "/dev/null", "-w", "%{size_download}\n", `${url}/?[1-${count}]`]);
      const sizes = new Set(text.trim().split("\n"));
      if (sizes.size !== 1 || sizes.has("0")) throw new Error(`curl got answers of different sizes: ${[...sizes].join(", ")}`);
      return { count, seconds: (performance.now() - started) / 1000 };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Sends exactly `count` HTTP/1.1 requests. */
export async function h2load(url: string, count: number): Promise<void> {
  const headers = SIX_HEADERS.flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const text = await output("h2load", ["--h1", "-n", String(count), "-c", "32", "-t", "1", ...headers, url]);
  const done = Number(/status codes: (\d+) 2xx/.exec(text)?.[1]);
  if (done !== count) throw new Error(`h2load: ${done} of ${count} requests were answered\n${text}`);
}

/**
 * A client of bench/clients in a process of its own.
 *
 * It prints `ready` once it is connected. For each line with a number of seconds that it reads, it works for as long and prints a
 * {@linkcode Load} as JSON. It leaves at the end of its input.
 */
export class ClientDriver implements Driver {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: AsyncGenerator<string>;

  /** Starts a client and waits until it is ready. */
  static async start(script: string, url: string, ...args: readonly string[]): Promise<ClientDriver> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "-A", pathOf(script), url, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const driver = new ClientDriver(child);
    const line = await driver.#line();
    if (line !== "ready") throw new Error(`${script} said ${JSON.stringify(line)} in place of "ready"`);
    return driver;
  }

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = linesOf(child.stdout);
  }

  run(seconds: number): Promise<Load> {
    return this.tell(seconds);
  }

  /** Lets it work, for a client that tells more than a {@linkcode Load}. */
  async tell<T extends Load>(seconds: number): Promise<T> {
    await this.#input.write(new TextEncoder().encode(`${seconds}\n`));
    return JSON.parse(await this.#line());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // it has ended already
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 2000);
    await this.#child.status;
    clearTimeout(timer);
    await this.#lines.return(undefined);
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("A client ended before its work was done");
    return value;
  }
}

/** h2load on cleartext HTTP/2 with so many connections, and so many streams on each of them. */
export function h2loadDriver(url: string, connections: number, streams: number): Driver {
  return {
    async run(seconds) {
      const headers = SIX_HEADERS.flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
      const args = ["-D", String(seconds), "-c", String(connections), "-m", String(streams), "-t", "1", ...headers, `${url}/`];
      return readH2load(await output("h2load", args));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Reads what h2load prints of a run that is limited by time. */
export function readH2load(text: string): Load {
  const good = Number(/status codes: (\d+) 2xx/.exec(text)?.[1] ?? 0);
  const [, bad] = /(\d+) failed, \d+ errored/.exec(text) ?? [];
  const [, number, unit] = /^finished in ([\d.]+)(us|ms|s|m)/m.exec(text) ?? [];
  if (number === undefined || good === 0 || Number(bad) > 0) throw new Error(`h2load: not every request was answered\n${text}`);
  return { count: good, seconds: Number(number) * (unit === "us" ? 1e-6 : unit === "ms" ? 0.001 : unit === "m" ? 60 : 1) };
}

/** Reads what wrk prints. */
export function readWrk(text: string): Load {
  const [, count, number, unit] = /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0) throw new Error(`wrk: no request was answered\n${text}`);
  const bad = /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(text)?.[0];
  if (bad !== undefined) throw new Error(`wrk: ${bad}`);
  return { count: Number(count), seconds: Number(number) * (unit === "ms" ? 0.001 : unit === "m" ? 60 : 1) };
}

/** Reads the median that wrk prints, µs. */
export function readWrkMedian(text: string): number {
  const [, number, unit] = /^ *50% +([\d.]+)(us|ms|s)$/m.exec(text) ?? [];
  if (number === undefined) throw new Error(`wrk: no median\n${text}`);
  return Number(number) * (unit === "us" ? 1 : unit === "ms" ? 1000 : 1_000_000);
}

async function output(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function pathOf(script: string): string {
  return new URL(`clients/${script}`, import.meta.url).pathname;
}
