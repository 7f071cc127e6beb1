/**
 * `deno task bench`: measures the server beside bare servers and prints a table; with `--write` it goes into RESULTS.md too.
 *
 * What is measured: CPU time (user and system, all threads) of all processes of the server per request. Each work stands in a file of
 * bench/works, with the app and the floor it is compared with beside each other in bench/apps.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { machineLine } from "./machine.ts";
import { markdown, replaceBetweenMarkers, type Row } from "./table.ts";
import type { Work } from "./work.ts";
import { accessLog } from "./works/access_log.ts";
import { cpuBound } from "./works/cpu_bound.ts";
import { echo } from "./works/echo.ts";
import { file } from "./works/file.ts";
import { h2Floods } from "./works/h2_floods.ts";
import { hello } from "./works/hello.ts";
import { helloListener } from "./works/hello_listener.ts";
import { helloH2, helloNode } from "./works/hello_node.ts";
import { helloProcess, helloThread } from "./works/hello_workers.ts";
import { idle } from "./works/idle.ts";
import { memory } from "./works/memory.ts";
import { others } from "./works/others.ts";
import { slowClients } from "./works/slow_clients.ts";
import { sse } from "./works/sse.ts";
import { stalled } from "./works/stalled.ts";
import { start } from "./works/start.ts";
import { stream } from "./works/stream.ts";
import { streamProcess } from "./works/stream_workers.ts";
import { websocket } from "./works/websocket.ts";
import { websocketNode } from "./works/websocket_node.ts";
import { websocketProcess } from "./works/websocket_workers.ts";
import { workerMemory } from "./works/worker_memory.ts";
import { workerReady } from "./works/worker_ready.ts";

const WORKS: readonly Work[] = [
  ...[hello, accessLog, echo, stream, file, websocket, sse, memory, stalled, start],
  ...[helloProcess, helloThread, streamProcess, websocketProcess, cpuBound, workerReady, workerMemory],
  ...[helloNode, helloH2, websocketNode, helloListener, idle, slowClients, h2Floods],
  others,
];

const USAGE = `deno task bench [--only NAME]… [--rounds N] [--seconds S] [--write]
  --only NAME   only this work: ${WORKS.map((work) => work.name).join(", ")}
  --rounds N    how often each side is measured, default 7
  --seconds S   how long each measurement lasts, default 3
  --write       put the table into bench/RESULTS.md; deno task docs then prints what of it is about engines`;

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    collect: ["only"],
    string: ["only"],
    boolean: ["write", "help"],
    default: { rounds: 7, seconds: 3 },
  });
  const only = args.only as string[];
  const unknown = only.find((name) => !WORKS.some((work) => work.name === name));
  const rounds = Number(args.rounds);
  const seconds = Number(args.seconds);
  const isCount = (value: number) => Number.isInteger(value) && value > 0;
  if (args.help || unknown !== undefined || !isCount(rounds) || !isCount(seconds) || args._.length > 0) {
    if (unknown !== undefined) console.error(`There is no work "${unknown}".`);
    console.error(USAGE);
    return args.help ? 0 : 2;
  }
  const note = (text: string) => console.error(text);
  note(`Load of the machine before: ${Deno.loadavg().map((load) => load.toFixed(2)).join(" ")}`);
  const rows: Row[] = [];
  for (const work of WORKS) {
    if (only.length === 0 || only.includes(work.name)) rows.push(...await work.run({ rounds, seconds, note }));
  }
  const text = `${machineLine(new Date())}; ${rounds} rounds of ${seconds} s.\n\n${markdown(rows)}`;
  console.log(text);
  if (args.write) {
    const results = new URL("RESULTS.md", import.meta.url);
    await Deno.writeTextFile(results, replaceBetweenMarkers(await Deno.readTextFile(results), text));
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());
