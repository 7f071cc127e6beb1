/**
 * Certificates, made once for each run by an outside program: that of the server, for `localhost`, and those of clients.
 *
 * @module
 */

/** A certificate and its key, PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** What clients show. */
export interface ClientCertificates {
  /** The authority that a server is told to trust. */
  readonly authority: string;
  /** One of that authority: country DE, organisation `Acme, Inc.`, name `client`. */
  readonly good: Certificate;
  /** One that vouches for itself. */
  readonly stranger: Certificate;
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const SELF_SIGNED = ["req", "-x509", ...CURVE, "-days", "2"];
const NO_AUTHORITY = ["-addext", "basicConstraints=critical,CA:FALSE"];

const made: Promise<Certificate>[] = [];
const clients: Promise<ClientCertificates>[] = [];

/** The certificate of this run; it is made when it is first asked for. */
export function certificate(): Promise<Certificate> {
  return made[0] ??= inFolder((folder) =>
    issue(folder, "server", [
      ...[...SELF_SIGNED, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...NO_AUTHORITY,
    ])
  );
}

/** Those of clients; they are made when they are first asked for. */
export function clientCertificates(): Promise<ClientCertificates> {
  return clients[0] ??= inFolder(async (folder) => {
    const { cert: authority } = await issue(folder, "ca", [...SELF_SIGNED, "-subj", "/CN=an authority"]);
    const purpose = [...NO_AUTHORITY, "-addext", "extendedKeyUsage=clientAuth"];
    const good = await issue(folder, "good", [
      ...[...SELF_SIGNED, "-CA", `${folder}/ca.cert`, "-CAkey", `${folder}/ca.key`],
      ...["-subj", "/C=DE/O=Acme, Inc./CN=client", ...purpose],
    ]);
    return { authority, good, stranger: await issue(folder, "stranger", [...SELF_SIGNED, "-subj", "/CN=stranger", ...purpose]) };
  });
}

async function issue(folder: string, name: string, args: readonly string[]): Promise<Certificate> {
  const [cert, key] = [`${folder}/${name}.cert`, `${folder}/${name}.key`];
  const { success, stderr } = await new Deno.Command("openssl", { args: [...args, "-keyout", key, "-out", cert] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
