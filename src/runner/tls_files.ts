/**
 * Reads the files of TLS, and says in one line what is wrong with them: an error for what can't work, a warning for what clients will
 * refuse or what others may read.
 *
 * Not here: which files (`settings.ts`), when they are read again (`tls_reload.ts`), what stands in a certificate (`tls_certificate.ts`).
 *
 * @module
 */

import type { CertificatePair, TlsSettings } from "../engines/listener_settings.ts";
import { StartupError } from "../spec/errors.ts";
import { type Certificate, certificateOf, dayOf, keyProblem } from "./tls_certificate.ts";

/** The files of TLS, by their paths. */
export interface TlsFiles {
  /** At least one; the first is the default. */
  readonly pairs: readonly { readonly cert: string; readonly key: string }[];
  readonly clientCertificates: TlsSettings["clientCertificates"];
  /** `null` where clients are asked for no certificate. */
  readonly ca: string | null;
}

/** What was in them. */
export interface TlsReading {
  readonly tls: TlsSettings;
  /** The served certificates, one text each: whom they are for and how long. */
  readonly certificates: readonly string[];
  /** What is amiss and does not hinder, one line each. */
  readonly warnings: readonly string[];
}

/** Permissions of a key file that nobody but its owner should have: reading and writing. */
const OTHERS = 0o066;

/** The end of a certificate is told so long before, or a tenth of its life: whoever renews it in time has done so by then. */
const NOTICE_MS = 7 * 24 * 3_600_000;

/** The blocks of a PEM text. */
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[^-]+-----END \1-----/;
const LOCKED_KEY = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/**
 * Reads and checks all files.
 *
 * @param now Milliseconds since 1970.
 * @throws {StartupError} Where a file can't be read or does not hold what it should.
 */
export function readTls(files: TlsFiles, now: number = Date.now()): TlsReading {
  const warnings: string[] = [];
  const certificates: string[] = [];
  const pairs = files.pairs.map(({ cert, key }): CertificatePair => {
    const chain = readCertificates("certificate", cert);
    const pair = { cert: chain.text, key: readKey(key) };
    checkPair(chain.certificates, pair.key, cert, key);
    const leaf = chain.certificates[0]!;
    warnings.push(...datesProblem(leaf, cert, now), ...nameProblem(leaf, cert), ...modeProblem(key));
    certificates.push(describe(leaf));
    return pair;
  });
  const ca = files.ca === null ? null : readCertificates("authorities", files.ca);
  for (const authority of ca?.certificates ?? []) warnings.push(...datesProblem(authority, `${files.ca} (${authority.subject})`, now));
  return {
    tls: { certificates: pairs, clientCertificates: files.clientCertificates, ca: ca === null ? null : ca.text },
    certificates,
    warnings: [...new Set(warnings)],
  };
}

/** All paths, each once. */
export function tlsPaths({ pairs, ca }: TlsFiles): string[] {
  return [...new Set([...pairs.flatMap(({ cert, key }) => [cert, key]), ...(ca === null ? [] : [ca])])];
}

/** Whether two readings have the same certificates, keys and authorities. */
export function isSameTls(one: TlsSettings, other: TlsSettings): boolean {
  return one.ca === other.ca && one.certificates.length === other.certificates.length &&
    one.certificates.every(({ cert, key }, index) => cert === other.certificates[index]!.cert && key === other.certificates[index]!.key);
}

// Engines get the blocks alone: what else a file may hold, such as a key or a printed certificate, is not theirs to meet.
function readCertificates(what: string, path: string): { text: string; certificates: Certificate[] } {
  const text = read(what, path);
  const blocks = text.match(CERTIFICATES);
  if (blocks === null) {
    if (KEY.test(text) || LOCKED_KEY.test(text)) {
      const hint = what === "certificate" ? ": are the two files swapped?" : "";
      throw new StartupError(`${path} holds a private key, not a certificate${hint}`);
    }
    throw new StartupError(`${path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`);
  }
  const certificates = blocks.map((block, index) => {
    const certificate = certificateOf(block);
    if (certificate !== null) return certificate;
    throw new StartupError(`${path} holds a certificate that is damaged${blocks.length === 1 ? "" : ` (number ${index + 1})`}`);
  });
  return { text: `${blocks.join("\n")}\n`, certificates };
}

function readKey(path: string): string {
  const text = read("key", path);
  if (LOCKED_KEY.test(text)) throw new StartupError(`${path} holds a key that is locked by a passphrase: give one without`);
  const block = KEY.exec(text)?.[0];
  if (block !== undefined) return `${block}\n`;
  throw new StartupError(
    text.match(CERTIFICATES) === null
      ? `${path} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)`
      : `${path} holds a certificate, not a private key: are the two files swapped?`,
  );
}

function read(what: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const problem = error instanceof Deno.errors.NotFound
      ? "not found"
      : error instanceof Deno.errors.IsADirectory
      ? "is a directory"
      : error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable
      ? "can't be read: no permission"
      : `can't be read: ${error instanceof Error ? error.message : error}`;
    throw new StartupError(`TLS ${what} ${path} ${problem}`, { cause: error });
  }
}

function checkPair(chain: readonly Certificate[], key: string, certPath: string, keyPath: string): void {
  const problem = keyProblem(chain[0]!, key);
  if (problem === null) return;
  if (problem === "damaged") throw new StartupError(`${keyPath} holds a private key that is damaged, or of a kind that TLS does not know`);
  const place = chain.findIndex((certificate) => keyProblem(certificate, key) === null);
  throw new StartupError(
    place < 0
      ? `The key in ${keyPath} does not belong to the certificate in ${certPath}`
      : `The key in ${keyPath} belongs to certificate number ${place + 1} in ${certPath}, it must be the first`,
  );
}

function datesProblem({ from, until }: Certificate, what: string, now: number): string[] {
  if (now > until) return [`The certificate ${what} has expired: it was valid until ${dayOf(until)}`];
  if (now < from) return [`The certificate ${what} is not valid yet: it begins on ${dayOf(from)}`];
  return until - now < Math.min(NOTICE_MS, (until - from) / 10) ? [`The certificate ${what} expires on ${dayOf(until)}`] : [];
}

function nameProblem({ names, subject }: Certificate, path: string): string[] {
  if (names.length > 0) return [];
  return [`The certificate ${path} (${subject}) names no host in its subjectAltName: clients look nowhere else and refuse it`];
}

// What is no file has no permissions that count, and Windows has none of this kind.
function modeProblem(path: string): string[] {
  const { mode, isFile } = Deno.statSync(path);
  if (mode === null || !isFile || (mode & OTHERS) === 0) return [];
  const text = `0${(mode & 0o777).toString(8).padStart(3, "0")}`;
  return [`The key ${path} is open to other users (mode ${text}): chmod 600 ${path}`];
}

function describe({ names, subject, until }: Certificate): string {
  return `${names.length > 0 ? names.join(", ") : subject} (until ${dayOf(until)})`;
}
