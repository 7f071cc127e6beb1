/**
 * Which of several certificates is for a host name.
 *
 * By the names among the subject alternative names, with wildcards as RFC 6125 section 6.4.3 has them: `*` is the whole first label and stands
 * for exactly one. Only a certificate without such a name is known by its common name (section 6.4.4).
 *
 * @module
 */

import { X509Certificate } from "node:crypto";

/** Finds the certificate for a name. */
export class CertificateNames {
  /** Names, and wildcards with their dot (`.example.com`), to the place of the certificate. */
  readonly #places = new Map<string, number>();

  /** Certificates, PEM texts with the leaf first. Throws where one can't be read. */
  constructor(certificates: readonly string[]) {
    certificates.forEach((cert, place) => {
      for (const name of namesOf(new X509Certificate(cert))) {
        const key = name.startsWith("*.") ? name.slice(1) : name;
        if (!this.#places.has(key)) this.#places.set(key, place);
      }
    });
  }

  /** The place of the certificate for a name; 0 where there is none. */
  find(name: string): number {
    const host = name.toLowerCase().replace(/\.$/, "");
    const dot = host.indexOf(".");
    // The first label may not be empty.
    return this.#places.get(host) ?? (dot > 0 ? this.#places.get(host.slice(dot)) : undefined) ?? 0;
  }
}

function namesOf(certificate: X509Certificate): string[] {
  const alternative = [...(certificate.subjectAltName ?? "").matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name]) => name!.toLowerCase());
  if (alternative.length > 0) return alternative;
  const common = /(?:^|\n)CN=([^\n]+)/.exec(certificate.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}
