/**
 * Environment variables that look like options and are none: a misspelt one would have no effect, and nobody would know.
 *
 * @module
 */

import { nearest } from "../wire/nearest.ts";
import { environmentName, OPTION_KEYS, OPTIONS } from "./options.ts";

/** One line about every `PAGI_…` name that no option has; `null` where there is none. */
export function unknownVariables(names: readonly string[]): string | null {
  const known = OPTION_KEYS.filter((key) => !OPTIONS[key].commandOnly).map((key) => environmentName(OPTIONS[key].name));
  const unknown = names.filter((name) => name.startsWith("PAGI_") && !known.includes(name)).sort();
  if (unknown.length === 0) return null;
  const each = unknown.map((name) => {
    const near = nearest(name, known);
    return near === null ? name : `${name} (did you mean ${near}?)`;
  });
  return `No option is read from ${each.join(", ")} (--help lists all options)`;
}
