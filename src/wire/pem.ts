/**
 * Texts in PEM form. RFC 7468.
 *
 * @module
 */

/** The first certificate of a text, as a line of its own; `null` where there is none. */
export function firstCertificate(text: string): string | null {
  const found = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(text)?.[0];
  return found === undefined ? null : `${found}\n`;
}
