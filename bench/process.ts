/**
 * A server in a process of its own: started, measured from outside, ended by its pid.
 *
 * @module
 */

/** The unit of `utime` and `stime` in `/proc/PID/stat`: USER_HZ is 100 wherever Deno runs on Linux. */
const MICROS_PER_TICK = 10_000;

/** How long a server may take until it prints its URL. */
const START_MS = 20_000;

const URL_PATTERN = /https?:\/\/[^\s,/]+/;

/** A program and its arguments. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that has printed its URL. */
export class ServerProcess implements AsyncDisposable {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly pid: number;
  readonly #child: Deno.ChildProcess;

  /**
   * Starts a server and waits until it prints a URL on standard error.
   *
   * @throws {Error} with what it printed, where it ends or stays silent.
   */
  static async start(command: Command): Promise<ServerProcess> {
    const child = spawn(command);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = "";
    const fail = (what: string) => reject(new Error(`${command.program} ${command.args.join(" ")}: ${what}\n${text}`));
    // What a server prints later is read too, so that a full pipe never holds it up.
    (async () => {
      for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
        text = (text + part).slice(-10_000);
        const url = URL_PATTERN.exec(text)?.[0];
        if (url !== undefined && /[\n]/.test(text)) resolve(url);
      }
      fail("ended without printing a URL");
    })();
    const timer = setTimeout(() => fail("printed no URL in time"), START_MS);
    try {
      return new ServerProcess(child, await promise);
    } catch (error) {
      await end(child);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private constructor(child: Deno.ChildProcess, url: string) {
    this.#child = child;
    this.pid = child.pid;
    this.url = url;
  }

  /** CPU time of all threads so far, µs, in steps of 10 ms. */
  cpuMicros(): number {
    return cpuMicros(Deno.readTextFileSync(`/proc/${this.pid}/stat`));
  }

  /** Resident memory, bytes. */
  rssBytes(): number {
    return rssBytes(Deno.readTextFileSync(`/proc/${this.pid}/status`));
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

/** Whether a program is installed. */
export async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
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
