/**
 * The subject of a certificate as RFC 4514 writes it, read from the certificate's own bytes.
 *
 * Not here: what else a certificate says (`node_tls_info.ts`). X.690 for the bytes, RFC 5280 section 4.1 for the fields.
 *
 * @module
 */

/** Short names of RFC 4514 section 3; other types are written as dotted numbers with their value in hexadecimal. */
const SHORT: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.6": "C",
  "2.5.4.9": "STREET",
  "0.9.2342.19200300.100.1.25": "DC",
  "0.9.2342.19200300.100.1.1": "UID",
};

const OBJECT_ID = 0x06;
const VERSION = 0xa0;

/** One element of DER. */
interface Element {
  readonly tag: number;
  /** Where its content begins and ends. */
  readonly from: number;
  readonly to: number;
  /** Where it begins itself. */
  readonly at: number;
}

/**
 * The subject of a certificate, the last part first; an empty one is an empty text.
 *
 * @param der The certificate.
 * @throws {RangeError} where the bytes are no certificate.
 */
export function subjectName(der: Uint8Array): string {
  const [certificate] = elements(der, 0, der.byteLength);
  const [body] = children(der, certificate);
  const fields = children(der, body);
  // version (may be left out), serial number, signature algorithm, issuer, validity, subject.
  const subject = fields[fields[0]?.tag === VERSION ? 5 : 4];
  return children(der, subject).toReversed().map((set) => children(der, set).map((pair) => attribute(der, pair)).join("+")).join(",");
}

function attribute(der: Uint8Array, pair: Element): string {
  const [type, value] = children(der, pair);
  if (type === undefined || value === undefined || type.tag !== OBJECT_ID) throw new RangeError("A name without a type and a value");
  const id = objectId(der.subarray(type.from, type.to));
  const short = SHORT[id];
  const text = short === undefined ? null : textOf(value.tag, der.subarray(value.from, value.to));
  return text === null ? `${short ?? id}=#${der.subarray(value.at, value.to).toHex()}` : `${short}=${escaped(text)}`;
}

/** `null` where it is no text. */
function textOf(tag: number, bytes: Uint8Array): string | null {
  // UTF8String; NumericString, PrintableString, IA5String; TeletexString; BMPString; UniversalString.
  if (tag === 0x0c) return new TextDecoder().decode(bytes);
  if (tag === 0x12 || tag === 0x13 || tag === 0x16 || tag === 0x14) return new TextDecoder("latin1").decode(bytes);
  if (tag === 0x1e) return new TextDecoder("utf-16be").decode(bytes);
  if (tag !== 0x1c) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength >> 2 }, (_, at) => String.fromCodePoint(view.getUint32(4 * at))).join("");
}

/** RFC 4514 section 2.4. */
function escaped(text: string): string {
  return text
    .replace(/[\\"+,;<>]/g, "\\$&")
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x1f\x7f]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, "0")}`)
    .replace(/^[ #]/, "\\$&")
    .replace(/(?<=.) $/s, "\\ ");
}

function objectId(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 127);
    if (byte < 128) {
      numbers.push(number);
      number = 0;
    }
  }
  const first = numbers.shift() ?? 0;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - 40 * root, ...numbers].join(".");
}

function children(der: Uint8Array, parent: Element | undefined): Element[] {
  if (parent === undefined) throw new RangeError("A certificate that lacks a part");
  return elements(der, parent.from, parent.to);
}

function elements(der: Uint8Array, from: number, to: number): Element[] {
  const found: Element[] = [];
  for (let at = from; at < to;) {
    const tag = der[at]!;
    let length = der[at + 1] ?? 0;
    let content = at + 2;
    if (length > 127) {
      const end = content + (length & 127);
      for (length = 0; content < end; content++) length = length * 256 + (der[content] ?? 0);
    }
    if (content + length > to) throw new RangeError("A certificate that is cut off");
    found.push({ tag, from: content, to: content + length, at });
    at = content + length;
  }
  return found;
}
