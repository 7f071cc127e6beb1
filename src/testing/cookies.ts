/**
 * A cookie jar for one server: what a browser would keep and send back. RFC 6265 section 5; domains are left out, since there is one host.
 *
 * @module
 */

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly isSecure: boolean;
  /** Milliseconds since 1970, `Infinity` for the life of the jar. */
  readonly expiresMs: number;
}

/**
 * The cookies of a test client.
 *
 * @example
 * ```ts
 * import { CookieJar } from "@pagi/server/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const jar = new CookieJar();
 * jar.take(["session=abc; Path=/; HttpOnly", "old=1; Path=/admin"], "/login");
 * assertEquals(jar.header("/", false), "session=abc");
 * jar.take(["session=; Path=/; Max-Age=0"], "/logout");
 * assertEquals(jar.header("/", false), null);
 * assertEquals(jar.get("old"), "1");
 * ```
 */
export class CookieJar {
  /** By name and path: a later cookie of both replaces the earlier, in its place. */
  readonly #cookies = new Map<string, Cookie>();

  /** Takes `set-cookie` values of the response to a request for `path`. An expired one deletes. */
  take(values: readonly string[], path: string): void {
    for (const value of values) {
      const cookie = parse(value, path);
      if (cookie === null) continue;
      const key = `${cookie.name};${cookie.path}`;
      if (cookie.expiresMs <= Date.now()) this.#cookies.delete(key);
      else this.#cookies.set(key, cookie);
    }
  }

  /** The `cookie` header for a request, `null` where no cookie fits. Longer paths come first. */
  header(path: string, isSecure: boolean): string | null {
    const now = Date.now();
    const fitting = [...this.#cookies.values()].filter((cookie) =>
      cookie.expiresMs > now && (isSecure || !cookie.isSecure) && isWithin(path, cookie.path)
    );
    if (fitting.length === 0) return null;
    fitting.sort((one, other) => other.path.length - one.path.length);
    return fitting.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  /** The value of a cookie, whatever its path. */
  get(name: string): string | undefined {
    return this.#named(name)?.value;
  }

  /** Sets a cookie for all paths. */
  set(name: string, value: string): void {
    this.#cookies.set(`${name};/`, { name, value, path: "/", isSecure: false, expiresMs: Infinity });
  }

  /** Forgets a cookie of every path. */
  delete(name: string): void {
    for (const [key, cookie] of [...this.#cookies]) if (cookie.name === name) this.#cookies.delete(key);
  }

  /** Forgets everything. */
  clear(): void {
    this.#cookies.clear();
  }

  /** Names and values. */
  entries(): [name: string, value: string][] {
    const now = Date.now();
    return [...this.#cookies.values()].filter((cookie) => cookie.expiresMs > now).map(({ name, value }) => [name, value]);
  }

  #named(name: string): Cookie | undefined {
    return [...this.#cookies.values()].find((cookie) => cookie.name === name && cookie.expiresMs > Date.now());
  }
}

function parse(text: string, requestPath: string): Cookie | null {
  const [pair = "", ...attributes] = text.split(";");
  const equals = pair.indexOf("=");
  const name = pair.slice(0, Math.max(0, equals)).trim();
  if (name === "") return null;
  let path = defaultPath(requestPath);
  let isSecure = false;
  let maxAgeMs: number | null = null;
  let expiresMs = Infinity;
  for (const attribute of attributes) {
    const at = attribute.indexOf("=");
    const key = (at < 0 ? attribute : attribute.slice(0, at)).trim().toLowerCase();
    const value = at < 0 ? "" : attribute.slice(at + 1).trim();
    if (key === "path" && value.startsWith("/")) path = value;
    else if (key === "secure") isSecure = true;
    else if (key === "max-age" && /^-?\d+$/.test(value)) maxAgeMs = Number(value) * 1000;
    else if (key === "expires" && !Number.isNaN(Date.parse(value))) expiresMs = Date.parse(value);
  }
  // Max-Age wins over Expires, in whatever order they stand.
  if (maxAgeMs !== null) expiresMs = maxAgeMs <= 0 ? -Infinity : Date.now() + maxAgeMs;
  return { name, value: pair.slice(equals + 1).trim(), path, isSecure, expiresMs };
}

/** The folder of a request path (RFC 6265 section 5.1.4). */
function defaultPath(path: string): string {
  const end = path.lastIndexOf("/");
  return end <= 0 ? "/" : path.slice(0, end);
}

function isWithin(path: string, folder: string): boolean {
  if (path === folder) return true;
  return path.startsWith(folder) && (folder.endsWith("/") || path[folder.length] === "/");
}
