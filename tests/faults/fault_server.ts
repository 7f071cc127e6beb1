/**
 * A real server with real workers, in a folder of its own, and the proof that nothing is left of what went wrong in it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { until, within } from "../conformance/waiting.ts";
import { Cli, type Finished, folder, type Output } from "../runner/process.ts";
import { appText } from "./app.ts";
import { ask } from "./raw_client.ts";
import { children, descriptors, isAlive } from "./processes.ts";

/** How a server is started. */
export interface FaultServerOptions {
  /** `process` by default. */
  readonly home?: "process" | "thread" | "listener";
  /** 2 by default. */
  readonly workers?: number;
  /** More arguments. */
  readonly args?: readonly string[];
  /** The lifespan startup of a worker waits until {@linkcode FaultServer.openGate}. The first one finds it open unless it says "closed". */
  readonly gate?: "open" | "closed";
  readonly shutdown?: "hang";
  /** Another app. */
  readonly app?: string;
  /** It leads a session of its own. */
  readonly detached?: boolean;
}

/** The access log on standard output, told apart from what the app prints. */
const LOG_FORMAT = "log %s %U %X";

/** How long anything may take that a test waits for. */
const WAIT_MS = 10_000;

/** A server under test. */
export class FaultServer implements AsyncDisposable {
  readonly cli: Cli;
  readonly #folder: AsyncDisposable & { path: string };
  readonly #count: number;
  #url = "";
  #baseline: Leftovers | null = null;
  #finished: Finished | null = null;
  /** All workers that were ever seen. */
  readonly #pids = new Set<number>();
  #seen = 0;

  /** Starts one and waits until it listens; with a closed gate it does not wait. */
  static async start(options: FaultServerOptions = {}): Promise<FaultServer> {
    const dir = await folder({ "tmp/.keep": "" });
    const gate = options.gate === undefined ? "" : `${dir.path}/gate`;
    await Deno.writeTextFile(`${dir.path}/app.js`, options.app ?? appText({ gate, shutdown: options.shutdown ?? "" }));
    const server = new FaultServer(dir, options);
    if (options.gate === "closed") return server;
    if (options.gate === "open") await server.openGate();
    try {
      server.#url = await within(server.cli.url(), "the banner", WAIT_MS);
      await server.#settle();
      server.#baseline = server.#leftovers();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(dir: AsyncDisposable & { path: string }, options: FaultServerOptions) {
    const { home = "process", workers = 2, args = [], detached = false } = options;
    this.#folder = dir;
    this.#count = home === "thread" ? 0 : workers;
    const defaults = [["--shutdown-timeout", "5"], ["--access-log", "-"], ["--access-log-format", LOG_FORMAT]];
    const own = ["app.js", "--port", "0", "--workers", String(workers), "--worker-type", home];
    this.cli = new Cli([...own, ...defaults.filter(([name]) => !args.includes(name!)).flat(), ...args], {
      cwd: dir.path,
      env: { TMPDIR: `${dir.path}/tmp` },
      detached,
    });
  }

  /** Where it listens, with a `/` at the end. */
  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.cli.pid;
  }

  /** The processes of the workers. */
  workers(): number[] {
    const pids = children(this.pid);
    for (const pid of pids) this.#pids.add(pid);
    return pids;
  }

  /** Lets a lifespan startup end. */
  async openGate(): Promise<void> {
    await Deno.writeTextFile(`${this.#folder.path}/gate`, "");
  }

  /** From now on a lifespan startup waits. */
  async closeGate(): Promise<void> {
    await Deno.remove(`${this.#folder.path}/gate`);
  }

  /** Waits until the app says that it is in a state, beyond what earlier calls have seen, and gives the process that said so. */
  async at(state: string): Promise<number> {
    const pattern = new RegExp(`^${state} (\\d+)\n`, "m");
    const text = await within(this.cli.stdout.until(pattern, this.#seen), `the app at ${state}`, WAIT_MS);
    const match = pattern.exec(text.slice(this.#seen))!;
    this.#seen += match.index + match[0].length;
    this.#pids.add(Number(match[1]));
    return Number(match[1]);
  }

  /** Waits for a line of the server's log, from a place in it on. */
  log(pattern: RegExp, from = 0): Promise<string> {
    return this.#output(this.cli.stderr, pattern, from);
  }

  /** Waits for a line of the access log: status, path and reason; it is written within a quarter of a second. */
  access(line: string): Promise<string> {
    return this.#output(this.cli.stdout, new RegExp(`^log ${line}$`, "m"));
  }

  /** Waits until all workers are there again and everything else is as it was after the start. */
  async recovered(): Promise<void> {
    let now: Leftovers | null = null;
    const isRight = () => JSON.stringify(now = this.#leftovers()) === JSON.stringify(this.#baseline);
    try {
      await until(isRight, "what was left to go away", WAIT_MS);
    } catch {
      assertEquals(now, this.#baseline);
    }
  }

  /** Stops it, and proves that nothing is left. Children beyond the workers that are there now are given by who knew them. */
  async stop({ code = 0, pids = [] }: { code?: number; pids?: readonly number[] } = {}): Promise<Finished> {
    const all = [...pids, ...this.workers()];
    this.cli.kill("SIGTERM");
    return await this.end(code, all);
  }

  /** The same for one that ends by itself. */
  async end(code: number, pids: readonly number[] = []): Promise<Finished> {
    const finished = await within(this.cli.finished(), `the end of the server: ${this.cli.stderr.text}`, WAIT_MS);
    this.#finished = finished;
    assertEquals(finished.code, code, finished.stderr);
    assertEquals(pids.filter(isAlive), [], "workers are left");
    assertEquals(this.#temporary(), [], "temporary files are left");
    return finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#finished === null) {
      this.workers();
      if (isAlive(this.pid)) this.cli.kill("SIGKILL");
      // Where a test has failed, they may be what it failed for.
      for (const pid of this.#pids) if (pid !== this.pid && isAlive(pid)) Deno.kill(pid, "SIGKILL");
      await this.cli[Symbol.asyncDispose]();
    }
    await this.#folder[Symbol.asyncDispose]();
  }

  async #output(output: Output, pattern: RegExp, from = 0): Promise<string> {
    const found = output.until(pattern, from);
    try {
      return await within(found, `${pattern} in the output`, WAIT_MS);
    } catch (error) {
      found.catch(() => {});
      throw new Error(`${(error as Error).message}:\n${output.text}\n${output === this.cli.stderr ? "" : this.cli.stderr.text}`);
    }
  }

  // What the first exchanges leave open for good is no leak.
  async #settle(): Promise<void> {
    for (let n = 0; n < 4; n++) await ask(this.#url, "/");
    let before = "";
    await until(() => {
      const now = JSON.stringify(this.#leftovers());
      const isSame = now === before;
      before = now;
      return isSame && this.workers().length === this.#count;
    }, "the server to be at rest");
  }

  #leftovers(): Leftovers {
    return { descriptors: descriptors(this.pid), workers: this.workers().length, temporary: this.#temporary() };
  }

  #temporary(): string[] {
    return [...Deno.readDirSync(`${this.#folder.path}/tmp`)].map(({ name }) => name).filter((name) => name !== ".keep");
  }
}

interface Leftovers {
  readonly descriptors: Record<string, number>;
  readonly workers: number;
  readonly temporary: readonly string[];
}
