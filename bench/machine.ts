/**
 * What a table was measured on.
 *
 * @module
 */

/** One line: the date, the machine, its kernel, and Deno. */
export function machineLine(now: Date): string {
  const cpu = /^model name\s*:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "unknown CPU";
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const { deno, v8 } = Deno.version;
  return `${now.toISOString().slice(0, 10)}, ${navigator.hardwareConcurrency} cores of ${cpu}, ${memory} GiB, Linux ${Deno.osRelease()}, ` +
    `Deno ${deno} (V8 ${v8})`;
}
