/**
 * Opens the listener of the `deno` engine, and says in one line why that is not possible.
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";
import type { ListenerSettings } from "./listener_settings.ts";

/** What `Deno.serve` calls. */
export type Handler = (request: Request, info: Deno.ServeHandlerInfo<Deno.Addr>) => Response | Promise<Response>;
/** A running `Deno.serve`. */
export type Server = Deno.HttpServer<Deno.Addr>;

/** The longest path of a Unix socket that Linux takes. */
const MAX_PATH_BYTES = 107;

/**
 * Makes the path of a Unix socket free: removes a file that nobody listens on.
 *
 * @throws {StartupError} where the path is too long, is no socket, or somebody listens.
 */
export async function clearSocketPath(path: string): Promise<void> {
  // A path that begins with NUL names an abstract socket, which has no file.
  if (path.startsWith("\0")) return;
  const length = new TextEncoder().encode(path).byteLength;
  if (length > MAX_PATH_BYTES) {
    throw new StartupError(`The socket path ${path} is ${length} bytes long: at most ${MAX_PATH_BYTES} are possible`);
  }
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw listenError(error, path);
  }
  if (!info.isSocket) throw new StartupError(`${path} exists and is not a socket: choose another path or remove it`);
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw listenError(error, path);
    await Deno.remove(path);
    return;
  }
  throw new StartupError(`Another server listens on ${path}: stop it or choose another path`);
}

/**
 * Refuses a listener that `Deno.serve` can't open.
 *
 * @throws {StartupError} that names the engine which can.
 */
export function checkListener({ at, tls, proxyProtocol, backlog, reusePort }: ListenerSettings): void {
  const lacking = at.kind === "fd"
    ? "listen on an inherited descriptor"
    : proxyProtocol
    ? "read the PROXY protocol"
    : backlog !== undefined && at.kind === "unix"
    ? "set the backlog of a Unix socket"
    : reusePort === true && at.kind === "unix"
    ? "share a Unix socket"
    : tls !== null && at.kind === "unix"
    ? "serve TLS on a Unix socket"
    : tls !== null && tls.certificates.length !== 1
    ? "choose among certificates"
    : tls !== null && (tls.clientCertificates !== "none" || tls.ca !== null)
    ? "ask clients for certificates"
    : null;
  if (lacking !== null) throw new StartupError(`The engine "deno" can't ${lacking}: the engine "node" can`, { exitCode: 2 });
}

/**
 * Starts `Deno.serve`.
 *
 * @param port In place of that of the settings: the listener may be opened anew, on the port that 0 became.
 * @throws {StartupError} with one line that says what is wrong.
 */
export function serve(settings: ListenerSettings, port: number, handler: Handler, onError: (error: unknown) => Response): Server {
  const { at, tls, backlog, reusePort } = settings;
  if (at.kind === "fd") throw new StartupError('The engine "deno" can\'t listen on an inherited descriptor: the engine "node" can');
  if (at.kind === "tcp") {
    const options = {
      hostname: at.host,
      port,
      ...(backlog === undefined ? {} : { tcpBacklog: backlog }),
      ...(reusePort === undefined ? {} : { reusePort }),
      ...(tls === null ? {} : { cert: tls.certificates[0]!.cert, key: tls.certificates[0]!.key }),
      onError,
      onListen: nothing,
      handler,
    };
    try {
      return Deno.serve(options);
    } catch (error) {
      throw listenError(error, `${at.host}:${port}`, port);
    }
  }
  // Binding is synchronous, so the mask holds for this file alone, and the file is never open to more users than it should be.
  const mask = Deno.umask(0o777 & ~at.mode);
  try {
    return Deno.serve({ path: at.path, onError, onListen: nothing, handler });
  } catch (error) {
    throw listenError(error, at.path);
  } finally {
    Deno.umask(mask);
  }
}

function nothing(): void {}

function listenError(error: unknown, where: string, port?: number): StartupError {
  const text = error instanceof Error ? error.message.split("\n", 1)[0]! : String(error);
  const fail = (message: string) => new StartupError(message, { cause: error });
  if (error instanceof Deno.errors.AddrInUse) {
    return fail(`${where} is in use: stop the other server or choose another ${port === undefined ? "path" : "port"}`);
  }
  if (error instanceof Deno.errors.AddrNotAvailable) return fail(`${where} is not an address of this machine`);
  if (error instanceof Deno.errors.NotCapable) return fail(`No permission to listen on ${where}: ${text}`);
  if (error instanceof Deno.errors.PermissionDenied) {
    return fail(
      port !== undefined && port < 1024
        ? `Port ${port} needs a privilege that this process does not have: choose a port above 1023`
        : `No permission to listen on ${where}`,
    );
  }
  if (error instanceof Deno.errors.NotFound) return fail(`The folder of ${where} does not exist`);
  return fail(`Cannot listen on ${where}: ${text}`);
}
