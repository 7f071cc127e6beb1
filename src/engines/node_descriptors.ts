/**
 * How many file descriptors this process may have, and how many it has: what bounds its connections before any option does.
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

/**
 * How many connections there can be, and leave some descriptors for the app; `null` where that is unknown.
 *
 * To be called once everything is open that stays open.
 */
export function connectionsPossible(): number | null {
  const limit = descriptorLimit();
  const used = limit === null ? null : openDescriptors();
  if (limit === null || used === null) return null;
  const reserve = Math.min(256, Math.max(8, limit >> 3));
  return Math.max(1, limit - used - reserve);
}

function unknown(error: unknown): null {
  if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
    return null;
  }
  throw error;
}
