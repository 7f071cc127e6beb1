/**
 * The way into the `node` engine: listeners, limits of connections, and the clock of those that are on their way in.
 *
 *     accept -> limits -> PROXY header -> TLS -> protocol -> the engine
 *
 * Not here: the steps of one connection (`node_arrival.ts`), nor any HTTP but the 503 for a connection too many.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { Level } from "../exchange.ts";
import { StartupError } from "../spec/errors.ts";
import type { TlsInfo } from "../spec/scope.ts";
import type { TlsSettings, Trust } from "./listener_settings.ts";
import { Arrival, type ArrivalOwner, type Refusal } from "./node_arrival.ts";
import { descriptorBudget, hasDescriptor } from "./node_descriptors.ts";
import { NodeListener } from "./node_listener.ts";
import type { GateKeeper, NodeSettings, WireLimits } from "./node_settings.ts";
import { TlsDoor } from "./node_tls_door.ts";
import { TurnedAway } from "./node_turned_away.ts";
import { OpenList } from "./open_list.ts";
import { Seldom } from "./seldom.ts";

/** How often deadlines are looked at, at most and at least. */
const MAX_ROUND_MS = 250;
const MIN_ROUND_MS = 10;
/** How often listeners are told to go on. */
const RESUME_MS = 200;
/** So many connections at once that were turned away may read why; others are closed without an answer. */
const MAX_TURNED_AWAY = 64;

const LEVELS: Readonly<Record<Refusal | "full" | "address" | "descriptors", Level>> = {
  proxy: "warn",
  tls: "debug",
  silent: "debug",
  full: "warn",
  address: "warn",
  descriptors: "error",
};

/** All listeners of an engine. */
export class Gate implements ArrivalOwner {
  readonly limits: WireLimits;
  /** Settles when nothing is accepted any more: resolves after `stop`, rejects where a listener is lost. */
  readonly finished: Promise<void>;
  readonly #keeper: GateKeeper;
  readonly #trust: Trust | null;
  readonly #listeners: readonly NodeListener[];
  readonly #finished = Promise.withResolvers<void>();
  readonly #arrivals = new OpenList<Arrival>();
  readonly #turnedAway = new OpenList<TurnedAway>();
  readonly #perAddress = new Map<string, number>();
  readonly #lines = new Map<string, Seldom>();
  readonly #roundMs: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #watch: ReturnType<typeof setInterval> | null = null;
  #open = 0;
  #maxOpen: number;
  #maxTurnedAway = MAX_TURNED_AWAY;
  #stopped = false;

  /**
   * `keeper` gets the connections.
   *
   * @throws {StartupError} where a listener's settings can't be had.
   */
  constructor(settings: Pick<NodeSettings, "listeners" | "trust" | "limits">, keeper: GateKeeper) {
    const { listeners, trust, limits } = settings;
    if (trust === null && listeners.some(({ proxyProtocol }) => proxyProtocol)) {
      throw new StartupError("The PROXY protocol needs the addresses of the proxies that are trusted", { exitCode: 2 });
    }
    this.limits = limits;
    this.finished = this.#finished.promise;
    // Whoever waits for it hears of a failure all the same.
    this.finished.catch(ignore);
    this.#keeper = keeper;
    this.#trust = trust;
    this.#maxOpen = limits.maxConnections === 0 ? Infinity : limits.maxConnections;
    this.#listeners = listeners.map((one) =>
      new NodeListener(one, (listener, socket) => this.#accept(listener, socket), (error) => this.#broken(error))
    );
    const times = [limits.headerTimeoutMs, limits.tlsHandshakeTimeoutMs].filter((ms) => ms > 0);
    this.#roundMs = Math.max(MIN_ROUND_MS, Math.min(MAX_ROUND_MS, ...times.map((ms) => ms / 4)));
  }

  /** Connections whose socket is not closed; those that were turned away do not count. */
  get open(): number {
    return this.#open;
  }

