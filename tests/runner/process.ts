/**
 * The command line as a real subprocess: started, read, signalled, and always ended.
 *
 * @module
 */

/** The folder of the package. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** An app that answers with the path, and says on standard output what its lifespan hears. */
export const APP = `export default async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    for (;;) {
      const { type } = await receive();
      console.log(type);
      await send({ type: type + ".complete" });
      if (type === "lifespan.shutdown") return;
    }
  }
  if (scope.type !== "http") throw new Error("Unsupported scope type: " + scope.type);
  if (scope.path === "/hang") await new Promise(() => {});
  if (scope.path === "/throw") throw new Error("the app broke");
  if (scope.path === "/reject") Promise.reject(new Error("nobody handles it"));
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
  await send({ type: "http.response.body", body: scope.path });
};
`;

/** What a finished command left. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One output stream of a process, collected. */
export class Output {
  text = "";
  readonly done: Promise<void>;
  #waiting: { test: (text: string) => boolean; resolve: () => void }[] = [];

  constructor(stream: ReadableStream<Uint8Array>) {
    this.done = this.#read(stream);
  }

  /** Settles when the text, from a place on, holds `wanted`; rejects where the stream ends without it. */
  async until(wanted: string | RegExp, from = 0): Promise<string> {
    const test = (text: string) => typeof wanted === "string" ? text.includes(wanted, from) : wanted.test(text.slice(from));
    if (!test(this.text)) {
      const found = new Promise<void>((resolve) => this.#waiting.push({ test, resolve }));
      await Promise.race([found, this.done]);
      if (!test(this.text)) throw new Error(`The output ended without ${wanted}:\n${this.text}`);
    }
    return this.text;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      for (const waiting of this.#waiting) if (waiting.test(this.text)) waiting.resolve();
    }
  }
}

/** A running command. */
export class Cli implements AsyncDisposable {
  readonly pid: number;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #child: Deno.ChildProcess;
  #over = false;

  constructor(
    args: readonly string[],
    options: {
      cwd?: string;
      env?: Record<string, string>;
      denoArgs?: readonly string[];
      main?: string;
      detached?: boolean;
      /** A command that becomes what follows it. */
      via?: readonly string[];
    } = {},
  ) {
    const command = [Deno.execPath(), "run", "-A", ...(options.denoArgs ?? []), options.main ?? `${ROOT}cli.ts`, ...args];
    const [first, ...rest] = [...(options.via ?? []), ...command];
    this.#child = new Deno.Command(first!, {
      args: rest,
      cwd: options.cwd ?? ROOT,
      env: { NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: options.detached ?? false,
    }).spawn();
    this.pid = this.#child.pid;
    this.stdout = new Output(this.#child.stdout);
    this.stderr = new Output(this.#child.stderr);
  }

  /** The URL of the banner. */
  async url(): Promise<string> {
    const text = await this.stderr.until(/Listening on \S+/);
    return /Listening on (\S+?),? /.exec(text)![1]!;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. */
  async finished(): Promise<Finished> {
    const { code } = await this.#child.status;
    this.#over = true;
    await Promise.all([this.stdout.done, this.stderr.done]);
    return { code, stdout: this.stdout.text, stderr: this.stderr.text };
  }

  /** Stops with TERM and waits. */
  async stop(): Promise<Finished> {
    this.kill("SIGTERM");
    return await this.finished();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return;
    try {
      this.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.finished();
  }
}

/** Runs a command to its end. */
export async function cli(args: readonly string[], options: ConstructorParameters<typeof Cli>[1] = {}): Promise<Finished> {
  await using command = new Cli(args, options);
  return await command.finished();
}

/** A fresh folder with files in it, removed at the end. */
export async function folder(files: Readonly<Record<string, string>> = {}): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(`${path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
