/**
 * Waits for something, but not for ever. It touches no wire: it stands here because engines, links and the runner all wait so.
 *
 * @module
 */

/** Settles with a promise, at the latest after `ms` milliseconds. What it gives is not told; where it rejects in time, this does too. */
export async function within(ms: number, promise: Promise<unknown> | undefined): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  try {
    await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
