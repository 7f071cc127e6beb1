/**
 * Deno's permission flags as data: read, checked, and written again as Deno takes them.
 *
 * @module
 */

/** What a flag says about its values. */
export type Effect = "allow" | "deny" | "ignore";
/** The permissions of Deno. */
export const PERMISSION_NAMES = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;
/** One of them. */
export type PermissionName = typeof PERMISSION_NAMES[number];

/** One flag. */
export interface PermissionFlag {
  readonly effect: Effect;
  readonly name: PermissionName;
  /** `null` where it stands without any: for everything. */
  readonly values: readonly string[] | null;
}

const FLAG = new RegExp(`^--(?:(allow|deny)-(${PERMISSION_NAMES.join("|")})|(ignore)-(read|env))(?:=([^]*))?$`);

/** Permissions whose values are paths. */
const OF_PATHS: readonly PermissionName[] = ["read", "write", "ffi"];

/** Reads one flag, `undefined` where it is none. */
export function readPermissionFlag(text: string): PermissionFlag | undefined {
  const match = FLAG.exec(text);
  if (match === null || text.includes("\0")) return undefined;
  const [, effect, name, ignore, ignored, list] = match;
  if (list === "") return undefined;
  return {
    effect: (effect ?? ignore) as Effect,
    name: (name ?? ignored) as PermissionName,
    values: list === undefined ? null : splitList(list),
  };
}

/** Writes a flag. */
export function writePermissionFlag({ effect, name, values }: PermissionFlag): string {
  const list = values === null ? "" : `=${values.map((value) => value.replaceAll(",", ",,")).join(",")}`;
  return `--${effect}-${name}${list}`;
}

/**
 * The same flags, one of each kind. Deno takes a list in place of a flag that stands without one, so those two don't mix: of permissions
 * the list is meant, of denials all.
 */
export function mergeFlags(flags: readonly PermissionFlag[]): PermissionFlag[] {
  const merged = new Map<string, PermissionFlag>();
  for (const flag of flags) {
    const key = `${flag.effect}-${flag.name}`;
    const before = merged.get(key);
    if (before === undefined) merged.set(key, flag);
    else if (before.values !== null && flag.values !== null) merged.set(key, { ...flag, values: [...before.values, ...flag.values] });
    else merged.set(key, { ...flag, values: flag.effect === "allow" ? before.values ?? flag.values : null });
  }
  return [...merged.values()];
}

/** The flag with a list, where it is about all files: others can be added to that. */
export function withRoot(flag: PermissionFlag): PermissionFlag {
  const isAll = flag.values === null && flag.effect !== "ignore" && (flag.name === "read" || flag.name === "write");
  return isAll ? { ...flag, values: ["/"] } : flag;
}

/** The flag with absolute paths, where its values are paths: a worker has a working directory of its own. */
export function withAbsolutePaths(flag: PermissionFlag, folder: string): PermissionFlag {
  if (flag.values === null || !OF_PATHS.includes(flag.name)) return flag;
  return { ...flag, values: flag.values.map((path) => absolutePath(path, folder)) };
}

/** A path without `.`, `..` and doubled slashes, from a folder. */
export function absolutePath(path: string, folder: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Whether a path is a folder or something in it. Both are absolute. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

// A comma that belongs to a value is doubled.
function splitList(list: string): string[] {
  const values: string[] = [];
  let value = "";
  for (let at = 0; at < list.length; at++) {
    if (list[at] !== ",") value += list[at]!;
    else if (list[at + 1] === ",") value += list[at++]!;
    else {
      values.push(value);
      value = "";
    }
  }
  return [...values, value];
}
