/**
 * Opens the listener of the `deno` engine, and says in one line why that is not possible.
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";
import { listenError } from "./listen_error.ts";
import type { ListenerSettings } from "./listener_settings.ts";

/** What `Deno.serve` calls. */
export type Handler = (request: Request, info: Deno.ServeHandlerInfo<Deno.Addr>) => Response | Promise<Response>;
/** A running `Deno.serve`. */
export type Server = Deno.HttpServer<Deno.Addr>;

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
