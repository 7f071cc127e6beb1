/**
 * Text for a terminal or a log file: what would move a cursor, change a colour or begin a new line is shown, not done.
 *
 * @module
 */

/** The text with its control characters, and what else ends a line, written as `\x1b`. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for.
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, (unit) => `\\x${unit.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
