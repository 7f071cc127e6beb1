/**
 * Reads the files of a TLS certificate, and says in one line what is wrong with them.
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";

/** A certificate chain and its key, PEM texts. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads a certificate and its key.
 *
 * @throws {StartupError} Where a file can't be read or does not hold what it should.
 */
export function readTls(certPath: string, keyPath: string): Tls {
  const cert = read("certificate", certPath);
  const key = read("key", keyPath);
  if (!hasCertificate(cert)) {
    throw new StartupError(
      hasKey(cert)
        ? `${certPath} holds a private key, not a certificate: are the two files swapped?`
        : `${certPath} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`,
    );
  }
  if (!hasKey(key)) {
    throw new StartupError(
      /-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(key)
        ? `${keyPath} holds a key that is locked by a passphrase: give one without`
        : `${keyPath} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)`,
    );
  }
  if (!belongs(cert, key)) throw new StartupError(`The key in ${keyPath} does not belong to the certificate in ${certPath}`);
  return { cert, key };
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

// What Node's crypto can't read may still be right for the engine, which has the last word.
function belongs(cert: string, key: string): boolean {
  try {
    // Loaded only here: it makes a start 10 ms longer.
    const { createPrivateKey, X509Certificate } = process.getBuiltinModule("node:crypto");
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return true;
  }
}

function hasCertificate(text: string): boolean {
  return /-----BEGIN CERTIFICATE-----/.test(text);
}

function hasKey(text: string): boolean {
  return /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----/.test(text);
}
