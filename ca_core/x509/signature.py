"""Verify a signature made by any key the authority knows, with the parameters its AlgorithmIdentifier states."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ca_core.domain.errors import BadSignature, MalformedDer
from ca_core.x509.der_reader import NULL, Element, decode

_Sha2 = type[hashes.SHA256] | type[hashes.SHA384] | type[hashes.SHA512]

_HASHES: dict[str, _Sha2] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}
_RSA_PKCS1: dict[str, _Sha2] = {
    "1.2.840.113549.1.1.11": hashes.SHA256,
    "1.2.840.113549.1.1.12": hashes.SHA384,
    "1.2.840.113549.1.1.13": hashes.SHA512,
}
_ECDSA: dict[str, _Sha2] = {
    "1.2.840.10045.4.3.2": hashes.SHA256,
    "1.2.840.10045.4.3.3": hashes.SHA384,
    "1.2.840.10045.4.3.4": hashes.SHA512,
}
_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_PureKey = (
    ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | mldsa.MLDSA44PublicKey
    | mldsa.MLDSA65PublicKey
    | mldsa.MLDSA87PublicKey
)
_WITHOUT_PARAMETERS: dict[str, type[_PureKey]] = {
    "1.3.101.112": ed25519.Ed25519PublicKey,
    "1.3.101.113": ed448.Ed448PublicKey,
    "2.16.840.1.101.3.4.3.17": mldsa.MLDSA44PublicKey,
    "2.16.840.1.101.3.4.3.18": mldsa.MLDSA65PublicKey,
    "2.16.840.1.101.3.4.3.19": mldsa.MLDSA87PublicKey,
}


def verify_signature(public_key_info: bytes, algorithm_identifier: bytes, data: bytes, signature: bytes) -> None:
    """Return if ``signature`` over ``data`` was made by that key with that algorithm.

    Both identifiers are DER. :class:`BadSignature` when it does not verify, and as :func:`verifier` says."""
    verifier(public_key_info, algorithm_identifier)(data, signature)


def verifier(public_key_info: bytes, algorithm_identifier: bytes) -> Callable[[bytes, bytes], None]:
    """What checks many signatures (data, signature) of one key: it returns, or raises :class:`BadSignature`.

    :class:`BadSignature` at once when key and algorithm do not fit, or when the algorithm is not accepted (SHA-1, MD5
    and SHA-224 are not); :class:`MalformedDer` for broken DER."""
    check = _check(public_key_info, algorithm_identifier)

    def verify(data: bytes, signature: bytes) -> None:
        try:
            check(data, signature)
        except (InvalidSignature, ValueError, UnsupportedAlgorithm):
            raise BadSignature("the signature does not verify") from None

    return verify


def _check(public_key_info: bytes, algorithm_identifier: bytes) -> Callable[[bytes, bytes], object]:
    fields = decode(algorithm_identifier).sequence("the signature algorithm", least=1, most=2)
    oid = fields[0].oid("the signature algorithm")
    parameters = fields[1] if len(fields) == 2 else None
    try:
        key = load_der_public_key(public_key_info)
    except (ValueError, UnsupportedAlgorithm):
        raise BadSignature("the public key cannot be used to verify a signature") from None
    if isinstance(key, rsa.RSAPublicKey) and oid in _RSA_PKCS1:
        _must_be_null(parameters)
        rsa_key, pkcs1 = key, _RSA_PKCS1[oid]()
        return lambda data, signature: rsa_key.verify(signature, data, padding.PKCS1v15(), pkcs1)
    if isinstance(key, rsa.RSAPublicKey) and oid == _PSS:
        pss_key, (digest, pss) = key, _pss(parameters)
        return lambda data, signature: pss_key.verify(signature, data, pss, digest)
    if isinstance(key, ec.EllipticCurvePublicKey) and oid in _ECDSA:
        _must_be_absent(parameters)
        ec_key, ecdsa = key, ec.ECDSA(_ECDSA[oid]())
        # Another encoding of the same two numbers would verify elsewhere and not here: hence decode.
        return lambda data, signature: (decode(signature), ec_key.verify(signature, data, ecdsa))
    if isinstance(key, _PureKey) and isinstance(key, _WITHOUT_PARAMETERS.get(oid, ())):
        _must_be_absent(parameters)
        pure_key = key
        return lambda data, signature: pure_key.verify(signature, data)
    raise BadSignature("the signature algorithm does not fit the key, or is not accepted")


def _must_be_null(parameters: Element | None) -> None:
    if parameters is None or parameters.tag != NULL:
        raise BadSignature("the signature algorithm needs NULL parameters (RFC 4055 section 5)")


def _must_be_absent(parameters: Element | None) -> None:
    if parameters is not None:
        raise BadSignature("the signature algorithm has no parameters")


def _pss(parameters: Element | None) -> tuple[hashes.HashAlgorithm, padding.PSS]:
    """The digest and padding that RSASSA-PSS-params state (RFC 4055 §3.1); the SHA-1 defaults are refused."""
    if parameters is None:
        raise BadSignature("the RSASSA-PSS parameters are missing")
    given: dict[int, Element] = {}
    for member in parameters.sequence("the RSASSA-PSS parameters", most=4):
        if member.tag not in (0xA0, 0xA1, 0xA2, 0xA3) or any(tag >= member.tag for tag in given):
            raise MalformedDer("the RSASSA-PSS parameters are not in their form")
        given[member.tag] = member.inner("an RSASSA-PSS parameter")
    if 0xA0 not in given or 0xA1 not in given:
        raise BadSignature("the signature relies on SHA-1, which is not accepted")
    if 0xA3 in given and given[0xA3].integer("the trailer field") != 1:
        raise BadSignature("the RSASSA-PSS trailer field is not 1")
    digest = _hash(given[0xA0])
    mgf = given[0xA1].sequence("the mask generation function", least=2, most=2)
    if mgf[0].oid("the mask generation function") != _MGF1:
        raise BadSignature("the mask generation function is not MGF1")
    salt = given[0xA2].integer("the salt length") if 0xA2 in given else 20
    if not 0 <= salt <= 512:
        raise BadSignature("the RSASSA-PSS salt length is out of bounds")
    return digest, padding.PSS(mgf=padding.MGF1(_hash(mgf[1])), salt_length=salt)


def _hash(identifier: Element) -> hashes.HashAlgorithm:
    fields = identifier.sequence("the digest", least=1, most=2)
    found = _HASHES.get(fields[0].oid("the digest"))
    # RFC 4055 §2.1: readers accept both NULL and absent parameters here.
    if found is None or (len(fields) == 2 and fields[1].tag != NULL):
        raise BadSignature("the digest of the signature is not accepted; use SHA-256, SHA-384 or SHA-512")
    return found()
