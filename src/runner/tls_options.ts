/**
 * Which files of TLS the options name, and what was in them at the start.
 *
 * Not here: what may be in them (`tls_files.ts`), how they are read again (`tls_reload.ts`).
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";
import { OPTIONS, type ServeOptions } from "./options.ts";
import { readTls, type TlsFiles, type TlsReading } from "./tls_files.ts";

type TlsKey = "sslCert" | "sslKey" | "sslCa" | "sslVerifyClient" | "socket";

/** Files with what was in them. */
export interface OpenTlsFiles {
  readonly files: TlsFiles;
  readonly reading: TlsReading;
}

/**
 * Decides, and reads them.
 *
 * @param name How an option is called in messages.
 * @returns `null` where there is no certificate.
 * @throws {StartupError} With exit code 2 where the options do not go together, 3 where a file does not hold what it should.
 */
export function tlsFilesOf(options: Pick<ServeOptions, TlsKey>, name: (key: TlsKey) => string): OpenTlsFiles | null {
  const { sslCert, sslKey, sslCa } = options;
  const clientCertificates = options.sslVerifyClient ?? OPTIONS.sslVerifyClient.default!;
  if (sslCert === undefined && sslKey === undefined) {
    for (const key of ["sslCa", "sslVerifyClient"] as const) {
      if (options[key] !== undefined && options[key] !== "none") fail(`${name(key)} needs ${name("sslCert")}`);
    }
    return null;
  }
  if (sslCert === undefined || sslKey === undefined) {
    const [given, missing] = sslCert === undefined ? ["sslKey", "sslCert"] as const : ["sslCert", "sslKey"] as const;
    fail(`${name(given)} needs ${name(missing)}: give both or neither`);
  }
  if (options.socket !== undefined) fail(`${name("sslCert")} does not go with ${name("socket")}: a Unix socket is served without TLS`);
  const certs = [sslCert!].flat();
  const keys = [sslKey!].flat();
  if (certs.length !== keys.length) {
    fail(`${name("sslCert")} and ${name("sslKey")} go in pairs, got ${certs.length} and ${keys.length} of them`);
  }
  // The system's authorities would let in whoever has bought a certificate: who wants that names their file.
  if (clientCertificates !== "none" && sslCa === undefined) {
    fail(
      `${name("sslVerifyClient")} ${clientCertificates} needs ${name("sslCa")}, the authorities that may have signed client certificates`,
    );
  }
  if (clientCertificates === "none" && sslCa !== undefined) {
    fail(`${name("sslCa")} needs ${name("sslVerifyClient")} optional or require: clients are asked for no certificate`);
  }
  const pairs = certs.map((cert, index) => ({ cert, key: keys[index]! }));
  const files: TlsFiles = { pairs, clientCertificates, ca: sslCa ?? null };
  return { files, reading: readTls(files) };
}

function fail(message: string): never {
  throw new StartupError(message, { exitCode: 2 });
}
