/**
 * The kinds of option values: how each is read from text, checked when a program gives it, and shown in the help.
 *
 * Not here: the options themselves (`options.ts`).
 *
 * @module
 */

import type { Headers } from "../spec/events.ts";
import { headerProblem } from "../wire/headers.ts";

/** A kind of value. */
export interface Kind<T> {
  /** Stands for the value in the help; empty for a flag, which takes none. */
  readonly placeholder: string;
  /** What is right, as in `--port must be …`. */
  readonly right: string;
  /** The value of a text, `undefined` where the text is wrong. */
  parse(text: string): T | undefined;
  /** Whether a value that a program gives is right. */
  accepts(value: unknown): boolean;
  /** A value as one would type it. */
  show(value: T): string;
  /** Repeated, the values are collected. */
  readonly repeatable?: boolean;
}

/** The longest delay that a timer takes, in milliseconds. */
const MAX_TIMER_MS = 2_147_483_647;

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1000,
  m: 1000 ** 2,
  g: 1000 ** 3,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

const DURATION_UNITS_MS: Readonly<Record<string, number>> = { "": 1000, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Any text that is not empty, unless `empty` says that it may be. */
export function text(placeholder: string, right: string, empty = false): Kind<string> {
  const isRight = (value: string) => (empty || value !== "") && !value.includes("\0");
  return {
    placeholder,
    right,
    parse: (given) => isRight(given) ? given : undefined,
    accepts: (value) => typeof value === "string" && isRight(value),
    show: (value) => value,
  };
}

/** A whole number. */
export function integer(placeholder: string, min: number, max: number): Kind<number> {
  const isRight = (value: number) => Number.isInteger(value) && value >= min && value <= max;
  return {
    placeholder,
    right: max === Number.MAX_SAFE_INTEGER ? `a whole number, at least ${min}` : `a whole number from ${min} to ${max}`,
    parse(given) {
      const value = /^\d+$/.test(given) ? Number(given) : NaN;
      return isRight(value) ? value : undefined;
    },
    accepts: (value) => typeof value === "number" && isRight(value),
    show: String,
  };
}

/** The most workers that anybody may ask for. */
const MAX_COUNT = 1024;

/** A small whole number, or one word in its place. */
export function count<T extends string>(word: T): Kind<number | T> {
  const number = integer("N", 0, MAX_COUNT);
  return {
    placeholder: `N|${word}`,
    right: `${number.right}, or ${word}`,
    parse: (given) => given === word ? word : number.parse(given),
    accepts: (value) => value === word || number.accepts(value),
    show: String,
  };
}

/** A number of bytes: `10000000`, `10M` (powers of 1000) or `16Mi` (powers of 1024). */
export function size(min: number): Kind<number> {
  const isRight = (value: number) => Number.isSafeInteger(value) && value >= min;
  return {
    placeholder: "SIZE",
    right: `a number of bytes, at least ${min}, such as 65536, 64k, 10M or 16Mi`,
    parse(given) {
      const match = /^(\d+(?:\.\d+)?)([kmg]i?)?b?$/i.exec(given);
      if (match === null) return undefined;
      const value = Math.round(Number(match[1]) * SIZE_UNITS[(match[2] ?? "").toLowerCase()]!);
      return isRight(value) ? value : undefined;
    },
    accepts: (value) => typeof value === "number" && isRight(value),
    show(value) {
      for (const unit of ["Gi", "Mi", "Ki", "G", "M", "k"]) {
        const factor = SIZE_UNITS[unit.toLowerCase()]!;
        if (value >= factor && value % factor === 0) return `${value / factor}${unit}`;
      }
      return String(value);
    },
  };
}

/** A limit on bytes: 0 is none, and one below `least` would leave no room for anything. */
export function limit(least: number): Kind<number> {
  const bytes = size(0);
  const isRight = (value: number) => value === 0 || value >= least;
  return {
    ...bytes,
    right: `a number of bytes, at least ${least} or 0 for no limit, such as 65536, 64k or 16Ki`,
    parse(given) {
      const value = bytes.parse(given);
      return value !== undefined && isRight(value) ? value : undefined;
    },
    accepts: (value) => bytes.accepts(value) && isRight(value as number),
  };
}

/** A time: seconds, with decimals, or a number with `ms`, `s`, `m` or `h`. The value is in milliseconds. */
export function duration(): Kind<number> {
  const isRight = (value: number) => Number.isFinite(value) && value >= 0 && value <= MAX_TIMER_MS;
  return {
    placeholder: "SECONDS",
    right: `a time from 0 to ${Math.floor(MAX_TIMER_MS / 1000)} seconds, such as 30, 1.5, 500ms or 2m`,
    parse(given) {
      const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(given);
      if (match === null) return undefined;
      const value = Math.round(Number(match[1]) * DURATION_UNITS_MS[match[2] ?? ""]!);
      return isRight(value) ? value : undefined;
    },
    accepts: (value) => typeof value === "number" && isRight(value),
    show: (value) => value === 0 ? "off" : `${value / 1000} s`,
  };
}

/** One of a few words. */
export function choice<T extends string>(...values: readonly T[]): Kind<T> {
  const find = (given: unknown) => values.find((value) => value === given);
  return {
    placeholder: values.join("|"),
    right: values.length === 1 ? values[0]! : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`,
    parse: find,
    accepts: (value) => find(value) !== undefined,
    show: String,
  };
}

/** On or off: `--name`, `--no-name`. */
export function flag(): Kind<boolean> {
  return {
    placeholder: "",
    right: "true or false",
    parse(given) {
      if (/^(1|true|yes|on)$/i.test(given)) return true;
      return /^(0|false|no|off)$/i.test(given) ? false : undefined;
    },
    accepts: (value) => typeof value === "boolean",
    show: (value) => value ? "on" : "off",
  };
}

/** File permissions, always octal: `0` and three digits, so that nobody takes 660 for a decimal number. */
export function fileMode(): Kind<number> {
  return {
    placeholder: "MODE",
    right: "0 and three octal digits, such as 0660",
    parse: (given) => /^0[0-7]{3}$/.test(given) ? parseInt(given, 8) : undefined,
    accepts: (value) => typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0o777,
    show: (value) => `0${value.toString(8).padStart(3, "0")}`,
  };
}

/** The access log: a file, `-` for standard output, `true` for standard error, `false` for none. */
export function logTarget(): Kind<string | boolean> {
  return {
    placeholder: "FILE|-",
    right: "a file, or - for standard output",
    parse: (given) => given === "" || given.includes("\0") ? undefined : given,
    accepts: (value) => typeof value === "boolean" || (typeof value === "string" && value !== "" && !value.includes("\0")),
    show: String,
  };
}

/** Texts, one each; repeatable. */
export function texts(placeholder: string, right: string, isRight: (text: string) => boolean): Kind<readonly string[]> {
  return {
    placeholder,
    right,
    repeatable: true,
    parse: (given) => isRight(given) ? [given] : undefined,
    accepts: (value) => Array.isArray(value) && value.every((text) => typeof text === "string" && isRight(text)),
    show: (value) => value.join(", "),
  };
}

/** Paths of files; repeatable. A program may give one without a list. */
export function files(): Kind<string | readonly string[]> {
  const isRight = (value: unknown) => typeof value === "string" && value !== "" && !value.includes("\0");
  return {
    placeholder: "FILE",
    right: "a file",
    repeatable: true,
    parse: (given) => isRight(given) ? [given] : undefined,
    accepts: (value) => isRight(value) || (Array.isArray(value) && value.length > 0 && value.every(isRight)),
    show: (value) => [value].flat().join(", "),
  };
}

/** Entries with commas between them; repeatable. A program may give one without a list. What an entry may be is checked later. */
export function entries(placeholder: string, right: string): Kind<string | readonly string[]> {
  const isRight = (value: unknown) => typeof value === "string" && value !== "";
  return {
    placeholder,
    right,
    repeatable: true,
    parse: (given) => isRight(given) ? [given] : undefined,
    accepts: (value) => isRight(value) || (Array.isArray(value) && value.length > 0 && value.every(isRight)),
    show: (value) => [value].flat().join(","),
  };
}

/** Headers, `name:value` each; repeatable. */
export function headers(): Kind<Headers> {
  const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string");
  return {
    placeholder: "NAME:VALUE",
    right: "a header as name:value, with a name that is a token and a value without control bytes",
    repeatable: true,
    parse(given) {
      const colon = given.indexOf(":");
      if (colon < 1) return undefined;
      const name = given.slice(0, colon).toLowerCase();
      const value = given.slice(colon + 1).trim();
      return headerProblem(name, value) === null ? [[name, value]] : undefined;
    },
    accepts: (value) =>
      Array.isArray(value) && value.every((pair) => isPair(pair) && headerProblem(String(pair[0]).toLowerCase(), String(pair[1])) === null),
    show: (value) => value.map(([name, text]) => `${name}:${text}`).join(", "),
  };
}
