/** Permission flags as data, and whether they cover an access. What Deno itself says is asked of a real process. */

import { assertEquals } from "@std/assert";
import { Denials } from "../../../src/runner/sandbox/denials.ts";
import { isCovered } from "../../../src/runner/sandbox/permission_cover.ts";
import { absolutePath, readPermissionFlag, withAbsolutePaths, writePermissionFlag } from "../../../src/runner/sandbox/permission_flag.ts";

const flags = (...texts: string[]) => texts.map((text) => readPermissionFlag(text)!);

Deno.test("readPermissionFlag() reads what Deno knows, and writePermissionFlag() gives it back", () => {
  for (const text of ["--allow-read", "--deny-net=a.com:80,[::1]:1", "--allow-write=/a,,b,/c", "--ignore-env=A,B", "--allow-env=A=B"]) {
    assertEquals(writePermissionFlag(readPermissionFlag(text)!), text);
  }
  assertEquals(readPermissionFlag("--allow-read=/a,,b,/c")?.values, ["/a,b", "/c"]);
  for (const text of ["--allow-read=", "--allow-all", "-A", "--ignore-net", "--allow-reads", "allow-read", "--allow-read=a\0b"]) {
    assertEquals(readPermissionFlag(text), undefined, text);
  }
});

Deno.test("withAbsolutePaths() takes paths from a folder, and leaves other values", () => {
  const [read, net] = flags("--allow-read=data,../x,/y/./z", "--allow-net=a.com");
  assertEquals(withAbsolutePaths(read!, "/srv/app").values, ["/srv/app/data", "/srv/x", "/y/z"]);
  assertEquals(withAbsolutePaths(net!, "/srv/app").values, ["a.com"]);
  assertEquals(absolutePath("..", "/"), "/");
});

/** Flags, a path, and whether Deno lets it be read. */
const READS: readonly [flags: string[], path: string][] = [
  [[], "/etc/hostname"],
  [["--allow-read"], "/etc/hostname"],
  [["--allow-read=/etc"], "/etc/hostname"],
  [["--allow-read=/et"], "/etc/hostname"],
  [["--allow-read=/etc", "--deny-read=/etc/hostname"], "/etc/hostname"],
  [["--allow-read=/etc/hostname", "--deny-read=/etc"], "/etc/hostname"],
  [["--allow-read=/etc/hostname", "--deny-read=/etc/hostname"], "/etc/hostname"],
  [["--allow-read", "--deny-read=/etc"], "/etc/hostname"],
  [["--allow-read=/etc/hostname", "--deny-read"], "/etc/hostname"],
  [["--allow-read=/etc", "--ignore-read=/etc/hostname"], "/etc/hostname"],
];

for (const [given, path] of READS) {
  Deno.test(`isCovered() agrees with Deno on ${path} with ${given.join(" ") || "no flags"}`, async () => {
    const code = `try { Deno.readTextFileSync("${path}"); console.log(true); } catch { console.log(false); }`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-config", ...given, `data:text/javascript,${encodeURIComponent(code)}`],
    }).output();
    assertEquals(String(isCovered(flags(...given), "read", path)), new TextDecoder().decode(stdout).trim());
  });
}

Deno.test("isCovered() knows hosts, ports, URLs, names and all of them", () => {
  const net = flags("--allow-net=a.com,b.com:80,*.c.com", "--deny-net=a.com:22");
  const hosts = ["a.com:1", "a.com:22", "b.com:80", "b.com:81", "x.c.com:1", "c.com:1", "ws://b.com/", "https://b.com/x", "unix:/a"];
  assertEquals(hosts.map((host) => isCovered(net, "net", host)), [true, false, true, false, true, false, true, false, false]);
  const env = flags("--allow-env=A,B*", "--deny-env=BAD");
  assertEquals(["A", "B", "BX", "BAD", "C", null].map((name) => isCovered(env, "env", name)), [true, true, true, false, false, false]);
  assertEquals(isCovered(flags("--allow-env"), "env", null), true);
  assertEquals(isCovered(flags("--allow-import=a.com"), "import", "a.com:443"), true);
});

Deno.test("Denials.observe() counts what is not covered, once for each target, within bounds", () => {
  const lines: string[] = [];
  const denials = new Denials(flags("--allow-read=/data"), (_level, text) => void lines.push(text));
  const see = (permission: string, value: string | null) => denials.observe(1, JSON.stringify({ permission, value }), "/link", "/cwd");
  see("read", "/data/x");
  see("read", "/link");
  see("net", "unix:/link");
  see("read", "etc");
  see("read", "etc");
  see("env", null);
  see("nonsense", "x");
  for (const line of ["", "{", "null", "[]", '{"permission":"read","value":7}']) denials.observe(1, line, "/link", "/cwd");
  assertEquals(denials.list(), [
    { worker: 1, permission: "read", target: "/cwd/etc", count: 2, derived: true },
    { worker: 1, permission: "env", target: null, count: 1, derived: true },
  ]);
  for (let n = 0; n < 1000; n++) see("env", `X${n}${"y".repeat(1000)}`);
  assertEquals([denials.list().length, denials.list().at(-1)!.target, denials.list().at(-1)!.count], [101, "(others)", 902]);
  assertEquals(lines.length, 101);
  assertEquals(Math.max(...denials.list().map(({ target }) => target?.length ?? 0)), 201);
});
