/**
 * What became of an entry, and what sets two outcomes apart.
 *
 * @module
 */

import type { Saw } from "./lane.ts";

/** What became of an entry. */
export interface Outcome {
  /** What came back: status and framing of responses, frames of a WebSocket, ends of streams. */
  readonly answers: readonly string[];
  /** What the app saw. */
  readonly saw: readonly Saw[];
  /** What is with the connection then. */
  readonly fate: "kept" | "closed" | "open";
  /** Texts of answers that the server made: two servers may say the same in other words. */
  readonly words: readonly string[];
}

/** What differs, as a text for each side; `null` where nothing does. */
export type Contrast = readonly [one: string, other: string] | null;

/** Sets two outcomes beside each other. `raw` compares headers as they came. */
export function contrast(one: Outcome, other: Outcome, raw: boolean): Contrast {
  const sides: [string[], string[]] = [[], []];
  const differ = (a: string, b: string) => {
    if (a === b) return;
    sides[0].push(a);
    sides[1].push(b);
  };
  const answers = [one, other].map((outcome) => `${outcome.answers.join(", ") || "no answer"}; ${outcome.fate}`) as [string, string];
  differ(...answers);
  if (isBroken(one) || isBroken(other)) return sides[0].length > 0 ? [sides[0].join("; "), sides[1].join("; ")] : null;
  if (one.saw.length !== other.saw.length) differ(count(one), count(other));
  else for (const [at, saw] of one.saw.entries()) compare(saw, other.saw[at]!, raw, differ);
  if (sides[0].length > 0) return [sides[0].join("; "), sides[1].join("; ")];
  const words = [one, other].map((outcome) => `says ${outcome.words.join(", ")}`) as [string, string];
  return words[0] === words[1] ? null : words;
}

/** Where an HTTP/2 connection is ended for a fault, it is a matter of time whether the app has seen what came before. */
function isBroken({ answers }: Outcome): boolean {
  return answers.some((answer) => answer.startsWith("GOAWAY"));
}

function count({ saw }: Outcome): string {
  return saw.length === 0
    ? "the app saw nothing"
    : `the app saw ${saw.map(({ method, type, raw_path }) => `${method ?? type} ${brief(raw_path ?? "")}`).join(", ")}`;
}

/** Long texts by their length: a table shows them. */
function brief(text: string): string {
  return text.length > 40 ? `${text.length} characters` : text;
}

function compare(one: Saw, other: Saw, raw: boolean, differ: (a: string, b: string) => void): void {
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    if (name === "headers") headers(one["headers"]!, other["headers"]!, differ);
    else if (name !== "raw headers" || raw) {
      const [a, b] = [one[name] ?? "none", other[name] ?? "none"];
      if (a !== b) differ(`${name} ${name === "raw headers" ? a : brief(a)}`, `${name} ${name === "raw headers" ? b : brief(b)}`);
    }
  }
}

function headers(one: string, other: string, differ: (a: string, b: string) => void): void {
  const [a, b] = [JSON.parse(one), JSON.parse(other)] as [Record<string, string>, Record<string, string>];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [x, y] = [a, b].map((all) => Object.hasOwn(all, name) ? `${name}: ${all[name]}` : `no ${name}`) as [string, string];
    differ(x, y);
  }
}