  /** Opens all listeners; the addresses are in their order. Rejects with `StartupError`, and then none is open. */
  async listen(): Promise<readonly Deno.Addr[]> {
    const addresses: Deno.Addr[] = [];
    try {
      // One after the other: a path and the mask of its mode belong together.
      for (const listener of this.#listeners) addresses.push(await listener.listen());
    } catch (error) {
      this.stop();
      throw error;
    }
    this.#boundByDescriptors();
    this.#watch = setInterval(() => this.#resume(), RESUME_MS);
    return addresses;
  }

  /**
   * Takes other certificates for connections from now on, at all listeners that have TLS; open connections go on.
   *
   * @throws {StartupError} where they can't be used; nothing has changed then.
   */
  replaceTls(tls: TlsSettings): void {
    const door = new TlsDoor(tls);
    for (const listener of this.#listeners) if (listener.door !== null) listener.door = door;
  }

  /** Connections on their way in. */
  get arriving(): number {
    return this.#arrivals.size;
  }

  /** Accepts no more; what is on its way in goes on. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
    if (this.#watch !== null) clearInterval(this.#watch);
  }

  /** Accepts no more, and closes what is still on its way in. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.close();
    for (const arrival of this.#arrivals.all()) arrival.drop();
    for (const one of this.#turnedAway.all()) one.socket.destroy();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#finished.resolve();
  }

  // From a connection on its way in.

  /** See {@linkcode ArrivalOwner}. */
  trusts(address: string | null): boolean {
    return this.#trust?.trusts(address) ?? false;
  }

  /** See {@linkcode ArrivalOwner}. */
  admits(arrival: Arrival): boolean {
    const { maxConnectionsPerAddress } = this.limits;
    if (maxConnectionsPerAddress === 0 || arrival.client === null) return true;
    const [address] = arrival.client;
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= maxConnectionsPerAddress) {
      this.#note("address", `Connection of ${address} closed: it has ${count} already`, { client: address });
      return false;
    }
    this.#perAddress.set(address, count + 1);
    arrival.counted = address;
    return true;
  }

  /** See {@linkcode ArrivalOwner}. */
  enter(arrival: Arrival, socket: Socket, protocol: "http1" | "http2", tls: TlsInfo | null): void {
    this.#arrivals.delete(arrival);
    const { client, server } = arrival;
    this.#keeper.take({ socket, protocol, client, server, tls });
  }

  /** See {@linkcode ArrivalOwner}. */
  refused(arrival: Arrival, kind: Refusal, text: string): void {
    this.#note(kind, text, arrival.client === null ? {} : { client: arrival.client[0] });
  }

  /** See {@linkcode ArrivalOwner}. */
  gone(arrival: Arrival): void {
    this.#open--;
    this.#arrivals.delete(arrival);
    const { counted } = arrival;
    if (counted === null) return;
    const left = this.#perAddress.get(counted)! - 1;
    if (left === 0) this.#perAddress.delete(counted);
    else this.#perAddress.set(counted, left);
  }

  #accept(listener: NodeListener, socket: Socket): void {
    if (this.#stopped) {
      socket.destroy();
      return;
    }
    const now = performance.now();
    if (this.#open >= this.#maxOpen) return this.#turnAway(listener, socket, now);
    this.#open++;
    const arrival = new Arrival(this, listener, socket);
    this.#arrivals.add(arrival);
    arrival.start(now);
    this.#arm();
  }

  #turnAway(listener: NodeListener, socket: Socket, now: number): void {
    this.#note("full", `Connection turned away: ${this.#open} are open`, { open: this.#open });
    // In TLS there is nobody to tell yet.
    if (listener.settings.tls !== null || this.#turnedAway.size >= this.#maxTurnedAway) {
      socket.on("error", ignore);
      socket.destroy();
      return;
    }
    const one = new TurnedAway(socket, now, () => this.#turnedAway.delete(one));
    this.#turnedAway.add(one);
    this.#arm();
  }

  #boundByDescriptors(): void {
    const budget = descriptorBudget();
    if (budget === null) return;
    const { connections: possible, reserve } = budget;
    this.#maxTurnedAway = Math.min(MAX_TURNED_AWAY, reserve >> 1);
    if (possible >= this.#maxOpen) return;
    const wanted = this.#maxOpen;
    this.#maxOpen = possible;
    // Nobody asked for an endless number.
    if (wanted === Infinity) return;
    this.#keeper.note(
      "warn",
      `At most ${possible} connections instead of ${wanted}: the limit of open files (ulimit -n) is too low for more`,
      {
        possible,
        wanted,
      },
    );
  }

  /** See `NodeListener.resume`: nothing tells that a listener has stopped. */
  #resume(): void {
    if (!hasDescriptor()) {
      for (const listener of this.#listeners) listener.starves();
      this.#note("descriptors", "No file descriptor is left (ulimit -n): connections wait until one is", { open: this.#open });
      return;
    }
    const now = performance.now();
    for (const listener of this.#listeners) listener.resume(now);
  }

  #broken(error: Error): void {
    if (this.#stopped) return;
    this.#finished.reject(error);
    this.stop();
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => this.#round(), this.#roundMs);
  }

  #round(): void {
    this.#timer = null;
    const now = performance.now();
    for (const arrival of this.#arrivals.all()) if (arrival.deadline <= now) arrival.late();
    for (const one of this.#turnedAway.all()) if (one.deadline <= now) one.socket.destroy();
    if (this.#arrivals.size + this.#turnedAway.size > 0) this.#arm();
  }

  #note(kind: keyof typeof LEVELS, text: string, fields: Record<string, string | number>): void {
    let line = this.#lines.get(kind);
    if (line === undefined) this.#lines.set(kind, line = new Seldom());
    const leftOut = line.next(performance.now());
    if (leftOut < 0) return;
    if (leftOut === 0) this.#keeper.note(LEVELS[kind], text, fields);
    else this.#keeper.note(LEVELS[kind], `${text} (and ${leftOut} more like it before)`, { ...fields, leftOut });
  }
}

function ignore(): void {}
