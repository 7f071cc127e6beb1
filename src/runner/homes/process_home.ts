/**
 * Workers as subprocesses: `deno run` of `src/worker.ts`, under the configuration of the app, each behind a Unix socket of its own.
 *
 * @module
 */

import { RemoteHost } from "../../links/remote_host.ts";
import { SocketListener } from "../../links/socket_listener.ts";
import type { Pipe } from "../../links/pipe.ts";
import { folderOf } from "../../loading/app_reference.ts";
import type { AppModule } from "../../loading/load_module.ts";
import { StartupError, WorkerError } from "../../spec/errors.ts";
import { within } from "../../wire/within.ts";
import type { WorkerHandle, WorkerHome, WorkerHooks } from "../pool/ports.ts";
import { deathSignalCommand, WITHOUT_DEATH_SIGNAL } from "./death_signal.ts";
import { OutputRelay } from "./output_relay.ts";
import { sweepStaleDirectories } from "./stale_directories.ts";
import { commandLine, grantedFlags, workerArguments } from "./worker_command.ts";
import { GuardedFilter, PlainFilter, Tail } from "./worker_output.ts";
import { WorkerStream } from "./worker_stream.ts";

/** How a worker that is not trusted is started, and what is to be done when it is gone. */
export interface WorkerCell {
  /** A fresh directory for its socket, in one that no worker may look into. */
  readonly linkFolder: string;
  /** All variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Whom it runs as, where that is somebody else. */
  readonly uid?: number;
  readonly gid?: number;
  /** The socket is there: the arguments of `deno`. */
  admit(socketPath: string): Promise<readonly string[]>;
  /** It is being started; `kill` ends it. */
  started(kill: () => void): void;
  /** It is gone, or never came. */
  leave(): Promise<void>;
}

/** Where such workers come from: `../sandbox/sandbox_plan.ts`. */
export interface WorkerSandbox {
  /** Makes room for a worker. Rejects with `StartupError`. */
  enter(workerNum: number): Promise<WorkerCell>;
}

/** What workers run that is not `src/worker.ts`. */
export interface WorkerProgram {
  readonly name: "listener";
  /** The URL of its module. */
  readonly main: string;
  /** Flags of Deno that it needs. */
  readonly flags: readonly string[];
  /** What the next worker is to load: plain data that it understands. */
  load(): unknown;
  /** Starts it: `spawn` does, and what it starts may inherit something. */
  start(spawn: () => Deno.ChildProcess): Deno.ChildProcess;
  /** Its standard output goes through the server, so that lines of several workers do not get mixed. */
  readonly relaysOutput: boolean;
}

/** How subprocesses are started. */
export interface ProcessHomeOptions {
  readonly load: AppModule;
  /** How often a worker gives a sign of life; 0 is never. */
  readonly heartbeatMs: number;
  /** Its heap is held to that; 0 is no limit. */
  readonly memoryBytes: number;
  /** `PAGI_ENV` of the workers. */
  readonly env: string;
  /** `null`: they may what the server may. */
  readonly sandbox: WorkerSandbox | null;
  /** Left out for `src/worker.ts`. */
  readonly program?: WorkerProgram;
}

/** What is found out once for all workers. */
interface Setup {
  /** The command line of this process, or what it is known to be allowed. */
  readonly parent: readonly string[];
  /** What a worker is started through. */
  readonly prefix: readonly string[];
}

/** A worker that is not allowed this can't connect. */
const NEEDED = ["net", "read", "write"] as const;

const UNKNOWN_PERMISSIONS = "Workers can't get the permissions of the server, which may not read its own command line: " +
  "start it with --allow-all, or with cat in --allow-run";

/** What a process may take from its start to its hello. */
const CONNECT_MS = 10_000;

/** So much of its standard error is kept for the text of an error. */
const TAIL_BYTES = 4096;

/** What the removal of what it had on the disk may take. */
const LEAVE_MS = 1000;

/** The size of a page, which `/proc/PID/statm` counts in. */
const PAGE_BYTES = 4096;

/** The home. */
export class ProcessHome implements WorkerHome {
  readonly name: "process" | "listener";
  readonly #options: ProcessHomeOptions;
  #setup: Promise<Setup> | null = null;
  #isFirst = true;

  /** Nothing is started yet. */
  constructor(options: ProcessHomeOptions) {
    this.name = options.program?.name ?? "process";
    this.#options = options;
  }

