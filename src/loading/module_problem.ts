/**
 * Says in one line why a module did not load: where a syntax error is, which import is missing, what a module threw.
 *
 * @module
 */

import { filePath } from "./app_reference.ts";
import { IMPORTS } from "./config_scope.ts";

const OWN_HINT =
  `Give the deno.json of the app ${IMPORTS} and, before the package is on JSR, "links" to a clone: README, "Your own project"`;

/** One line about an error that `import()` rejected with. */
export function moduleProblem(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${Deno.inspect(error)}`;
  const isImport = "code" in error && error.code === "ERR_MODULE_NOT_FOUND" || error instanceof SyntaxError;
  const message = plain(error.message);
  if (!isImport) return `it threw ${oneLine(`${error.name}: ${message.split("\n", 1)[0]}`)}${where(firstFrame(plain(error.stack ?? "")))}`;
  const location = /\bat ((?:file|https?|data):\S+?:\d+:\d+)/.exec(message)?.[1] ?? null;
  const [first, ...rest] = message.split("\n");
  // What Deno advises can't be followed before the package is on JSR.
  const isOwn = /^Import "@pagi\/server(?:\/[a-z]+)?" not a dependency/.test(first!);
  const hint = isOwn ? OWN_HINT : rest.map((line) => /^\s*hint: (.*)$/.exec(line)?.[1]).find((line) => line !== undefined);
  const text = first!.replace(/ at (?:file|https?|data):\S+:\d+:\d+$/, "").replace(/\.$/, "").replace(
    /"file:[^"]*"/g,
    (url) => `"${shorten(url.slice(1, -1))}"`,
  );
  return `${error instanceof SyntaxError && !text.startsWith("SyntaxError") ? "SyntaxError: " : ""}${text}${where(location)}${
    hint === undefined ? "" : ` (${hint})`
  }`;
}

// Frames of this package and of the runtime say nothing to whoever wrote the app.
function firstFrame(stack: string): string | null {
  const own = new URL(".", import.meta.url).href;
  for (const match of stack.matchAll(/\bat (?:async )?(?:[^\n]*?\()?((?:file|https?|data):[^\s)]+:\d+:\d+)\)?/g)) {
    if (!match[1]!.startsWith(own)) return match[1]!;
  }
  return null;
}

function where(location: string | null): string {
  if (location === null) return "";
  const match = /^(.*?):(\d+:\d+)$/.exec(location)!;
  if (match[1]!.startsWith("data:")) return ` (at ${match[2]})`;
  return ` (at ${shorten(match[1]!)}:${match[2]})`;
}

// A path below the working directory is written from there.
function shorten(url: string): string {
  if (!url.startsWith("file:")) return url;
  const path = filePath(url);
  const cwd = `${Deno.cwd()}/`;
  return path.startsWith(cwd) ? path.slice(cwd.length) : path;
}

function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- the colours of the runtime's messages.
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}
