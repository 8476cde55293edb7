// A certification request (PKCS #10, RFC 2986) for a key that WebCrypto made.

import { bitString, concat, element, integer, nothing, oid, sequence, set, unsigned, utf8String } from "./der.js";

const EC = (curve, hash, signature) => ({
  parameters: { name: "ECDSA", namedCurve: curve },
  signing: { name: "ECDSA", hash },
  identifier: sequence(oid(signature)),
});
const RSA = (bits) => ({
  parameters: {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: bits,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: "SHA-256",
  },
  signing: { name: "RSASSA-PKCS1-v1_5" },
  // sha256WithRSAEncryption, whose parameters are NULL (RFC 4055 section 5)
  identifier: sequence(oid("1.2.840.113549.1.1.11"), nothing()),
});

/** By the names that the server knows. */
export const ALGORITHMS = {
  "ec-p256": EC("P-256", "SHA-256", "1.2.840.10045.4.3.2"),
  "ec-p384": EC("P-384", "SHA-384", "1.2.840.10045.4.3.3"),
  "rsa-2048": RSA(2048),
  "rsa-3072": RSA(3072),
  "rsa-4096": RSA(4096),
};

/** A new key pair; extractable, since it has to be saved once. */
export const makeKeys = (algorithm) =>
  crypto.subtle.generateKey(ALGORITHMS[algorithm].parameters, true, ["sign", "verify"]);

/** The DER request. The subject is the application's number alone: what counts is what was approved. */
export async function certificationRequest(keys, algorithm, number) {
  const { signing, identifier } = ALGORITHMS[algorithm];
  const commonName = sequence(oid("2.5.4.3"), utf8String(number));
  const information = sequence(
    integer(0),
    sequence(set(commonName)),
    new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey)),
    element(0xa0),
  );
  const raw = new Uint8Array(await crypto.subtle.sign(signing, keys.privateKey, information));
  return sequence(information, identifier, bitString(signing.name === "ECDSA" ? ecdsaValue(raw) : raw));
}

/** WebCrypto gives r and s side by side; X.509 wants Ecdsa-Sig-Value (RFC 3279 section 2.2.3). */
function ecdsaValue(raw) {
  const half = raw.length / 2;
  return sequence(concat(unsigned(raw.slice(0, half)), unsigned(raw.slice(half))));
}
