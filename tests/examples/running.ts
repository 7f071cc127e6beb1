/** An example as a subprocess, started with the command of its own README; only the port is another one. */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const DEADLINE_MS = 20_000;

/** A running example. */
export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The first line of standard error, past or to come, that matches. */
  line(pattern: RegExp): Promise<string>;
  /** Ends it as Ctrl-C in a service manager would, and gives all that it said. */
  stop(): Promise<string>;
}

/** What a README tells to type, without `deno`. */
export async function commandOf(name: string): Promise<string[]> {
  const readme = await Deno.readTextFile(`${ROOT}examples/${name}/README.md`);
  const command = /^ {4}deno (run -A cli\.ts .*)$/m.exec(readme)?.[1];
  if (command === undefined) throw new Error(`examples/${name}/README.md has no command`);
  return command.split(" ");
}

/** Starts an example and waits until it listens; `replace` changes arguments of its command, `more` adds some. */
export async function run(name: string, more: string[] = [], replace: Record<string, string> = {}): Promise<Running> {
  const args = (await commandOf(name)).map((argument) => replace[argument] ?? argument);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args, "--port", "0", ...more],
    cwd: ROOT,
    env: { NO_COLOR: "1", PAGI_ENV: "production" },
    stdin: "null",
    stdout: "inherit",
    stderr: "piped",
  }).spawn();
  const waiting = new Set<() => void>();
  let text = "";
  let ended = false;
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (const wake of waiting) wake();
    }
    ended = true;
    for (const wake of waiting) wake();
  })();

  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        waiting.delete(look);
        act();
      };
      const look = () => {
        const found = text.split("\n").slice(0, -1).find((part) => pattern.test(part));
        if (found !== undefined) settle(() => resolve(found));
        else if (ended) settle(() => reject(new Error(`The example ended without ${pattern}:\n${text}`)));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`No line ${pattern} within ${DEADLINE_MS} ms:\n${text}`))), DEADLINE_MS);
      waiting.add(look);
      look();
    });

  const stopped = async (): Promise<Deno.CommandStatus> => {
    if (!ended) {
      try {
        child.kill("SIGTERM");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // it has ended already
      }
    }
    await reading;
    return await child.status;
  };

  try {
    const url = /https?:\/\/\S+/.exec(await line(/Listening on/))![0].replace(/\/$/, "");
    return {
      url,
      port: Number(new URL(url).port),
      line,
      async stop() {
        const { code } = await stopped();
        assertEquals(code, 0, text);
        return text;
      },
      async [Symbol.asyncDispose]() {
        await stopped();
      },
    };
  } catch (error) {
    await stopped();
    throw error;
  }
}

/** Runs curl to its end. */
export async function curl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("curl", { args: ["-sS", "--max-time", "20", ...args] }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** curl whose output is read as it comes; ended when disposed of. */
export function curling(...args: string[]): { until(wanted: string): Promise<string>; [Symbol.asyncDispose](): Promise<void> } {
  const child = new Deno.Command("curl", { args: ["-sN", "--max-time", "30", ...args], stdout: "piped", stderr: "null" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async until(wanted) {
      while (!text.includes(wanted)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`The answer ended before ${JSON.stringify(wanted)}: ${JSON.stringify(text)}`);
        text += value;
      }
      return text;
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
      await reader.cancel();
      await child.status;
    },
  };
}
