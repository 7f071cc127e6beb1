import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { addressUrl } from "../../src/runner/addresses.ts";
import { bannerLines } from "../../src/runner/banner.ts";
import { chooseEngine, isPublic } from "../../src/runner/engine_choice.ts";
import { optionsMarkdown } from "../../src/runner/help.ts";
import { OPTION_KEYS, OPTIONS, type ServeOptions } from "../../src/runner/options.ts";
import { portOwner } from "../../src/runner/port_owner.ts";
import { settle } from "../../src/runner/settings.ts";
import { StartupError } from "../../src/spec/errors.ts";

const tcp = (hostname: string): Deno.Addr => ({ transport: "tcp", hostname, port: 80 });
const unix: Deno.Addr = { transport: "unix", path: "/run/x" };

Deno.test("isPublic() tells loopback, private and link-local addresses from the rest", () => {
  const local =
    "127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.0.1 ::1 [::1] fd00::1 fc00::1 fe80::1%eth0 ::ffff:10.0.0.1 localhost a.localhost";
  const open = "0.0.0.0 :: 8.8.8.8 172.15.0.1 172.32.0.1 192.169.0.1 2001:db8::1 ::ffff:8.8.8.8 example.com 10.example.com";
  for (const address of local.split(" ")) assertEquals(isPublic(address), false, address);
  for (const address of open.split(" ")) assertEquals(isPublic(address), true, address);
});

/** The choice for options as the command line takes them. */
function choose(options: ServeOptions) {
  return chooseEngine(settle({ env: "test", ...options }, (key) => `--${OPTIONS[key].name}`));
}

Deno.test("chooseEngine() takes deno where clients are known or a proxy is in front, and says why and what node would add", () => {
  const cases: [ServeOptions, string][] = [
    [{}, "the address is not public"],
    [{ host: "192.168.1.1" }, "the address is not public"],
    [{ host: "localhost" }, "the address is not public"],
    [{ socket: "s" }, "the socket is local"],
    [{ listen: ["unix:s", "127.0.0.1:0", "[fd00::1]:80"] }, "the address is not public"],
    [{ host: "0.0.0.0", forwardedAllowIps: "10.0.0.1" }, "a proxy is in front, and who connects past it meets no limits"],
    [{ host: "0.0.0.0", forwardedAllowIps: ["unix", "*"] }, "a proxy is in front, and who connects past it meets no limits"],
    [{ socket: "s", forwardedAllowIps: "unix" }, "the socket is local"],
    [{ host: "127.0.0.1", forwardedAllowIps: "127.0.0.1" }, "the address is not public"],
    [{ maxConnections: 0, headerTimeoutMs: 0, wsDeflate: false, listenerBacklog: 9 }, "the address is not public"],
  ];
  for (const [options, why] of cases) {
    const other = "node would add timeouts, limits and certificate reload";
    assertEquals(choose(options), { name: "deno", why, other, warning: null }, JSON.stringify(options));
  }
});

Deno.test("chooseEngine() takes node on a public address, and where an option asks for it", () => {
  const cases: [ServeOptions, string][] = [
    [{ host: "0.0.0.0" }, "0.0.0.0 is a public address"],
    [{ host: "::", port: 80 }, ":: is a public address"],
    [{ host: "example.com", port: 0 }, "example.com is a name, which is not looked up and counts as public"],
    [{ listen: ["127.0.0.1:1", ":2"] }, "0.0.0.0 is a public address"],
    [{ listen: [":2", "unix:s"], forwardedAllowIps: "unix" }, "0.0.0.0 is a public address"],
    [{ headerTimeoutMs: 1 }, "for what --header-timeout asks for"],
    [{ socket: "s", maxConnections: 9, wsDeflate: true }, "for what --max-connections and --ws-deflate ask for"],
    [
      { maxHeaderBytes: 256, maxTargetBytes: 16, host: "0.0.0.0", maxHeaderCount: 1 },
      "for what --max-target-size, --max-header-size and --max-header-count ask for",
    ],
    [{ listen: ["fd:3"] }, "for what --listen fd:3 asks for"],
    [{ engine: "node" }, "as asked"],
    [{ engine: "node", headerTimeoutMs: 1 }, "as asked"],
  ];
  for (const [options, why] of cases) {
    const other = "deno would take less CPU per request, without timeouts and limits on clients";
    assertEquals(choose(options), { name: "node", why, other, warning: null }, JSON.stringify(options));
  }
});

