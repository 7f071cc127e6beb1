/**
 * A gate whose connections are echoed, byte for byte, and what tests ask of it.
 *
 * @module
 */

import type { Level } from "../../src/exchange.ts";
import type { ListenAddress, ListenerSettings, TlsSettings, Trust } from "../../src/engines/listener_settings.ts";
import { Gate } from "../../src/engines/node_gate.ts";
import { DEFAULT_WIRE_LIMITS, type GateConnection, type GateKeeper, type WireLimits } from "../../src/engines/node_settings.ts";
import { Mailbox, until } from "../conformance/waiting.ts";

/** A free TCP port. */
export const ANY_PORT: ListenAddress = Object.freeze({ kind: "tcp", host: "127.0.0.1", port: 0 });

/** A listener in cleartext. */
export function listener(changes: Partial<ListenerSettings> = {}): ListenerSettings {
  return { at: ANY_PORT, tls: null, proxyProtocol: false, ...changes };
}

/** TLS with one certificate, and changes to it. */
export function tls(certificate: { cert: string; key: string }, changes: Partial<TlsSettings> = {}): TlsSettings {
  return { certificates: [certificate], clientCertificates: "none", ca: null, ...changes };
}

/** Trusts everybody, or those that are named. */
export function trust(...addresses: readonly (string | null)[]): Trust {
  return { trusts: (address) => addresses.includes(address) };
}

/** An echo behind a gate. */
export class EchoGate implements AsyncDisposable, GateKeeper {
  readonly gate: Gate;
  readonly connections = new Mailbox<GateConnection>();
  readonly notes: { level: Level; text: string; fields: Record<string, string | number> }[] = [];
  addresses: readonly Deno.Addr[] = [];
  taken = 0;
  /** All that were handed over. */
  readonly held: GateConnection[] = [];

  constructor(listeners: readonly ListenerSettings[], limits: Partial<WireLimits> = {}, trusted: Trust | null = null) {
    this.gate = new Gate({ listeners, trust: trusted, limits: { ...DEFAULT_WIRE_LIMITS, ...limits } }, this);
  }

  /** A gate that listens. */
  static async open(...args: ConstructorParameters<typeof EchoGate>): Promise<EchoGate> {
    const echo = new EchoGate(...args);
    echo.addresses = await echo.gate.listen();
    return echo;
  }

  take(connection: GateConnection): void {
    const { socket } = connection;
    this.taken++;
    this.held.push(connection);
    socket.on("data", (bytes) => void socket.write(bytes));
    socket.on("end", () => socket.end());
    this.connections.put(connection);
  }

  note(level: Level, text: string, fields: Record<string, string | number>): void {
    this.notes.push({ level, text, fields });
  }

  /** The port of a listener. */
  port(at = 0): number {
    const address = this.addresses[at];
    if (address?.transport !== "tcp") throw new Error("No TCP listener");
    return address.port;
  }

  connect(at = 0): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port(at) });
  }

  /** Waits for a line of the log. */
  noted(pattern: RegExp): Promise<EchoGate["notes"][number]> {
    return until(() => this.notes.find(({ text }) => pattern.test(text)), `a note like ${pattern}`);
  }

  /** Waits for a number of open connections. */
  async opens(count: number): Promise<void> {
    await until(() => this.gate.open === count, `${count} open connections`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gate.stop();
    for (const { socket } of this.held) socket.destroy();
    await this.opens(0);
  }
}

/** Sends a text. */
export async function say(connection: { write(bytes: Uint8Array): Promise<number> }, text: string): Promise<void> {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (let at = 0; at < bytes.byteLength;) at += await connection.write(bytes.subarray(at));
}

/** Reads a text of that many bytes, or all where none are given. */
export async function hear(connection: { read(into: Uint8Array): Promise<number | null> }, bytes = Infinity): Promise<string> {
  let text = "";
  const into = new Uint8Array(1024);
  while (text.length < bytes) {
    const count = await connection.read(into).catch((error) => {
      // A reset is an end too, and so is the end of a TLS connection below TLS.
      if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.UnexpectedEof) return null;
      throw error;
    });
    if (count === null) break;
    text += String.fromCharCode(...into.subarray(0, count));
  }
  return text;
}
