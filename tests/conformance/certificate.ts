/**
 * A certificate for `localhost`, made once for each run by an outside program.
 *
 * @module
 */

/** A certificate and its key, PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const made: Promise<Certificate>[] = [];

/** The certificate of this run; it is made when it is first asked for. */
export function certificate(): Promise<Certificate> {
  return made[0] ??= make();
}

async function make(): Promise<Certificate> {
  const folder = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
        ...[
          "-subj",
          "/CN=localhost",
          "-addext",
          "subjectAltName=DNS:localhost,IP:127.0.0.1",
          "-addext",
          "basicConstraints=critical,CA:FALSE",
        ],
        ...["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`],
      ],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return { cert: await Deno.readTextFile(`${folder}/cert.pem`), key: await Deno.readTextFile(`${folder}/key.pem`) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
