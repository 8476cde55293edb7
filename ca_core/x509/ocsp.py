"""OCSP messages (RFC 6960, RFC 9654): requests read strictly, answers written by concatenation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import Self

from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.x509 import der
from ca_core.x509.algorithm import public_key_bits
from ca_core.x509.crl_entries import REASONS
from ca_core.x509.der_reader import Element, decode
from ca_core.x509.extension import Extension, read_extensions, write_extensions

MAX_REQUEST_SIZE = 8 * 1024
"""Octets of a request that is read."""
MAX_CERT_IDS = 32
"""Certificates that one request may ask about."""
MAX_NONCE = 128
"""Octets (RFC 9654 §2.1)."""

NONCE = "1.3.6.1.5.5.7.48.1.2"
ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6"
EXTENDED_REVOKE = "1.3.6.1.5.5.7.48.1.9"
BASIC_RESPONSE = "1.3.6.1.5.5.7.48.1.1"

DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""Digests a CertID may use, by OID. SHA-1 only names issuers here and protects nothing."""
_DIGEST_OIDS = {name: oid for oid, name in DIGESTS.items()}


class ResponseStatus(IntEnum):
    """OCSPResponseStatus (RFC 6960 §4.2.1)."""

    SUCCESSFUL = 0
    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    SIG_REQUIRED = 5
    UNAUTHORIZED = 6


class CertStatus(Enum):
    """The statuses that carry nothing more; :class:`Revoked` is the third."""

    GOOD = b"\x80\x00"
    UNKNOWN = b"\x82\x00"


@dataclass(frozen=True, slots=True)
class Revoked:
    """Revoked (or on hold) since then, for that CRLReason; 0 and None are left out of the answer."""

    revoked_at: datetime
    reason: int | None = None


NEVER_ISSUED = Revoked(datetime(1970, 1, 1, tzinfo=UTC), 6)
"""The answer for a serial that was never issued (RFC 6960 §2.2), with the extended-revoke extension."""


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate is meant (RFC 6960 §4.1.1)."""

    hash_algorithm: str
    """OID of the digest."""
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int
    der: bytes
    """As it came, because the answer repeats it byte for byte."""

    @classmethod
    def of(cls, element: Element) -> Self:
        """Read one; :class:`MalformedDer` for anything else."""
        algorithm, name, key, serial = element.sequence("the CertID", least=4, most=4)
        fields = algorithm.sequence("the digest", least=1, most=2)
        return cls(
            fields[0].oid("the digest"),
            name.octets("the issuer name hash"),
            key.octets("the issuer key hash"),
            serial.integer("the serial number"),
            element.raw,
        )

    @classmethod
    def make(cls, *, issuer: bytes, issuer_public_key_info: bytes, serial: int, digest: str = "sha1") -> Self:
        """The CertID of a certificate from its issuer's DER Name and SubjectPublicKeyInfo."""
        oid = _DIGEST_OIDS.get(digest)
        if oid is None:
            raise InvalidInput(f"there is no digest {digest[:20]!r} for a CertID; use {', '.join(_DIGEST_OIDS)}")
        name_hash, key_hash = issuer_hashes(issuer, issuer_public_key_info, digest)
        return cls(oid, name_hash, key_hash, serial, b"").of_serial(serial)

    @property
    def before_serial(self) -> bytes:
        """The encoding's content up to the serial: which issuer is meant, by which digest."""
        return (
            der.sequence(der.oid(self.hash_algorithm), der.NULL)
            + der.octet_string(self.issuer_name_hash)
            + der.octet_string(self.issuer_key_hash)
        )

    def of_serial(self, serial: int) -> Self:
        """The CertID of another certificate of the same issuer."""
        return replace(self, serial=serial, der=der.sequence(self.before_serial, der.integer(serial)))


def issuer_hashes(issuer: bytes, issuer_public_key_info: bytes, digest: str) -> tuple[bytes, bytes]:
    """issuerNameHash and issuerKeyHash; ``digest`` is a value of :data:`DIGESTS`."""
    key = public_key_bits(issuer_public_key_info)
    return (
        hashlib.new(digest, issuer, usedforsecurity=False).digest(),
        hashlib.new(digest, key, usedforsecurity=False).digest(),
    )


