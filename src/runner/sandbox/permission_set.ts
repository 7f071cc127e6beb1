/**
 * A permission set of a deno.json, as flags: for vetting and for the log. Deno itself reads it again.
 *
 * @module
 */

import { StartupError } from "../../spec/errors.ts";
import { type Effect, PERMISSION_NAMES, type PermissionFlag, type PermissionName, withAbsolutePaths } from "./permission_flag.ts";

/**
 * Reads a set.
 *
 * @throws {StartupError} Where it is not there.
 */
export function readPermissionSet(file: string | null, name: string): PermissionFlag[] {
  const none = () =>
    new StartupError(`There is no permission set "${name}" in ${file ?? "a deno.json of the app: it has none"}`, { exitCode: 2 });
  if (file === null) throw none();
  const config = parse(file);
  const set = isRecord(config) && isRecord(config.permissions) ? config.permissions[name] : undefined;
  if (!isRecord(set)) throw none();
  const folder = file.slice(0, file.lastIndexOf("/")) || "/";
  const all = set.all === true ? PERMISSION_NAMES.map((name): PermissionFlag => ({ effect: "allow", name, values: null })) : [];
  return [...all, ...PERMISSION_NAMES.flatMap((name) => flagsOf(name, set[name]))].map((flag) => withAbsolutePaths(flag, folder));
}

function flagsOf(name: PermissionName, value: unknown): PermissionFlag[] {
  if (!isRecord(value)) return flagOf("allow", name, value);
  return (["allow", "deny", "ignore"] as const).flatMap((effect) => flagOf(effect, name, value[effect]));
}

function flagOf(effect: Effect, name: PermissionName, value: unknown): PermissionFlag[] {
  if (value === true) return [{ effect, name, values: null }];
  return Array.isArray(value) && value.length > 0 ? [{ effect, name, values: value.map(String) }] : [];
}

// With comments, as Deno takes it: they stand outside of strings.
function parse(file: string): unknown {
  const text = Deno.readTextFileSync(file).replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, string) => string ?? "");
  try {
    return JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, string) => string ?? ""));
  } catch (error) {
    throw new StartupError(`${file} can't be read: ${error instanceof Error ? error.message : error}`, { exitCode: 2, cause: error });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
