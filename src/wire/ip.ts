/**
 * IP addresses as numbers: whether a text is one, and whether it lies in a block. RFC 4291, RFC 6943 section 3.1.1.
 *
 * Strict: an address has one spelling of its parts, so no `010.0.0.1`, no `1.2.3`, no host names. IPv4 is held as IPv4-mapped IPv6, so
 * `::ffff:10.0.0.1` is the same address as `10.0.0.1`.
 *
 * @module
 */

/** Eight groups of 16 bits. */
export type Ip = readonly number[];

/** Addresses that begin with the same bits. */
export interface IpBlock {
  readonly ip: Ip;
  /** Of 128; 96 and more for IPv4. */
  readonly bits: number;
}

/** The longest text of an address, with a zone. */
const MAX_CHARS = 80;
const V6 = /^[0-9a-f:]+(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})?$/i;
const ZONE = /^[\w.~-]+$/;
const V4_BITS = 96;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** The address that a text is, `null` where it is none. A zone (`fe80::1%eth0`) is left aside. */
export function parseIp(text: string): Ip | null {
  if (text.length > MAX_CHARS) return null;
  if (!text.includes(":")) return parseV4(text);
  const percent = text.indexOf("%");
  if (percent < 0) return parseV6(text);
  return ZONE.test(text.slice(percent + 1)) ? parseV6(text.slice(0, percent)) : null;
}

/** The block that a text such as `10.0.0.0/8` or `2001:db8::1` is, `null` where it is none. Bits behind the prefix do not matter. */
export function parseIpBlock(text: string): IpBlock | null {
  const slash = text.indexOf("/");
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === null) return null;
  if (slash < 0) return { ip, bits: 128 };
  const given = text.slice(slash + 1);
  const offset = text.includes(":") ? 0 : V4_BITS;
  if (!/^(?:0|[1-9]\d{0,2})$/.test(given) || Number(given) + offset > 128) return null;
  return { ip, bits: Number(given) + offset };
}

/** Whether an address lies in a block. IPv4 lies in no block of IPv6: `::/0` is all of IPv6. */
export function isInBlock(ip: Ip, { ip: base, bits }: IpBlock): boolean {
  if (bits < V4_BITS && isV4(ip) !== isV4(base)) return false;
  let at = 0;
  let left = bits;
  for (; left >= 16; left -= 16, at++) if (ip[at] !== base[at]) return false;
  return left === 0 || ((ip[at]! ^ base[at]!) >> (16 - left)) === 0;
}

function isV4(ip: Ip): boolean {
  return ip[5] === 0xffff && ip[4] === 0 && ip[3] === 0 && ip[2] === 0 && ip[1] === 0 && ip[0] === 0;
}

/** An IPv4 address, mapped. By hand, since each request behind a proxy comes here, and an expression takes several times as long. */
function parseV4(text: string): Ip | null {
  if (text.length > 15) return null;
  let number = 0;
  let dots = 0;
  let part = -1;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === DOT) {
      if (part < 0 || dots === 3) return null;
      dots++;
      number = number * 256 + part;
      part = -1;
    } else {
      // A leading zero is octal to some and decimal to others.
      if (unit < ZERO || unit > NINE || part === 0) return null;
      part = Math.max(part, 0) * 10 + unit - ZERO;
      if (part > 255) return null;
    }
  }
  if (dots !== 3 || part < 0) return null;
  number = number * 256 + part;
  return [0, 0, 0, 0, 0, 0xffff, number >>> 16, number & 0xffff];
}

function parseV6(text: string): Ip | null {
  if (!V6.test(text)) return null;
  const gap = text.indexOf("::");
  if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) return null;
  const front = gap < 0 ? text : text.slice(0, gap);
  const back = gap < 0 ? "" : text.slice(gap + 2);
  const head = groupsOf(front, gap < 0);
  const tail = groupsOf(back, true);
  if (head === null || tail === null) return null;
  const count = head.length + tail.length;
  // "::" stands for at least one group.
  if (gap < 0 ? count !== 8 : count > 7) return null;
  return [...head, ...new Array<number>(8 - count).fill(0), ...tail];
}

/** The groups of one side of `::`. IPv4 may stand at the end of the text. */
function groupsOf(side: string, isEnd: boolean): number[] | null {
  if (side === "") return [];
  const groups: number[] = [];
  const parts = side.split(":");
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at]!;
    if (part.includes(".")) {
      if (!isEnd || at !== parts.length - 1) return null;
      const two = parseV4(part);
      if (two === null) return null;
      groups.push(two[6]!, two[7]!);
    } else {
      if (part.length === 0 || part.length > 4) return null;
      groups.push(parseInt(part, 16));
    }
  }
  return groups;
}
