/**
 * What stands in one certificate, and whether a key is its own.
 *
 * `node:crypto` is loaded where it is first needed: it makes a start 10 ms longer.
 *
 * @module
 */

/** A certificate. */
export interface Certificate {
  /** PEM. */
  readonly text: string;
  /** As one line, such as `CN=localhost`. */
  readonly subject: string;
  /** Host names and addresses of its subjectAltName. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly from: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Reads a block of PEM; `null` where it is damaged. */
export function certificateOf(text: string): Certificate | null {
  try {
    const { subject, subjectAltName = "", validFrom, validTo } = new (crypto().X509Certificate)(text);
    return { text, subject: oneLine(subject), names: namesOf(subjectAltName), from: Date.parse(validFrom), until: Date.parse(validTo) };
  } catch {
    return null;
  }
}

/** Why a key, PEM, does not do for a certificate; `null` where it does. */
export function keyProblem({ text }: Certificate, key: string): "damaged" | "foreign" | null {
  const { createPrivateKey, X509Certificate } = crypto();
  let privateKey: ReturnType<typeof createPrivateKey>;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    return "damaged";
  }
  return new X509Certificate(text).checkPrivateKey(privateKey) ? null : "foreign";
}

/** A day, as `2026-12-31` (UTC). */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

function crypto(): typeof import("node:crypto") {
  return process.getBuiltinModule("node:crypto");
}

// Parts stand below each other, the most general one first or last.
function oneLine(subject: string | undefined): string {
  return (subject ?? "").split("\n").join(", ");
}

// `DNS:localhost, IP Address:127.0.0.1`.
function namesOf(subjectAltName: string | undefined): string[] {
  return (subjectAltName ?? "").split(", ").flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
}