  /**
   * Starts a process and waits for its hello.
   *
   * @throws {WorkerError} Where it ends first, or does not come.
   */
  async spawn(workerNum: number, hooks: WorkerHooks): Promise<WorkerHandle> {
    const { load, heartbeatMs, sandbox, program } = this.#options;
    let listener: SocketListener | null = null;
    let cell: WorkerCell | null = null;
    let child: Deno.ChildProcess;
    try {
      const setup = await (this.#setup ??= this.#prepare(hooks));
      cell = await sandbox?.enter(workerNum) ?? null;
      listener = await SocketListener.open(cell?.linkFolder);
      child = this.#start(setup, cell, await cell?.admit(listener.path));
    } catch (error) {
      await listener?.close();
      await cell?.leave();
      throw error instanceof Deno.errors.NotCapable ? new StartupError(missing(error), { cause: error }) : error;
    }
    if (this.#isFirst) void sweepStaleDirectories(folderOf(folderOf(cell?.linkFolder ?? listener.path)), hooks.note);
    this.#isFirst = false;
    const link = listener;
    const tail = new Tail(TAIL_BYTES);
    const streams = this.#read(child, workerNum, tail, hooks);
    let isOver = false;
    const over = child.status.then(async ({ code, signal }) => {
      isOver = true;
      await Promise.all(streams.map((stream) => stream.end()));
      return signal === null ? `exit code ${code}` : `signal ${signal}`;
    });
    const exited = over.then(async (how) => {
      // Its socket may be in its room.
      await link.close();
      await leave(cell, hooks);
      return how;
    });
    const kill = () => {
      if (!isOver) child.kill("SIGKILL");
    };
    cell?.started(kill);
    try {
      const [pipe] = await Promise.all([firstOf(link, over, tail), invite(child, link)]);
      return {
        host: new RemoteHost(pipe, { load: program?.load() ?? load, heartbeatMs, listens: program !== undefined, ...hooks }),
        pid: child.pid,
        exited,
        lastWords: () => tail.text,
        kill,
        rssBytes: () => rssOf(child.pid),
      };
    } catch (error) {
      kill();
      await Promise.all([exited, link.close()]);
      throw error;
    }
  }

  // Once, for all workers.
  async #prepare({ note }: WorkerHooks): Promise<Setup> {
    const { sandbox, memoryBytes } = this.#options;
    const known = commandLine();
    const parent = known ?? grantedFlags();
    if (known === null && sandbox === null && !parent.includes("-A")) {
      if (!NEEDED.every((name) => parent.includes(`--allow-${name}`))) throw new StartupError(UNKNOWN_PERMISSIONS);
      note(
        "warn",
        `The server can't read its own command line without --allow-all or cat in --allow-run: its workers get ${parent.join(" ")}`,
        {},
      );
    }
    if (memoryBytes > 0 && rssOf(Deno.pid) === null) {
      note("warn", "The resident memory of workers can't be read, which takes Linux and --allow-all: only their heap has a limit", {});
    }
    // A worker ends with its link, unless its loop is blocked: then only the system can end it with its server.
    const prefix = await deathSignalCommand();
    if (prefix === null) note("debug", WITHOUT_DEATH_SIGNAL, {});
    return { parent, prefix: prefix ?? [] };
  }

  #start({ parent, prefix }: Setup, cell: WorkerCell | null, cellArgs: readonly string[] = []): Deno.ChildProcess {
    const { load, memoryBytes, env, program: other } = this.#options;
    const [program, ...args] = [
      ...prefix,
      Deno.execPath(),
      ...(cell === null ? workerArguments({ parent, appPath: load.path, memoryBytes, ...other }) : cellArgs),
    ];
    const how: Deno.CommandOptions = { args, stdin: "piped", stderr: "piped" };
    if (cell === null) {
      const stdout = other?.relaysOutput === true ? "piped" : "inherit";
      const command = new Deno.Command(program!, { ...how, stdout, env: { PAGI_ENV: env } });
      return other === undefined ? command.spawn() : other.start(() => command.spawn());
    }
    const { cwd, uid, gid } = cell;
    const user = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
    return new Deno.Command(program!, { ...how, stdout: "piped", env: { ...cell.env }, clearEnv: true, cwd, ...user }).spawn();
  }

  #read(child: Deno.ChildProcess, workerNum: number, tail: Tail, { note }: WorkerHooks): WorkerStream[] {
    const { sandbox, program } = this.#options;
    const say = (name: string) => (bytes: number) =>
      note("warn", `Bytes of the ${name} of a worker were dropped: they came too fast`, { bytes });
    const errors = new OutputRelay(Deno.stderr, say("standard error"));
    const output = new OutputRelay(Deno.stdout, say("standard output"));
    if (sandbox === null) {
      const streams = [new WorkerStream(child.stderr, new PlainFilter(errors), errors, tail)];
      if (program?.relaysOutput === true) streams.push(new WorkerStream(child.stdout, new PlainFilter(output), output, null));
      return streams;
    }
    const prefix = `[worker ${workerNum}] `;
    return [
      new WorkerStream(child.stderr, new GuardedFilter(errors, prefix), errors, tail),
      new WorkerStream(child.stdout, new GuardedFilter(output, prefix), output, null),
    ];
  }
}

function missing({ message }: Error): string {
  return `The server may not start worker processes: ${message}. They take --allow-net, --allow-read and --allow-write for the folder of ` +
    `temporary files, and --allow-run=${Deno.execPath()}, beside what the app takes`;
}

async function firstOf(listener: SocketListener, over: Promise<string>, tail: Tail): Promise<Pipe> {
  const accepted = listener.accept(CONNECT_MS);
  const how = await Promise.race([accepted, over]);
  if (typeof how !== "string") return how;
  await listener.close();
  await accepted.catch(() => {});
  const { text } = tail;
  throw new WorkerError(`A worker process ended before it connected: ${how}${text === "" ? "" : `: ${text}`}`);
}

async function leave(cell: WorkerCell | null, { note }: WorkerHooks): Promise<void> {
  try {
    await within(LEAVE_MS, cell?.leave());
  } catch (error) {
    note("warn", "What a worker had on the disk could not be removed", { error: String(error) });
  }
}

async function invite({ stdin }: Deno.ChildProcess, { path, secret }: SocketListener): Promise<void> {
  const line = `${JSON.stringify({ path, secret })}\n`;
  try {
    await new Blob([line]).stream().pipeTo(stdin);
  } catch (error) {
    // It has ended; how, is told by its status.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function rssOf(pid: number): number | null {
  try {
    return Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1]) * PAGE_BYTES;
  } catch {
    return null; // it has ended, or the system does not tell
  }
}
