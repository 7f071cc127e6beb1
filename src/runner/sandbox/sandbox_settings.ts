/**
 * What was asked of a sandbox, checked.
 *
 * @module
 */

import { StartupError } from "../../spec/errors.ts";
import { type PermissionFlag, readPermissionFlag } from "./permission_flag.ts";
import { findGroup, findUser } from "./system_users.ts";

/** The options. */
export interface SandboxOptions {
  readonly sandbox?: boolean;
  readonly permissions?: readonly string[];
  readonly permissionSet?: string;
  readonly envVar?: readonly string[];
  readonly workerUser?: string;
  readonly workerGroup?: string;
  readonly workerCwd?: string;
}

/** Everything decided. */
export interface SandboxSettings {
  readonly permissions: readonly PermissionFlag[];
  /** Of the app's deno.json. */
  readonly permissionSet: string | null;
  /** The environment of the workers. */
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number | null;
  readonly gid: number | null;
  /** Absolute; `null` gives each worker an empty folder of its own. */
  readonly cwd: string | null;
}

/** Options that mean something in a sandbox only. */
const NEEDING = ["permissions", "permissionSet", "envVar", "workerUser", "workerGroup", "workerCwd"] as const;

/**
 * Checks the options; `null` where no sandbox was asked for.
 *
 * @param name How an option is called in messages.
 * @throws {StartupError} With exit code 2.
 */
export function sandboxOf(
  options: SandboxOptions,
  name: (key: keyof SandboxOptions) => string,
): SandboxSettings | null {
  if (options.sandbox !== true) {
    const key = NEEDING.find((key) => options[key] !== undefined);
    if (key === undefined) return null;
    const what = key === "permissions" ? options.permissions![0]!.split("=", 1)[0]! : name(key);
    fail(`${what} needs ${name("sandbox")}: without it, an app has the permissions of the server`);
  }
  const { workerUser, workerGroup, workerCwd } = options;
  if ((workerUser !== undefined || workerGroup !== undefined) && Deno.uid() !== 0) {
    fail(
      `${
        name(workerUser === undefined ? "workerGroup" : "workerUser")
      } needs a server that runs as root: only root may become another user`,
    );
  }
  const user = workerUser === undefined ? null : findUser(workerUser);
  const gid = workerGroup === undefined ? user?.gid ?? null : findGroup(workerGroup);
  if (user !== null && gid === null) {
    fail(`${name("workerUser")} ${workerUser} is a number without a name here: give ${name("workerGroup")} too`);
  }
  return {
    permissions: (options.permissions ?? []).map((text) => readPermissionFlag(text)!),
    permissionSet: options.permissionSet ?? null,
    env: Object.fromEntries((options.envVar ?? []).map(readVariable)),
    uid: user?.uid ?? null,
    gid,
    cwd: workerCwd === undefined ? null : folderOf(workerCwd, name("workerCwd")),
  };
}

// `NAME` alone passes the server's own.
function readVariable(text: string): [name: string, value: string] {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const value = equals < 0 ? Deno.env.get(name) : text.slice(equals + 1);
  if (value === undefined) fail(`There is no environment variable ${name} to pass to the workers: set it, or give ${name}=VALUE`);
  return [name, value!];
}

function folderOf(path: string, name: string): string {
  try {
    if (Deno.statSync(path).isDirectory) return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return fail(`${name} must be a directory, got "${path}"`);
}

function fail(message: string): never {
  throw new StartupError(message, { exitCode: 2 });
}
