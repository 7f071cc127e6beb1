/**
 * The areas of the checklist and how many rows each has: an id is an area and a number from 001 on.
 *
 * The checklist lists what can be observed of a server of the interface: what the specification demands, what it recommends and what
 * its reference implementation does.
 *
 * @module
 */

/** One area. */
export interface Area {
  /** What its ids begin with. */
  readonly prefix: string;
  /** What it is about. */
  readonly title: string;
  /** How many rows it has. */
  readonly count: number;
}

/** All areas, in the order of the checklist. */
export const AREAS: readonly Area[] = [
  { prefix: "HTTP", title: "HTTP/1.0 and HTTP/1.1", count: 109 },
  { prefix: "H2", title: "HTTP/2", count: 47 },
  { prefix: "WS", title: "WebSocket", count: 75 },
  { prefix: "WSH2", title: "WebSocket over HTTP/2", count: 21 },
  { prefix: "SSE", title: "Server-sent events", count: 63 },
  { prefix: "LIFE", title: "Lifespan", count: 23 },
  { prefix: "CONN", title: "`pagi.connection`", count: 26 },
  { prefix: "FLOW", title: "`pagi.transport` and flow control", count: 18 },
  { prefix: "VAL", title: "Checks of events", count: 21 },
  { prefix: "FILE", title: "File bodies", count: 19 },
  { prefix: "TLS", title: "TLS", count: 17 },
  { prefix: "LIM", title: "Limits", count: 14 },
  { prefix: "TIME", title: "Timeouts", count: 11 },
  { prefix: "SHUT", title: "Shutdown", count: 13 },
  { prefix: "WORK", title: "Workers", count: 16 },
  { prefix: "SIG", title: "Signals", count: 13 },
  { prefix: "LISN", title: "Listeners", count: 14 },
  { prefix: "UNIX", title: "Unix sockets", count: 9 },
  { prefix: "SYSD", title: "Socket activation", count: 10 },
  { prefix: "LOG", title: "Access log", count: 18 },
  { prefix: "CLI", title: "Command line", count: 31 },
  { prefix: "SEC", title: "Security", count: 12 },
];

/** Every id, in order: `HTTP-001` and so on. */
export function allIds(): string[] {
  return AREAS.flatMap(idsOf);
}

/** The ids of one area. */
export function idsOf({ prefix, count }: Area): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index + 1).padStart(3, "0")}`);
}
