/**
 * What the `tls` extension says of a connection. Contract section 9.
 *
 * Not here: the handshake (`node_tls_door.ts`).
 *
 * @module
 */

import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from "node:tls";
import type { TlsInfo } from "../spec/scope.ts";
import { subjectName } from "./node_tls_name.ts";

/** Numbers of the suites that Deno's TLS has, by the names of IANA. */
const SUITES: Readonly<Record<string, number>> = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
};
const VERSIONS: Readonly<Record<string, number>> = { "TLSv1.2": 0x0303, "TLSv1.3": 0x0304 };

const NO_CHAIN: readonly string[] = Object.freeze([]);

/** Tells of connections; those without a client certificate that are alike share one object. */
export class TlsInfos {
  readonly #asksForCertificates: boolean;
  /** By suite, then by server certificate; there are few of both. */
  readonly #shared = new Map<string, Map<string, TlsInfo>>();

  /** Whether clients are asked for a certificate. */
  constructor(asksForCertificates: boolean) {
    this.#asksForCertificates = asksForCertificates;
  }

  /**
   * Tells of one connection, after its handshake.
   *
   * @param serverCert The certificate that was shown, PEM.
   */
  of(socket: TLSSocket, serverCert: string): TlsInfo {
    const { standardName } = socket.getCipher();
    if (this.#asksForCertificates) {
      const leaf = socket.getPeerCertificate(true);
      const chain = clientChain(leaf);
      if (chain.length > 0) return this.#withClient(socket, serverCert, standardName, chain, leaf);
    }
    let ofSuite = this.#shared.get(standardName);
    if (ofSuite === undefined) this.#shared.set(standardName, ofSuite = new Map());
    let info = ofSuite.get(serverCert);
    if (info === undefined) {
      info = Object.freeze({
        server_cert: serverCert,
        client_cert_chain: NO_CHAIN,
        client_cert_name: null,
        client_cert_error: null,
        tls_version: VERSIONS[socket.getProtocol() ?? ""] ?? null,
        cipher_suite: SUITES[standardName] ?? null,
      });
      ofSuite.set(serverCert, info);
    }
    return info;
  }

  #withClient(socket: TLSSocket, serverCert: string, suite: string, chain: readonly Uint8Array[], leaf: PeerCertificate): TlsInfo {
    return Object.freeze({
      server_cert: serverCert,
      client_cert_chain: Object.freeze(chain.map(pem)),
      client_cert_name: subjectName(chain[0]!),
      client_cert_error: socket.authorized ? null : reasonOf(socket.authorizationError, leaf),
      tls_version: VERSIONS[socket.getProtocol() ?? ""] ?? null,
      cipher_suite: SUITES[suite] ?? null,
    });
  }
}

/** The bytes of the certificates that a client showed, its own first. */
function clientChain(leaf: DetailedPeerCertificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  // The last one is its own issuer; an absent certificate is an object without fields.
  while (certificate?.raw !== undefined && !chain.some((seen) => same(seen, certificate!.raw))) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}

/**
 * Node says a code here, although the types say an error. Of a certificate out of its time Deno says what it says of one that nobody has
 * signed; we say what Node does.
 */
function reasonOf(error: unknown, { valid_from, valid_to }: PeerCertificate): string {
  const now = Date.now();
  if (now > Date.parse(valid_to)) return "CERT_HAS_EXPIRED";
  if (now < Date.parse(valid_from)) return "CERT_NOT_YET_VALID";
  return error instanceof Error ? error.message : typeof error === "string" ? error : "not verified";
}

function pem(der: Uint8Array): string {
  const lines = new Uint8Array(der).toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
