// The private key as an encrypted file: PKCS #8 EncryptedPrivateKeyInfo (RFC 5958) with PBES2 (RFC 8018).

import { integer, nothing, octetString, oid, sequence } from "./der.js";

export const ITERATIONS = 600_000;
/** Characters. */
export const SHORTEST_PASSPHRASE = 12;

/** The DER file: PBKDF2 with HMAC-SHA-256, AES-256-CBC. */
export async function encryptedPrivateKey(privateKey, passphrase) {
  const plain = await crypto.subtle.exportKey("pkcs8", privateKey);
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const iv = crypto.getRandomValues(new Uint8Array(16));
  const secret = new TextEncoder().encode(passphrase.normalize("NFC"));
  const base = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS },
    base,
    { name: "AES-CBC", length: 256 },
    false,
    ["encrypt"],
  );
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv }, key, plain));
  new Uint8Array(plain).fill(0);
  const hmacSha256 = sequence(oid("1.2.840.113549.2.9"), nothing());
  const derivation = sequence(
    oid("1.2.840.113549.1.5.12"),
    sequence(octetString(salt), integer(ITERATIONS), hmacSha256),
  );
  const cipher = sequence(oid("2.16.840.1.101.3.4.1.42"), octetString(iv));
  return sequence(sequence(oid("1.2.840.113549.1.5.13"), sequence(derivation, cipher)), octetString(sealed));
}
