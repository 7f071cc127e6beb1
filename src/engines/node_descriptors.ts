/**
 * How many file descriptors this process may have, and how many it has: they bound its connections before any option does.
 *
 * Linux only; elsewhere, and without the permission to read `/proc/self`, it is not known.
 *
 * @module
 */

/** The soft limit; `null` where it is unknown or there is none. */
export function descriptorLimit(): number | null {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"));
    return found === null ? null : Number(found[1]);
  } catch (error) {
    return unknown(error);
  }
}

/** Descriptors that are open; `null` where it is unknown. */
export function openDescriptors(): number | null {
  try {
    return Array.from(Deno.readDirSync("/proc/self/fd")).length;
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
  try {
    Deno.openSync("/proc/self/limits").close();
    return true;
  } catch (error) {
    return !(error instanceof Error && /too many open files/i.test(error.message));
  }
}

function unknown(error: unknown): null {
  if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
    return null;
  }
  throw error;
}
