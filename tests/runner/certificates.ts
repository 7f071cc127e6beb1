/**
 * Certificates for tests, made by openssl: an authority, and what it signs for servers and clients.
 *
 * Everything lies in one folder, `NAME.crt` and `NAME.key`.
 *
 * @module
 */

/** What a certificate is for. */
export interface CertificateWish {
  /** Default: `/CN=` and the name. */
  readonly subject?: string;
  /** Such as `DNS:localhost,IP:127.0.0.1`; left out, it has none. */
  readonly names?: string;
  /** Default `serverAuth`. */
  readonly usage?: "serverAuth" | "clientAuth";
  /** Who signs; left out, itself. */
  readonly signer?: string;
  /** It may sign others. */
  readonly isAuthority?: boolean;
  /** First and last moment as `YYMMDDHHMMSSZ`; default: from now on for two days. */
  readonly dates?: readonly [from: string, until: string];
}

/** A folder of certificates. */
export class Certificates implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Certificates> {
    return new Certificates(await Deno.makeTempDir({ prefix: "certificates_" }));
  }

  /** The path of a certificate. */
  cert(name: string): string {
    return `${this.path}/${name}.crt`;
  }

  /** The path of a key. */
  key(name: string): string {
    return `${this.path}/${name}.key`;
  }

  /** Makes a certificate and a key of its own, both of this name. */
  async add(name: string, wish: CertificateWish = {}): Promise<void> {
    const { subject = `/CN=${name}`, names, usage = "serverAuth", signer, isAuthority = false, dates } = wish;
    const extensions = [
      `basicConstraints=critical,CA:${isAuthority ? "TRUE" : "FALSE"}`,
      isAuthority ? "keyUsage=critical,keyCertSign,cRLSign" : `extendedKeyUsage=${usage}`,
      ...(names === undefined ? [] : [`subjectAltName=${names}`]),
    ];
    await this.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", this.key(name));
    await Deno.chmod(this.key(name), 0o600);
    const request = `${this.path}/${name}.csr`;
    await this.openssl("req", "-new", "-utf8", "-key", this.key(name), "-subj", subject, "-out", request);
    await Deno.writeTextFile(`${this.path}/${name}.ext`, extensions.join("\n"));
    if (dates !== undefined) return await this.#dated(name, signer ?? name, dates);
    const sign = signer === undefined ? ["-signkey", this.key(name)] : ["-CA", this.cert(signer), "-CAkey", this.key(signer)];
    await this.openssl(
      ...["x509", "-req", "-in", request, ...sign, "-set_serial", `0x${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`],
      ...["-days", "2", "-extfile", `${this.path}/${name}.ext`, "-out", this.cert(name)],
    );
  }

  /** Runs openssl in the folder. */
  async openssl(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("openssl", { args, cwd: this.path, stdin: "null" }).output();
    if (!success) throw new Error(`openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }

  // `openssl x509` takes no dates before its version 3.4; `openssl ca` does.
  async #dated(name: string, signer: string, [from, until]: readonly [string, string]): Promise<void> {
    const files = `${this.path}/${name}.ca`;
    await Deno.mkdir(files);
    await Deno.writeTextFile(`${files}/index.txt`, "");
    await Deno.writeTextFile(
      `${files}/ca.cnf`,
      `[ca]\ndefault_ca=own\n[own]\ndatabase=${files}/index.txt\nnew_certs_dir=${files}\nrand_serial=yes\ndefault_md=sha256\n` +
        "policy=any\nunique_subject=no\n[any]\ncommonName=optional\norganizationName=optional\n",
    );
    const sign = signer === name ? ["-selfsign"] : ["-cert", this.cert(signer)];
    await this.openssl(
      ...["ca", "-batch", "-notext", "-config", `${files}/ca.cnf`, "-keyfile", this.key(signer), ...sign],
      ...["-in", `${this.path}/${name}.csr`, "-startdate", from, "-enddate", until, "-extfile", `${this.path}/${name}.ext`],
      ...["-out", this.cert(name)],
    );
  }
}
