import { assertEquals, assertStringIncludes } from "@std/assert";
import { addressUrl } from "../../src/runner/addresses.ts";
import { bannerLines } from "../../src/runner/banner.ts";
import { chooseEngine, isPublic } from "../../src/runner/engine_choice.ts";
import { portOwner } from "../../src/runner/port_owner.ts";

const tcp = (hostname: string): Deno.Addr => ({ transport: "tcp", hostname, port: 80 });
const unix: Deno.Addr = { transport: "unix", path: "/run/x" };

Deno.test("isPublic() tells loopback, private and link-local addresses from the rest", () => {
  const local =
    "127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.0.1 ::1 [::1] fd00::1 fc00::1 fe80::1%eth0 ::ffff:10.0.0.1 localhost a.localhost";
  const open = "0.0.0.0 :: 8.8.8.8 172.15.0.1 172.32.0.1 192.169.0.1 2001:db8::1 ::ffff:8.8.8.8 example.com 10.example.com";
  for (const address of local.split(" ")) assertEquals(isPublic(address), false, address);
  for (const address of open.split(" ")) assertEquals(isPublic(address), true, address);
});

Deno.test("chooseEngine() says why, and warns on a public address alone", () => {
  assertEquals(chooseEngine("auto", [tcp("127.0.0.1")]), { name: "deno", why: "the address is not public", warning: null });
  assertEquals(chooseEngine("auto", [unix]), { name: "deno", why: "the socket is local", warning: null });
  assertEquals(chooseEngine("deno", [tcp("0.0.0.0")]), { name: "deno", why: "as asked", warning: null });
  assertStringIncludes(chooseEngine("auto", [tcp("127.0.0.1"), tcp("::")]).warning!, 'full engine "node"');
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
  const facts = { urls: ["http://a/", "unix:b"], engine: "deno", why: "as asked", home, isTls: true, env: "development" };
  assertEquals(bannerLines(facts), [
    "Listening on http://a/, unix:b (engine deno: as asked; app in this process, no workers; TLS on; development)",
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
