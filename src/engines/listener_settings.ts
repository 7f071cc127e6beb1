/**
 * What engines are told of their listeners: addresses, certificates and whose word counts about a client.
 *
 * Plain data but for {@linkcode Trust}. Not here: how options become these (`runner/settings.ts`).
 *
 * @module
 */

/** Where to listen. */
export type ListenAddress =
  /** A port; 0 takes a free one. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** A Unix socket whose file gets `mode`. */
  | { readonly kind: "unix"; readonly path: string; readonly mode: number }
  /** A listening TCP socket that this process has inherited. */
  | { readonly kind: "fd"; readonly fd: number };

/** One listener. */
export interface ListenerSettings {
  readonly at: ListenAddress;
  /** `null` is cleartext. */
  readonly tls: TlsSettings | null;
  /** Every connection begins with a PROXY header, and comes from an address of {@linkcode Trust}. */
  readonly proxyProtocol: boolean;
  /** Connections that the system keeps until they are accepted; left out: the engine's own. */
  readonly backlog?: number;
  /** Other processes listen on the same port. */
  readonly reusePort?: boolean;
}

/** A certificate chain and its key, PEM texts. */
export interface CertificatePair {
  /** Leaf first. */
  readonly cert: string;
  readonly key: string;
}

/** TLS of a listener. */
export interface TlsSettings {
  /** At least one. The first is for clients that name no host, or one that no certificate is for. */
  readonly certificates: readonly CertificatePair[];
  /** Whether clients are asked for a certificate, and turned away without a good one. */
  readonly clientCertificates: "none" | "optional" | "require";
  /** Who may have signed those, PEM texts; `null` are the authorities of the system. */
  readonly ca: string | null;
}

/** An engine whose certificates can be replaced while it serves. */
export interface TlsReplacing {
  /** From now on new connections of all TLS listeners get these; open ones go on. Throws where they can't be had, and nothing changes. */
  replaceTls(tls: TlsSettings): void;
}

/** Whose word counts about where a request comes from. */
export interface Trust {
  /** Whether a peer is a proxy of ours; `null` is the peer of a Unix socket. */
  trusts(address: string | null): boolean;
}
