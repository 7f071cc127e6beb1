/**
 * How many CPUs this process may use.
 *
 * @module
 */

/** CPUs, at least 1: the affinity of the process and the quota of its cgroup count, not the machine alone. */
export function availableCpus(): number {
  // Deno asks the system in this sense, which rounds a quota down.
  return Math.max(1, navigator.hardwareConcurrency);
}
