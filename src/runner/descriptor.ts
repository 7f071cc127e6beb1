/**
 * What an inherited descriptor is, where the system tells: on Linux, in /proc.
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";

/** What a descriptor is. */
export type Descriptor =
  /** A TCP socket that listens. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** A Unix socket; `path` is empty where it has none. */
  | { readonly kind: "unix"; readonly path: string }
  /** Something else; `what` names it in a message. */
  | { readonly kind: "other"; readonly what: string };

/** The state `LISTEN` in /proc/net/tcp. */
const LISTEN = "0A";

/**
 * Looks at a descriptor.
 *
 * @throws Where /proc can't be read.
 */
export function describeDescriptor(fd: number): Descriptor {
  let target: string;
  try {
    target = Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "other", what: "is not open" };
    throw error;
  }
  const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
  if (inode === undefined) return { kind: "other", what: `is no socket (${target})` };
  for (const table of ["tcp", "tcp6"]) {
    const fields = row(table, (fields) => fields[9] === inode);
    if (fields !== null) return tcp(fields);
  }
  const unix = row("unix", (fields) => fields[6] === inode);
  if (unix !== null) return { kind: "unix", path: unix.slice(7).join(" ") };
  // A TCP socket that is bound and does not listen is in no table.
  return { kind: "other", what: "is no TCP socket that listens" };
}

/**
 * Refuses a descriptor that is no TCP socket that listens, where the system tells.
 *
 * @throws {StartupError} With one line that says what it is.
 */
export function checkDescriptor(fd: number): void {
  if (Deno.build.os !== "linux") return;
  let what: Descriptor;
  try {
    what = describeDescriptor(fd);
  } catch (error) {
    // Without the permission the engine finds out.
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (what.kind === "tcp") return;
  throw new StartupError(
    what.kind === "unix"
      ? `Descriptor ${fd} is a Unix socket, and Deno never serves an inherited one: let the server open its path itself`
      : `Descriptor ${fd} ${what.what}: pass a TCP socket that listens`,
  );
}

/** An address of /proc/net/tcp or tcp6: words of 32 bits in the order of the machine, in hex. */
export function hexAddress(text: string): string {
  const bytes: number[] = [];
  for (let word = 0; word < text.length; word += 8) {
    for (let at = 6; at >= 0; at -= 2) bytes.push(parseInt(text.slice(word + at, word + at + 2), 16));
  }
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let at = 0; at < bytes.length; at += 2) groups.push((bytes[at]! * 256 + bytes[at + 1]!).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

function tcp(fields: readonly string[]): Descriptor {
  if (fields[3] !== LISTEN) return { kind: "other", what: "is a TCP connection, no socket that listens" };
  const [host, port] = fields[1]!.split(":") as [string, string];
  return { kind: "tcp", host: hexAddress(host), port: parseInt(port, 16) };
}

function row(table: string, test: (fields: readonly string[]) => boolean): string[] | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/self/net/${table}`);
  } catch (error) {
    // A system without IPv6 has no such table.
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (test(fields)) return fields;
  }
  return null;
}
