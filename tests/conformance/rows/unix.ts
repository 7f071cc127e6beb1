/** Unix sockets. */

import { assertEquals } from "@std/assert";
import { scopes, text } from "../apps.ts";
import { elsewhere, row } from "../suite.ts";

row("UNIX-001", "A Unix socket is served", { wire: true, unix: true }, async (target) => {
  await using server = await target.start(text("ok"), { unix: true });
  assertEquals((await server.request()).text, "ok");
});

row("UNIX-002", "The scope has no `client` there, and `server` is the path and `null`", { unix: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { unix: true });
  await server.request();
  const scope = await seen.take();
  assertEquals(["client" in scope, scope.server[1]], [false, null]);
  if (target.wire) assertEquals(scope.server[0], (server.address as { path: string }).path);
});

elsewhere("UNIX-003", "The access log says `unix` for the client", "tests/runner/access_log_test.ts");
elsewhere("UNIX-004", "A stale file at the path is replaced", "tests/engines/deno_serve_life_test.ts");
elsewhere("UNIX-005", "The file has the mode that was asked for", "tests/runner/cli_run_test.ts");

row("UNIX-006", "Without a mode the socket is for its owner alone", { wire: true, unix: true }, async (target) => {
  await using server = await target.start(text("ok"), { unix: true });
  assertEquals((await Deno.stat((server.address as { path: string }).path)).mode! & 0o777, 0o600);
});

elsewhere("UNIX-007", "The file is removed at the end", "tests/engines/deno_serve_life_test.ts");
elsewhere("UNIX-007", "also with workers: the rows of this suite run with them", "tests/conformance/conformance_test.ts");
elsewhere("UNIX-008", "TLS over a Unix socket is refused, not ignored", "tests/runner/options_test.ts");

row("UNIX-009", "HTTP/2 in cleartext is spoken there too", { wire: true, unix: true, tool: "curl" }, async (target) => {
  await using server = await target.start(text("ok"), { unix: true });
  const { path } = server.address as { path: string };
  const { stdout } = await new Deno.Command("curl", {
    args: ["-s", "--http2-prior-knowledge", "--unix-socket", path, "-w", " %{http_version} %{http_code}", "http://localhost/"],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "ok 2 200");
});
