/**
 * Users and groups of the system, by name or number.
 *
 * @module
 */

import { StartupError } from "../../spec/errors.ts";

/** A user. */
export interface SystemUser {
  readonly uid: number;
  /** Its main group; `null` where only the number is known. */
  readonly gid: number | null;
}

/**
 * Finds a user.
 *
 * @throws {StartupError} Where there is none of that name.
 */
export function findUser(user: string): SystemUser {
  const entry = entries("/etc/passwd").find((fields) => fields[0] === user || fields[2] === user);
  if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  if (/^\d+$/.test(user)) return { uid: Number(user), gid: null };
  throw new StartupError(`There is no user "${user}" on this system`, { exitCode: 2 });
}

/**
 * Finds a group.
 *
 * @throws {StartupError} Where there is none of that name.
 */
export function findGroup(group: string): number {
  const entry = entries("/etc/group").find((fields) => fields[0] === group);
  if (entry !== undefined) return Number(entry[2]);
  if (/^\d+$/.test(group)) return Number(group);
  throw new StartupError(`There is no group "${group}" on this system`, { exitCode: 2 });
}

function entries(file: string): string[][] {
  try {
    return Deno.readTextFileSync(file).split("\n").map((line) => line.split(":"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
