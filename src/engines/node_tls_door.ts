/**
 * The TLS handshake of accepted sockets: certificates by name, ALPN, client certificates.
 *
 * A door is made of settings that do not change; with other certificates there is another door, and handshakes that have begun go on at
 * theirs. Not here: how long a handshake may take (`node_arrival.ts`).
 *
 * @module
 */

import type { Socket } from "node:net";
import { createSecureContext, createServer, type SecureContext, type Server, type TlsOptions, type TLSSocket } from "node:tls";
import { StartupError } from "../spec/errors.ts";
import type { TlsInfo } from "../spec/scope.ts";
import { firstCertificate } from "../wire/pem.ts";
import type { TlsSettings } from "./listener_settings.ts";
import { TlsInfos } from "./node_tls_info.ts";
import { CertificateNames } from "./node_tls_names.ts";

/** Who waits for a handshake. */
export interface AtDoor {
  /** It is done; `protocol` is `null` where the client named none. */
  secured(socket: TLSSocket, protocol: "http1" | "http2" | null, tls: TlsInfo): void;
  /** It failed. */
  insecure(reason: string): void;
}

/** A TLS socket knows the socket that it was made of. Not in the types. */
interface Wrapped {
  readonly _parent: Socket;
}

const PROTOCOLS: Readonly<Record<string, "http1" | "http2">> = { h2: "http2", "http/1.1": "http1" };

/** Handshakes by one set of certificates. */
export class TlsDoor {
  readonly #server: Server;
  readonly #names: CertificateNames;
  /** The certificates themselves, without what follows them in their files. */
  readonly #leaves: readonly string[];
  readonly #infos: TlsInfos;
  readonly #waiting = new WeakMap<Socket, AtDoor>();

  /**
   * Reads the certificates.
   *
   * @throws {StartupError} where they can't be used.
   */
  constructor(settings: TlsSettings) {
    const { certificates, clientCertificates, ca } = settings;
    try {
      // What the callback gives takes the place of all options of the server, its authorities too.
      const authorities = clientCertificates !== "none" && ca !== null ? { ca } : {};
      const contexts = certificates.map(({ cert, key }) => createSecureContext({ cert, key, ...authorities }));
      this.#names = new CertificateNames(certificates.map(({ cert }) => cert));
      this.#leaves = certificates.map(({ cert }) => firstCertificate(cert) ?? "");
      this.#infos = new TlsInfos(clientCertificates !== "none");
      this.#server = createServer(this.#options(settings, contexts));
    } catch (error) {
      const text = error instanceof Error ? error.message.split("\n", 1)[0]! : String(error);
      throw new StartupError(`TLS can't be set up with these certificates: ${text}`, { cause: error });
    }
    if (certificates.length === 0) throw new StartupError("TLS needs a certificate");
    if (clientCertificates !== "none" && ca !== null && firstCertificate(ca) === null) {
      throw new StartupError("The authorities of client certificates hold no certificate in PEM form");
    }
    this.#server.on("secureConnection", (socket: TLSSocket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error: Error, socket: TLSSocket) => this.#insecure(error, socket));
  }

  /** Begins a handshake; what has been read of it was put back into the socket. */
  open(socket: Socket, waiting: AtDoor): void {
    this.#waiting.set(socket, waiting);
    this.#server.emit("connection", socket);
  }

  #options({ certificates, clientCertificates, ca }: TlsSettings, contexts: readonly SecureContext[]): TlsOptions {
    const asks = clientCertificates !== "none";
    return {
      cert: certificates[0]?.cert ?? "",
      key: certificates[0]?.key ?? "",
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      requestCert: asks,
      rejectUnauthorized: clientCertificates === "require",
      ...(asks && ca !== null ? { ca } : {}),
      // Without it, the socket does not know the name that the client named. With it, Deno tells a client of TLS 1.1 nothing before it closes.
      ...(contexts.length > 1 ? { SNICallback: (name, done) => done(null, contexts[this.#names.find(name)]) } : {}),
    };
  }

  #secured(socket: TLSSocket): void {
    const waiting = this.#take(socket);
    if (waiting === null) {
      socket.destroy();
      return;
    }
    const { servername } = socket as { servername?: string | false };
    const serverCert = this.#leaves[servername ? this.#names.find(servername) : 0]!;
    const protocol = socket.alpnProtocol ? PROTOCOLS[socket.alpnProtocol] ?? null : null;
    waiting.secured(socket, protocol, this.#infos.of(socket, serverCert));
  }

  #insecure(error: Error, socket: TLSSocket): void {
    const { code } = error as { code?: string };
    this.#take(socket)?.insecure(code === undefined ? error.message : `${error.message} (${code})`);
  }

  #take(socket: TLSSocket): AtDoor | null {
    const raw = (socket as unknown as Wrapped)._parent;
    const waiting = this.#waiting.get(raw) ?? null;
    if (waiting !== null) this.#waiting.delete(raw);
    return waiting;
  }
}
