/**
 * Whose word counts about where a request comes from: `--forwarded-allow-ips`.
 *
 * Addresses and blocks are compared as numbers, names are not resolved. Not here: what a trusted peer can say (`wire/forwarded.ts`).
 *
 * @module
 */

import type { Trust } from "../engines/listener_settings.ts";
import { StartupError } from "../spec/errors.ts";
import { type IpBlock, isInBlock, parseIp, parseIpBlock } from "../wire/ip.ts";

/** What an entry can be, for messages. */
export const TRUSTED_RIGHT =
  "addresses such as 10.0.0.1 or 2001:db8::1, blocks such as 10.0.0.0/8 or fd00::/8, unix for the peers of Unix sockets, or * for everybody";

/** Peers that are proxies of ours. */
export class TrustedAddresses implements Trust {
  /** Any client can say of itself what it likes. */
  readonly everybody: boolean;
  /** As they were given: for a worker, which reads them again. */
  readonly entries: readonly string[];
  /** A client that comes over TCP can be one of them. */
  readonly namesAddresses: boolean;
  readonly #unix: boolean;
  readonly #blocks: readonly IpBlock[];
  // The last address of either answer: each request asks about the proxy, and then about its client.
  #lastTrusted = "";
  #lastOther = "";

  private constructor(entries: readonly string[], everybody: boolean, unix: boolean, blocks: readonly IpBlock[]) {
    this.entries = entries;
    this.everybody = everybody;
    this.#unix = unix;
    this.#blocks = blocks;
    this.namesAddresses = everybody || blocks.length > 0;
  }

  /**
   * Reads the entries of an option; each may hold several, with commas between them.
   *
   * @throws {StartupError} with exit code 2, for the first entry that is wrong. `name` is how the option is called.
   */
  static parse(given: readonly string[], name: string): TrustedAddresses {
    const blocks: IpBlock[] = [];
    let everybody = false;
    let unix = false;
    for (const entry of given.flatMap((text) => text.split(","))) {
      const text = entry.trim().toLowerCase();
      if (text === "*") everybody = true;
      else if (text === "unix") unix = true;
      else blocks.push(parseIpBlock(text.replace(/^\[(.*)\]$/, "$1")) ?? refuse(name, entry.trim()));
    }
    return new TrustedAddresses(given, everybody, unix, blocks);
  }

  /** Whether a peer is one of them; `null` is the peer of a Unix socket. */
  trusts(address: string | null): boolean {
    if (this.everybody) return true;
    if (address === null) return this.#unix;
    if (address === "" || address === this.#lastOther) return false;
    if (address === this.#lastTrusted) return true;
    const ip = parseIp(address);
    const isTrusted = ip !== null && this.#blocks.some((block) => isInBlock(ip, block));
    if (isTrusted) this.#lastTrusted = address;
    else this.#lastOther = address;
    return isTrusted;
  }
}

function refuse(name: string, entry: string): never {
  const hint = entry === ""
    ? "an entry is empty"
    : entry.includes("/")
    ? `"${entry}" is no block`
    : `"${entry}" is no address${/[a-z]/i.test(entry) && !entry.includes(":") ? ", and names are not resolved" : ""}`;
  throw new StartupError(`${name} must be ${TRUSTED_RIGHT}: ${hint}`, { exitCode: 2 });
}
