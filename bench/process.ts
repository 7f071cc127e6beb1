/**
 * A server in a process of its own: started, measured from outside, ended by its pid.
 *
 * @module
 */

/** The unit of `utime` and `stime` in `/proc/PID/stat`: USER_HZ is 100 wherever Deno runs on Linux. */
const MICROS_PER_TICK = 10_000;

/** How long a server may take until it prints its URL. */
const START_MS = 20_000;

/** How long it may take to a line that is waited for. */
const LINE_MS = 20_000;

const URL_PATTERN = /https?:\/\/[^\s,/]+/;

/** A program and its arguments. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Memory of a process, bytes. */
export interface Memory {
  /** Resident, with all that it shares with other processes. */
  readonly rss: number;
  /** Resident and in no other process. */
  readonly own: number;
}

/** A server that has printed its URL. */
export class ServerProcess implements AsyncDisposable {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #output: Output;

  /**
   * Starts a server and waits until it prints a URL on standard error.
   *
   * @throws {Error} with what it printed, where it ends or stays silent.
   */
  static async start(command: Command): Promise<ServerProcess> {
    const child = spawn(command);
    const output = new Output(child.stderr);
    try {
      const line = await output.next(URL_PATTERN, START_MS);
      return new ServerProcess(child, output, URL_PATTERN.exec(line)![0]);
    } catch (error) {
      await end(child);
      throw new Error(`${command.program} ${command.args.join(" ")}: ${error instanceof Error ? error.message : error}`);
    }
  }

  private constructor(child: Deno.ChildProcess, output: Output, url: string) {
    this.#child = child;
    this.#output = output;
    this.pid = child.pid;
    this.url = url;
  }

  /** Its processes: itself, what it has started, and what those have. */
  pids(): number[] {
    return withDescendants(this.pid);
  }

  /** CPU time of all its processes and their threads so far, µs, in steps of 10 ms. */
  cpuMicros(): number {
    return this.pids().reduce((sum, pid) => sum + cpuMicros(Deno.readTextFileSync(`/proc/${pid}/stat`)), 0);
  }

  /** Resident memory, bytes. */
  rssBytes(): number {
    return rssBytes(Deno.readTextFileSync(`/proc/${this.pid}/status`));
  }

  /** Waits for the next line on its standard error that matches: one that comes after this call. */
  line(pattern: RegExp): Promise<string> {
    return this.#output.next(pattern, LINE_MS);
  }

  /** Sends it a signal. */
  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
  }
}

/** CPU time from the text of `/proc/PID/stat`, µs. The name of the program, in parentheses, may hold spaces. */
export function cpuMicros(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}

/** Resident memory from the text of `/proc/PID/status`, bytes. */
export function rssBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Memory from the text of `/proc/PID/smaps_rollup`. */
export function memoryOf(rollup: string): Memory {
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]) * 1024;
  return { rss: bytes("Rss"), own: bytes("Private_Clean") + bytes("Private_Dirty") };
}

/** Whether a program is installed. */
export async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The lines of a server. They are read all the time, so that a full pipe never holds it up. */
class Output {
  readonly #waiting = new Set<(line: string | null) => void>();
  #ended = false;
  /** The last of it, for messages. */
  #text = "";

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    void this.#read(stream);
  }

  next(pattern: RegExp, timeoutMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const settle = (act: () => void) => {
      clearTimeout(timer);
      this.#waiting.delete(look);
      act();
    };
    const fail = (what: string) => settle(() => reject(new Error(`${what} ${pattern}\n${this.#text}`)));
    const look = (line: string | null) => {
      if (line === null) fail("ended without a line");
      else if (pattern.test(line)) settle(() => resolve(line));
    };
    const timer = setTimeout(() => fail("has not printed in time a line"), timeoutMs);
    this.#waiting.add(look);
    if (this.#ended) look(null);
    return promise;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      this.#text = (this.#text + part).slice(-10_000);
      const lines = (rest + part).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#tell(line);
    }
    this.#ended = true;
    this.#tell(null);
  }

  #tell(line: string | null): void {
    for (const look of [...this.#waiting]) look(line);
  }
}

function withDescendants(pid: number): number[] {
  const all = [pid];
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      const children = Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" ").filter((text) => text !== "");
      all.push(...children.flatMap((child) => withDescendants(Number(child))));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // a thread or a process has ended meanwhile
  }
  return all;
}

function spawn({ program, args, env }: Command): Deno.ChildProcess {
  return new Deno.Command(program, { args: [...args], ...(env ? { env } : null), stdin: "null", stdout: "null", stderr: "piped" }).spawn();
}

// No server here has anything to lose; one with a client that does not read would wait for it.
async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended already
  }
  await child.status;
}
