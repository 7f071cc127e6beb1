/** Whom `--forwarded-allow-ips` trusts. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BlockList, isIPv4 } from "node:net";
import { readCommand } from "../../src/runner/arguments.ts";
import { settle } from "../../src/runner/settings.ts";
import { TrustedAddresses } from "../../src/runner/trusted_addresses.ts";
import { StartupError } from "../../src/spec/errors.ts";
import { generator } from "../links/doubles.ts";

const parse = (...given: string[]) => TrustedAddresses.parse(given, "--forwarded-allow-ips");

const CASES: readonly (readonly [given: string, trusted: readonly (string | null)[], others: readonly (string | null)[]])[] = [
  ["127.0.0.1", ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1"], ["127.0.0.2", "::1", "", "localhost", null]],
  ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255", "::10.1.2.3", null]],
  ["::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.0"]],
  ["2001:db8::/33", ["2001:db8:7fff::1", "2001:0DB8::1"], ["2001:db8:8000::1", "10.0.0.1"]],
  ["fe80::/10", ["fe80::1%eth0", "fe80::1"], ["fec0::1%eth0", "fe80::1%"]],
  ["[::1]", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "[::1]"]],
  ["FE80::1%eth0", ["fe80::1%eth0", "fe80::1"], ["fe80::2"]],
  ["unix", [null], ["127.0.0.1", "unix"]],
  ["unix, 10.0.0.1 ,::1", [null, "10.0.0.1", "::1"], ["10.0.0.2"]],
  ["0.0.0.0/0", ["1.2.3.4", "::ffff:1.2.3.4"], ["::1", null]],
  ["::/0", ["::1", "2001:db8::1"], ["1.2.3.4", null]],
  ["*", ["1.2.3.4", "::1", null, ""], []],
];
for (const [given, trusted, others] of CASES) {
  Deno.test(`TrustedAddresses: ${given}`, () => {
    const trust = parse(given);
    for (const address of trusted) assert(trust.trusts(address), `${address} is trusted`);
    for (const address of others) assert(!trust.trusts(address), `${address} is not trusted`);
    // The last answer is kept.
    for (const address of [...trusted, ...trusted]) assert(trust.trusts(address), `${address} is trusted, asked again`);
    assertEquals(trust.everybody, given === "*");
  });
}

Deno.test("TrustedAddresses agree with the BlockList of node:net", () => {
  const random = generator(7);
  const address = () =>
    random(2) === 0
      ? Array.from({ length: 4 }, () => 8 + random(4)).join(".")
      : `fd00:${Array.from({ length: 7 }, () => random(3).toString(16)).join(":")}`;
  for (let round = 0; round < 200; round++) {
    const list = new BlockList();
    const given = Array.from({ length: 1 + random(4) }, () => {
      const net = address();
      const bits = random(isIPv4(net) ? 33 : 129);
      list.addSubnet(net, bits, isIPv4(net) ? "ipv4" : "ipv6");
      return `${net}/${bits}`;
    });
    const trust = parse(given.join(","));
    for (let asked = 0; asked < 20; asked++) {
      const peer = address();
      assertEquals(trust.trusts(peer), list.check(peer, isIPv4(peer) ? "ipv4" : "ipv6"), `${peer} in ${given}`);
    }
  }
});

Deno.test("TrustedAddresses.parse() refuses what is neither an address nor a block", () => {
  const bad: readonly (readonly [string, RegExp])[] = [
    ["localhost", /"localhost" is no address, and names are not resolved$/],
    ["10.0.0.1,", /an entry is empty$/],
    [" ", /an entry is empty$/],
    ["10.0.0.0/33", /"10.0.0.0\/33" is no block$/],
    ["::/129", /"::\/129" is no block$/],
    ["10.0.0", /"10.0.0" is no address$/],
    ["010.0.0.1", /"010.0.0.1" is no address$/],
    ["10.0.0.1:80", /"10.0.0.1:80" is no address$/],
    ["**", /"\*\*" is no address$/],
    ["10.*", /no address$/],
    ["unix:", /no address$/],
    ["unix:/run/a", /no block$/],
  ];
  for (const [given, text] of bad) {
    const error = assertThrows(() => parse("127.0.0.1", given), StartupError);
    assert(text.test(error.message) && error.message.startsWith("--forwarded-allow-ips must be addresses such as "), error.message);
    assertEquals([error.exitCode, error.message.includes("\n")], [2, false]);
  }
});

Deno.test("settle() trusts nobody, unless forwardedAllowIps says whom", () => {
  assertEquals(settle({}).trust, null);
  const trusted = (options: Parameters<typeof settle>[0]) =>
    ["10.0.0.1", "::1", null].filter((address) => settle(options).trust!.trusts(address));
  assertEquals(trusted({ forwardedAllowIps: "10.0.0.1,unix" }), ["10.0.0.1", null]);
  assertEquals(trusted({ forwardedAllowIps: ["10.0.0.0/8", "::1"] }), ["10.0.0.1", "::1"]);
  for (const wrong of ["", [], [""], 1, [1], true, "a.example"]) {
    const error = assertThrows(() => settle({ forwardedAllowIps: wrong as string }), StartupError);
    assertEquals([error.exitCode, error.message.startsWith("forwardedAllowIps must be addresses")], [2, true], error.message);
  }
});

Deno.test("--forwarded-allow-ips is repeatable, and there is a variable for it", () => {
  const environment = (name: string) => name === "PAGI_FORWARDED_ALLOW_IPS" ? "10.0.0.1,unix" : undefined;
  assertEquals(readCommand(["app.ts"], environment).options.forwardedAllowIps, ["10.0.0.1,unix"]);
  const { options } = readCommand(["--forwarded-allow-ips", "10.0.0.0/8,unix", "--forwarded-allow-ips=::1", "app.ts"], environment);
  assertEquals(options.forwardedAllowIps, ["10.0.0.0/8,unix", "::1"]);
  assertEquals(["10.9.9.9", "::1", null, "::2"].map((address) => settle(options).trust!.trusts(address)), [true, true, true, false]);
});