@dataclass(frozen=True, slots=True)
class OcspRequest:
    """What is asked. A signature on the request is neither needed nor looked at."""

    cert_ids: tuple[CertId, ...]
    nonce: bytes | None
    """1 to 128 octets, to be repeated in the answer."""

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read a DER OCSPRequest; :class:`MalformedDer` for anything else and beyond the limits of this module."""
        if len(encoded) > MAX_REQUEST_SIZE:
            raise MalformedDer("the OCSP request is larger than 8 KiB")
        outer = decode(encoded).sequence("the OCSP request", least=1, most=2)
        if len(outer) == 2:
            outer[1].expect(0xA0, "the request's signature")
        fields = list(outer[0].sequence("the OCSP request", least=1, most=3))
        if fields[0].tag == 0xA1:
            fields.pop(0)
        if not fields:
            raise MalformedDer("the OCSP request asks about nothing")
        requests, *rest = fields
        cert_ids = tuple(
            _cert_id(member) for member in requests.sequence("the request list", least=1, most=MAX_CERT_IDS)
        )
        nonce: bytes | None = None
        if rest:
            if len(rest) > 1:
                raise MalformedDer("the OCSP request is not in its form")
            extensions = read_extensions(rest[0].expect(0xA2, "the extensions").inner("the extensions"))
            nonce = _nonce(extensions)
        return cls(cert_ids, nonce)


def _cert_id(request: Element) -> CertId:
    fields = request.sequence("a request", least=1, most=2)
    if len(fields) == 2:
        extensions = read_extensions(fields[1].expect(0xA0, "a request's extensions").inner("a request's extensions"))
        if any(extension.critical for extension in extensions):
            raise MalformedDer("the OCSP request has a critical extension that is not known")
    return CertId.of(fields[0])


def _nonce(extensions: Sequence[Extension]) -> bytes | None:
    found: bytes | None = None
    for extension in extensions:
        if extension.oid == NONCE:
            found = decode(extension.value).octets("the nonce")
            if not 1 <= len(found) <= MAX_NONCE:
                raise MalformedDer(f"a nonce has 1 to {MAX_NONCE} octets (RFC 9654 section 2.1)")
        elif extension.critical:
            raise MalformedDer("the OCSP request has a critical extension that is not known")
    return found


def ocsp_request(cert_ids: Sequence[CertId], *, nonce: bytes | None = None) -> bytes:
    """The DER OCSPRequest about those certificates, unsigned."""
    requests = der.sequence(*(der.sequence(cert_id.der) for cert_id in cert_ids))
    extensions = [] if nonce is None else [Extension(NONCE, False, der.octet_string(nonce))]
    return der.sequence(der.sequence(requests, der.explicit(2, write_extensions(extensions)) if extensions else b""))


def single_response(
    cert_id: CertId,
    *,
    status: CertStatus | Revoked,
    this_update: datetime,
    next_update: datetime | None,
    archive_cutoff: datetime | None = None,
) -> bytes:
    """One SingleResponse; it repeats the CertID as it was asked.

    ``archive_cutoff``: the status of what expired since then is still told (RFC 6960 §4.4.4)."""
    cutoff = [] if archive_cutoff is None else [Extension(ARCHIVE_CUTOFF, False, der.generalized_time(archive_cutoff))]
    return der.sequence(
        cert_id.der,
        status.value if isinstance(status, CertStatus) else _revoked(status),
        der.generalized_time(this_update),
        b"" if next_update is None else der.explicit(0, der.generalized_time(next_update)),
        der.explicit(1, write_extensions(cutoff)) if cutoff else b"",
    )


def _revoked(status: Revoked) -> bytes:
    reason = b""
    if status.reason:
        if status.reason not in REASONS:
            raise InvalidInput(f"there is no revocation reason {status.reason} (RFC 5280 section 5.3.1)")
        reason = der.explicit(0, der.enumerated(status.reason))
    return der.implicit(1, der.sequence(der.generalized_time(status.revoked_at), reason))


def response_data(
    *,
    responder_key_hash: bytes,
    produced_at: datetime,
    responses: Sequence[bytes],
    nonce: bytes | None = None,
    extended_revoke: bool = False,
) -> bytes:
    """The DER ResponseData that is signed.

    ``responder_key_hash`` is the responder's :func:`~ca_core.x509.algorithm.public_key_identifier`.
    ``extended_revoke`` says that revoked is also answered for what was never issued (RFC 6960 §4.4.8).
    """
    extensions: list[Extension] = []
    if nonce is not None:
        extensions.append(Extension(NONCE, False, der.octet_string(nonce)))
    if extended_revoke:
        extensions.append(Extension(EXTENDED_REVOKE, False, der.NULL))
    return der.sequence(
        der.explicit(2, der.octet_string(responder_key_hash)),
        der.generalized_time(produced_at),
        der.sequence(*responses),
        der.explicit(1, write_extensions(extensions)) if extensions else b"",
    )


def basic_response(
    data: bytes, *, signature_algorithm: bytes, signature: bytes, certificates: Sequence[bytes] = ()
) -> bytes:
    """The DER BasicOCSPResponse; ``certificates`` are what a client needs to check the responder."""
    return der.sequence(
        signed_part(data, signature_algorithm=signature_algorithm, signature=signature),
        certificates_part(certificates) if certificates else b"",
    )


def signed_part(data: bytes, *, signature_algorithm: bytes, signature: bytes) -> bytes:
    """The first fields of a BasicOCSPResponse: ResponseData, algorithm and signature, one after the other."""
    return data + signature_algorithm + der.bit_string(signature)


def certificates_part(certificates: Sequence[bytes]) -> bytes:
    """The last field of a BasicOCSPResponse."""
    return der.explicit(0, der.sequence(*certificates))


def ocsp_response(status: ResponseStatus, basic: bytes | None = None) -> bytes:
    """The DER OCSPResponse: a basic response when successful, nothing but the status otherwise."""
    if (status is ResponseStatus.SUCCESSFUL) != (basic is not None):
        raise InvalidInput("a successful OCSP answer has a response, and no other answer has one")
    body = b"" if basic is None else der.explicit(0, der.sequence(der.oid(BASIC_RESPONSE), der.octet_string(basic)))
    return der.sequence(der.enumerated(status.value), body)
