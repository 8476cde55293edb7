// DER as far as a certification request and a key file need it (X.690).

/** Join byte arrays. */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Tag, length and content of one element; lengths in the shortest form (X.690 10.1). */
export function element(tag, ...contents) {
  const content = concat(...contents);
  const octets = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest & 0xff);
  const length = content.length < 0x80 ? [content.length] : [0x80 | octets.length, ...octets];
  return concat(Uint8Array.from([tag, ...length]), content);
}

export const sequence = (...contents) => element(0x30, ...contents);
export const set = (content) => element(0x31, content);
export const nothing = () => element(0x05);
export const octetString = (content) => element(0x04, content);
export const utf8String = (text) => element(0x0c, new TextEncoder().encode(text));

/** A bit string of whole octets. */
export const bitString = (content) => element(0x03, Uint8Array.of(0), content);

/** A non-negative INTEGER from its big-endian octets: no superfluous zeros, a leading zero where the sign bit is set. */
export function unsigned(octets) {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start += 1;
  const value = octets.slice(start);
  return element(0x02, value[0] & 0x80 ? Uint8Array.of(0) : new Uint8Array(), value);
}

/** A small non-negative INTEGER. */
export function integer(number) {
  const octets = [];
  for (let rest = number; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest & 0xff);
  return unsigned(Uint8Array.from(octets.length ? octets : [0]));
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted) {
  const [first, second, ...arcs] = dotted.split(".").map(Number);
  const octets = [];
  for (const arc of [first * 40 + second, ...arcs]) {
    const groups = [arc & 0x7f];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) groups.unshift((rest & 0x7f) | 0x80);
    octets.push(...groups);
  }
  return element(0x06, Uint8Array.from(octets));
}

/** PEM text (RFC 7468). */
export function pem(label, der) {
  let binary = "";
  for (const octet of der) binary += String.fromCharCode(octet);
  const lines = btoa(binary).match(/.{1,64}/g);
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
