/**
 * Texts made of the options table: the help, and the table of the README.
 *
 * @module
 */

import { environmentName, type Option, OPTION_KEYS, type OptionKey, OPTIONS } from "./options.ts";

const USAGE = `Serves a PAGI app.

Usage: deno run -A jsr:@pagi/server [options] [app] [key=value …]

The app is a file, module:export, a URL or a specifier (jsr:, npm:, https:, file:). Its default
export is an app, an object with toApp(), or one with fetch(request). With key=value arguments,
or written module:export(), the export is called as a factory that returns one of these.
Without an app, the working directory is listed, read-only.

Options:
`;

const NOTES = `
Options stand before or after the app; of a repeated one the last counts. Sizes take k, M, G
(powers of 1000) and Ki, Mi, Gi (of 1024); times are seconds, with decimals, or 500ms, 2m, 1h.
What is on or off has a --no- form too, such as --no-validate-events.
Each option but --eval, --version and --help is also read from the environment: PAGI_ and its
name, such as PAGI_PORT; one that is repeatable has one value on each line there.

Exit status: 0 stopped cleanly, 1 failed while running, 2 wrong usage, 3 start refused.
`;

/** The text of `--help`. */
export function helpText(): string {
  const rows = OPTION_KEYS.map((key) => [spelling(key), `${meaning(key)}${defaultNote(key)}`] as const);
  let text = USAGE;
  for (const [left, right] of rows) {
    const [first, ...rest] = wrap(right, 64);
    text += left.length <= 32 ? `  ${left.padEnd(33)}${first}\n` : `  ${left}\n${" ".repeat(35)}${first}\n`;
    for (const line of rest) text += `${" ".repeat(35)}${line}\n`;
  }
  return text + NOTES;
}

/** The options as a markdown table, for the README. */
export function optionsMarkdown(): string {
  const lines = ["| option | `serve()` | environment | default | meaning |", "|---|---|---|---|---|"];
  for (const key of OPTION_KEYS) {
    const option = OPTIONS[key] as Option<unknown>;
    const cells = [
      `\`${spelling(key)}\``,
      option.commandOnly ? "–" : `\`${key}\``,
      option.commandOnly ? "–" : `\`${environmentName(option.name)}\``,
      option.commandOnly ? "–" : option.otherwise ?? shown(option) ?? "–",
      meaning(key),
    ];
    lines.push(`| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
  }
  return lines.join("\n") + "\n";
}

function spelling(key: OptionKey): string {
  const { name, short, alias, kind } = OPTIONS[key];
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`, ...(alias === undefined ? [] : [`--${alias}`])].join(", ");
  return kind.placeholder === "" ? names : `${names} ${kind.placeholder}`;
}

function meaning(key: OptionKey): string {
  const { help, only } = OPTIONS[key] as Option<unknown>;
  return only === undefined ? help : `${help} (engine ${only})`;
}

function defaultNote(key: OptionKey): string {
  const option = OPTIONS[key] as Option<unknown>;
  if (option.commandOnly) return "";
  const text = option.otherwise ?? shown(option);
  return text === null ? "" : ` [${text}]`;
}

function shown(option: Option<unknown>): string | null {
  if (option.default === null || option.default === "") return null;
  return option.kind.show(option.default);
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
