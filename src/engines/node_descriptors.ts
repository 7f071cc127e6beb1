/**
 * How many file descriptors this process may have, and how many it has: they bound its connections before any option does.
 *
 * Linux only; elsewhere, and without the permission to read `/proc/self` (for which Deno wants all permissions), it is not known.
 *
 * @module
 */

const LIMITS = "/proc/self/limits";
const OPEN = "/proc/self/fd";

/** The soft limit; `null` where it is unknown or there is none. */
export function descriptorLimit(): number | null {
  if (!mayRead(LIMITS)) return null;
  try {
    const found = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync(LIMITS));
    return found === null ? null : Number(found[1]);
  } catch (error) {
    return unknown(error);
  }
}

/** Descriptors that are open; `null` where it is unknown. */
export function openDescriptors(): number | null {
  if (!mayRead(OPEN)) return null;
  try {
    return Array.from(Deno.readDirSync(OPEN)).length;
  } catch (error) {
    return unknown(error);
  }
}

/** What is left of the descriptors for connections. */
export interface DescriptorBudget {
  /** Connections. */
  readonly connections: number;
  /** For the app, and for connections that are turned away. */
  readonly reserve: number;
}

/**
 * Divides what is left of the descriptors; `null` where nobody knows.
 *
 * To be called once everything is open that stays open.
 */
export function descriptorBudget(): DescriptorBudget | null {
  const limit = descriptorLimit();
  const used = limit === null ? null : openDescriptors();
  if (limit === null || used === null) return null;
  const reserve = Math.min(256, Math.max(8, limit >> 3));
  return { connections: Math.max(1, limit - used - reserve), reserve };
}

/** Whether a file can be opened at this moment; true where nobody knows. */
export function hasDescriptor(): boolean {
  if (!mayRead(LIMITS)) return true;
  try {
    Deno.openSync(LIMITS).close();
    return true;
  } catch (error) {
    return !(error instanceof Error && /too many open files/i.test(error.message));
  }
}

/** Asks first: to try would ask the user. */
function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

function unknown(error: unknown): null {
  if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
    return null;
  }
  throw error;
}
