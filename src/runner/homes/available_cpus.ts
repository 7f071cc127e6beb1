/**
 * How many CPUs this process may use.
 *
 * @module
 */

/** CPUs, at least 1: the affinity of the process and the quota of its cgroup count, not the machine alone. */
export function availableCpus(): number {
  // Deno asks the system in this sense: affinity and quota are heeded, half a CPU of a quota does not count.
  return Math.max(1, navigator.hardwareConcurrency);
}
