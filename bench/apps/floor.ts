/**
 * What every floor does with a request: it reads the method, the URL, all headers and the address, and listens where the server under
 * test does.
 *
 * @module
 */

/** Adds up what was read, so that no compiler can leave the reading out. */
const seen = { units: 0 };

/** Reads what any gateway must read. */
export function readHead(request: Request, info: Deno.ServeHandlerInfo): void {
  let units = request.method.length + request.url.length;
  request.headers.forEach((value, name) => {
    units += name.length + value.length;
  });
  const remote = info.remoteAddr as Deno.NetAddr;
  seen.units = (seen.units + units + remote.hostname.length + remote.port) | 0;
}

/** Serves on a free loopback port and prints the URL on standard error. */
export function serveFloor(handler: (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>): void {
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.error(`Listening on http://127.0.0.1:${port}/`),
  }, handler);
}
