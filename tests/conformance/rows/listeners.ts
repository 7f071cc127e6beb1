/** Listeners. */

import { assertEquals } from "@std/assert";
import { scopes } from "../apps.ts";
import { elsewhere, row } from "../suite.ts";
import { WireConnection } from "../wire_connection.ts";
import { WireExchange } from "../wire_exchange.ts";

const OPTIONS = "tests/runner/options_test.ts";
const SERVE = "tests/runner/serve_test.ts";
const ERRORS = "tests/runner/cli_errors_test.ts";
const RUN = "tests/runner/cli_run_test.ts";
const LISTENERS = "tests/runner/listeners_test.ts";
const DENO = "tests/engines/deno_serve_listeners_test.ts";

elsewhere("LISN-001", "The default is 127.0.0.1, port 5000", OPTIONS);
elsewhere("LISN-002", "Port 0 takes a free one, and the server tells which", SERVE);
elsewhere("LISN-003", "Several listeners, each with its own addresses in the scope", DENO);
elsewhere("LISN-003", "on both engines, TCP, IPv6 and Unix side by side", RUN);
row("LISN-003", "a port and a Unix socket of one server", { wire: true, unix: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { unix: "too" });
  const [port, file] = server.addresses as [{ port: number }, { path: string }];
  assertEquals((await server.request()).status, 200);
  const unix = new WireConnection(await Deno.connect({ transport: "unix", path: file.path }));
  await unix.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await WireExchange.reply(unix)).status, 200);
  unix.close();
  const [first, second] = [await seen.take(), await seen.take()];
  assertEquals([first.server, first.client?.[0]], [["127.0.0.1", port.port], "127.0.0.1"]);
  assertEquals([second.server, "client" in second], [[file.path, null], false]);
});

elsewhere("LISN-004", "A socket and a host or port exclude each other, and the error names both", ERRORS);
elsewhere("LISN-005", "A list of listeners is checked: every malformed form is an error that says what would be right", LISTENERS);
elsewhere("LISN-006", "The server tells its addresses", SERVE);
elsewhere("LISN-007", "Without an app nothing is served, and the error says what was wrong", ERRORS);
elsewhere("LISN-008", "A wrong value is an error that names its option", ERRORS);
elsewhere("LISN-009", "A port in use, and one without permission, are errors that say so", ERRORS);
elsewhere("LISN-010", "A banner tells address, engine, home, workers, TLS and environment", RUN);
elsewhere("LISN-011", "`quiet` leaves errors alone; levels filter", RUN);
elsewhere("LISN-011", "`--listener-backlog` is the backlog of every listener (default: that of the engine; 2048 in the reference)", DENO);
elsewhere("LISN-012", "IPv6 addresses are listened on", SERVE);
elsewhere("LISN-013", "The library and the command take the same options, and refuse unknown ones by name", ERRORS);
elsewhere("LISN-014", "A server is configured once, when it is started; two in one process have their own settings", SERVE);