Deno.test("chooseEngine() keeps to deno where that was asked for, warns on a public address, and ignores no option", () => {
  assertEquals([choose({ engine: "deno" }).why, choose({ engine: "deno" }).warning], ["as asked", null]);
  assertEquals(choose({ engine: "deno", host: "0.0.0.0", forwardedAllowIps: "*" }).warning, null);
  const { name, warning } = choose({ engine: "deno", listen: ["127.0.0.1:0", "[::]:0"] });
  assertEquals(name, "deno");
  assertStringIncludes(warning!, "serves a public address: it has no timeout");
  assertMatch(warning!, /take the engine "node"$/);
  const unixOnly = choose({ engine: "deno", listen: [":1", "unix:s"], forwardedAllowIps: "unix" }).warning;
  assertMatch(unixOnly!, /serves a public address: .* The "unix" of --forwarded-allow-ips is for Unix sockets alone$/);
  assertEquals(choose({ engine: "deno", listen: ["127.0.0.1:1", "unix:s"], forwardedAllowIps: "unix" }).warning, null);
  const error = assertThrows(() => choose({ engine: "deno", bodyTimeoutMs: 5, maxConnections: 0 }), StartupError);
  assertEquals(
    error.message,
    'The engine "deno" was asked for, and can\'t do what --body-timeout asks for: the engine "node" can (auto takes it)',
  );
  assertEquals(error.exitCode, 2);
});

Deno.test("options that only node honours say so in the table, in the help and in the README", () => {
  for (const key of OPTION_KEYS) {
    const { only, name } = OPTIONS[key] as { only?: string; name: string };
    if (only === undefined) continue;
    assertEquals(only, "node");
    assertMatch(optionsMarkdown(), new RegExp(`--${name}[ ,\`].*\\(engine node\\) \\|\n`), name);
  }
});

Deno.test("addressUrl() writes addresses as one types them", () => {
  assertEquals([addressUrl(tcp("127.0.0.1"), false), addressUrl(tcp("::1"), true), addressUrl(unix, false)], [
    "http://127.0.0.1:80/",
    "https://[::1]:80/",
    "unix:/run/x",
  ]);
});

Deno.test("bannerLines() adds how to stop in development", () => {
  const home = { name: "inline", workers: 0, why: "" } as const;
  const facts = {
    urls: ["http://a/", "unix:b"],
    engine: "deno" as const,
    why: "as asked",
    other: "node would cost",
    home,
    isTls: true,
    env: "development",
  };
  assertEquals(bannerLines(facts), [
    "Listening on http://a/, unix:b (engine deno: as asked, node would cost; app in this process, no workers; TLS on; development)",
    "Press Ctrl+C to stop; a second time ends at once",
  ]);
  assertEquals(bannerLines({ ...facts, env: "staging" }).length, 1);
});

Deno.test("portOwner() finds a listener, and nobody on a free port", () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  assertEquals(portOwner(port)?.pid, Deno.pid);
  listener.close();
  assertEquals(portOwner(port), null);
});

Deno.test("chooseEngine() takes node for workers that listen themselves, and says what deno would lose", () => {
  const listening = (options: ServeOptions) => chooseEngine(settle({ env: "test", ...options }), true);
  const { name, why, warning } = listening({});
  assertEquals([name, why, warning], ["node", "its workers share one socket, and no request is lost where one is replaced", null]);
  assertMatch(listening({ engine: "deno" }).warning!, /lose some connections each time one is replaced/);
  assertEquals(listening({ engine: "node" }).why, "as asked");
});
