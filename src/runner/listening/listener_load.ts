/**
 * What a worker that listens itself is told when it starts: plain data, which a link sends.
 *
 * @module
 */

import type { ListenerSettings } from "../../engines/listener_settings.ts";
import type { AppModule } from "../../loading/load_module.ts";
import type { EngineFacts } from "../create_engine.ts";
import type { Settings } from "../settings.ts";
import { TrustedAddresses } from "../trusted_addresses.ts";

/** It. */
export interface ListenerLoad {
  readonly app: AppModule;
  readonly engine: "deno" | "node";
  readonly facts: Omit<EngineFacts, "trust">;
  /** Entries of `--forwarded-allow-ips`. */
  readonly trusted: readonly string[] | null;
  /** As in `Settings`. */
  readonly accessLog: string | boolean;
  readonly accessLogFormat: string;
}

/** What can change while it runs. */
export type ListenerNews =
  /** Whoever rotates logs has moved the file of the access log away. */
  | { readonly is: "reopen" }
  /** Other certificates for new connections. */
  | { readonly is: "tls"; readonly tls: NonNullable<ListenerSettings["tls"]> };

/** Makes it of the settings of the server. */
export function listenerLoad(
  app: AppModule,
  engine: ListenerLoad["engine"],
  listeners: readonly ListenerSettings[],
  settings: Settings,
): ListenerLoad {
  const { rootPath, maxBodyBytes, limits, headers, trust, wire, wsDeflate, accessLog, accessLogFormat } = settings;
  const facts = { listeners, rootPath, maxBodyBytes, limits, headers, wire, wsDeflate };
  return { app, engine, facts, trusted: trust?.entries ?? null, accessLog, accessLogFormat };
}

/** What the engine of the worker is told. */
export function engineFacts({ facts, trusted }: ListenerLoad): EngineFacts {
  return { ...facts, trust: trusted === null ? null : TrustedAddresses.parse(trusted, "forwardedAllowIps") };
}
