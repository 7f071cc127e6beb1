/** Addresses as numbers, held against `node:net`. */
import { assertEquals } from "@std/assert";
import { BlockList, isIP } from "node:net";
import { isInBlock, parseIp, parseIpBlock } from "../../src/wire/ip.ts";
import { generator } from "../links/doubles.ts";

Deno.test("parseIp() takes what node:net takes for an address", () => {
  const texts = [
    ...["0.0.0.0", "1.2.3.4", "255.255.255.255", "256.1.1.1", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", "0x1.2.3.4", "1", "", "a"],
    ...["::", "::1", "1::", "1::8", ":::", "1::2::3", ":1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8:9"],
    ...["::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "::1.2.3.4:1", "1.2.3.4::", "::256.1.1.1", "::12345", "1:", ":1", "::g", "[::1]"],
    ...["fe80::1%eth0", "fe80::1%", "fe80::1%a%b", "1.2.3.4%eth0", "2001:DB8::A", "localhost", "١.2.3.4"],
  ];
  for (const text of texts) assertEquals(parseIp(text) !== null, isIP(text) !== 0, text);
});

Deno.test("parseIp() takes no text of any length", () => {
  assertEquals(parseIp(`fe80::1%${"a".repeat(100)}`), null);
  assertEquals(parseIp("1".repeat(100_000)), null);
});

Deno.test("parseIpBlock() reads addresses and prefixes", () => {
  for (const text of ["10.0.0.0/8", "10.0.0.1/8", "0.0.0.0/0", "1.2.3.4", "::/0", "fd00::/8", "2001:db8::/128", "::ffff:10.0.0.0/104"]) {
    assertEquals(parseIpBlock(text) !== null, true, text);
  }
  for (
    const text of [
      "",
      "/8",
      "10.0.0.0/",
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/08",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "10.0.0/8",
      "a/8",
      "::/1.5",
    ]
  ) {
    assertEquals(parseIpBlock(text), null, text);
  }
});

Deno.test("isInBlock() agrees with the BlockList of node:net", () => {
  const random = generator(1);
  const v4 = () => Array.from({ length: 4 }, () => random(3) === 0 ? random(256) : 10 + random(2)).join(".");
  const v6 = () => Array.from({ length: 8 }, () => (random(3) === 0 ? random(65_536) : 0xfd00 + random(2)).toString(16)).join(":");
  let inside = 0;
  for (let round = 0; round < 3000; round++) {
    const family = random(2) === 0 ? "ipv4" : "ipv6";
    const make = family === "ipv4" ? v4 : v6;
    const [net, address, bits] = [make(), make(), random(family === "ipv4" ? 33 : 129)];
    const list = new BlockList();
    list.addSubnet(net, bits, family);
    const expected = list.check(address, family);
    if (expected) inside++;
    assertEquals(isInBlock(parseIp(address)!, parseIpBlock(`${net}/${bits}`)!), expected, `${address} in ${net}/${bits}`);
  }
  assertEquals(inside > 200 && inside < 2800, true, `${inside} were inside`);
});

Deno.test("isInBlock() takes a mapped address for IPv4, and IPv4 for no block of IPv6", () => {
  const cases: [string, string, boolean][] = [
    ["::ffff:10.1.2.3", "10.0.0.0/8", true],
    ["::ffff:a01:203", "10.0.0.0/8", true],
    ["10.1.2.3", "::ffff:10.0.0.0/104", true],
    ["10.1.2.3", "::/0", false],
    ["::1", "::/0", true],
    ["::1", "0.0.0.0/0", false],
    ["fe80::1%eth0", "fe80::/10", true],
    ["::10.1.2.3", "10.0.0.0/8", false],
  ];
  for (const [address, block, expected] of cases) {
    assertEquals(isInBlock(parseIp(address)!, parseIpBlock(block)!), expected, `${address} in ${block}`);
  }
});
