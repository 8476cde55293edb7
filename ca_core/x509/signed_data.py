"""CMS SignedData with one signer and signed attributes (RFC 5652 §5), as a time-stamp token is (RFC 3161 §2.4.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.errors import MalformedDer
from ca_core.x509 import der
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.der_reader import NULL, SET, Element, decode
from ca_core.x509.timestamp import DIGEST_OIDS, DIGESTS

SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"


def digest_of(algorithm: SignatureAlgorithm) -> str:
    """The digest that goes with a signature algorithm: its own, or SHA-512 where it has none (RFC 8419 §3.1, RFC 9882
    §3.3)."""
    digest = algorithm.value.rpartition("-")[2]
    return digest if digest in DIGEST_OIDS else "sha512"


def attribute(kind: str, value: bytes) -> bytes:
    """An Attribute with one value."""
    return der.sequence(der.oid(kind), der.set_of(value))


@lru_cache(maxsize=16)
def signing_certificate(certificate: SignedCertificate) -> bytes:
    """The attribute that binds the signature to the signer's certificate: ESSCertIDv2 by SHA-256, its default
    (RFC 5035 §4, RFC 5816 §2.2.1)."""
    issuer = der.sequence(der.explicit(4, certificate.issuer))
    names = der.sequence(issuer, der.integer(certificate.serial.value))
    identifier = der.sequence(der.octet_string(certificate.sha256), names)
    return attribute(SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(identifier)))


def signed_attributes(content_type: str, content: bytes, digest: str, *more: bytes) -> bytes:
    """The SET of attributes that is signed: contentType, messageDigest over the content, and others."""
    return der.set_of(
        attribute(CONTENT_TYPE, der.oid(content_type)),
        attribute(MESSAGE_DIGEST, der.octet_string(hashlib.new(digest, content).digest())),
        *more,
    )


def signed_data(
    content_type: str,
    content: bytes,
    *,
    signer: SignedCertificate,
    digest: str,
    attributes: bytes,
    signature_algorithm: bytes,
    signature: bytes,
    certificates: Sequence[bytes] = (),
) -> bytes:
    """The DER ContentInfo. ``attributes`` is what was signed, ``signature_algorithm`` its DER AlgorithmIdentifier."""
    # RFC 5754 §2: parameters of SHA-2 are left out.
    digest_algorithm = der.sequence(der.oid(DIGEST_OIDS[digest]))
    signer_info = der.sequence(
        der.integer(1),
        der.sequence(signer.issuer, der.integer(signer.serial.value)),
        digest_algorithm,
        der.implicit(0, attributes),
        signature_algorithm,
        der.octet_string(signature),
    )
    body = der.sequence(
        # RFC 5652 §5.1: the content is not id-data.
        der.integer(3),
        der.set_of(digest_algorithm),
        der.sequence(der.oid(content_type), der.explicit(0, der.octet_string(content))),
        der.implicit(0, der.set_of(*certificates)) if certificates else b"",
        der.set_of(signer_info),
    )
    return der.sequence(der.oid(SIGNED_DATA), der.explicit(0, body))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAttributes:
    """What the signer signed beside the content."""

    values: dict[str, Element]
    """The one value of each attribute, by OID."""

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read the DER SET; :class:`MalformedDer` for anything else, or an attribute twice or with several values."""
        values: dict[str, Element] = {}
        members = decode(encoded).expect(SET, "the signed attributes").counted("the signed attributes", least=1)
        for member in members:
            kind, value = member.sequence("a signed attribute", least=2, most=2)
            oid = kind.oid("a signed attribute")
            if oid in values:
                raise MalformedDer("a signed attribute appears twice")
            values[oid] = value.expect(SET, "a signed attribute").inner("a signed attribute")
        if [member.raw for member in members] != sorted(member.raw for member in members):
            raise MalformedDer("the signed attributes are not in their order (X.690 section 11.6)")
        return cls(values=values)

    @property
    def content_type(self) -> str | None:
        found = self.values.get(CONTENT_TYPE)
        return None if found is None else found.oid("contentType")

    @property
    def message_digest(self) -> bytes | None:
        found = self.values.get(MESSAGE_DIGEST)
        return None if found is None else found.octets("messageDigest")

    @property
    def certificate_digest(self) -> tuple[str, bytes] | None:
        """Digest (a value of :data:`~ca_core.x509.timestamp.DIGESTS`) and octets of the first ESSCertIDv2."""
        found = self.values.get(SIGNING_CERTIFICATE_V2)
        if found is None:
            return None
        identifiers = found.sequence("signingCertificateV2", least=1, most=2)[0]
        fields = list(
            identifiers.sequence("signingCertificateV2", least=1)[0].sequence("an ESSCertIDv2", least=1, most=3)
        )
        digest = "sha256"
        if fields[0].tag != 0x04:
            digest = _digest(fields.pop(0))
        if not fields:
            raise MalformedDer("an ESSCertIDv2 has no digest")
        return digest, fields[0].octets("an ESSCertIDv2")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMessage:
    """A SignedData that was read. Nothing of it is verified here."""

    content_type: str
    content: bytes
    certificates: tuple[bytes, ...]
    issuer: bytes
    """DER Name of the signer's issuer."""
    serial: int
    digest: str
    attributes: bytes
    """The SET as it was signed."""
    signature_algorithm: bytes
    signature: bytes

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read a DER ContentInfo; :class:`MalformedDer` for anything but content with one signer named by issuer and
        serial number."""
        kind, wrapped = decode(encoded).sequence("the content info", least=2, most=2)
        if kind.oid("the content type") != SIGNED_DATA:
            raise MalformedDer("the message is not signed data")
        body = wrapped.expect(0xA0, "the signed data").inner("the signed data")
        version, digests, content, *rest = body.sequence("the signed data", least=4, most=6)
        certificates: tuple[bytes, ...] = ()
        if rest[0].tag == 0xA0:
            certificates = tuple(member.raw for member in rest.pop(0).members)
        if rest and rest[0].tag == 0xA1:
            rest.pop(0)
        if len(rest) != 1:
            raise MalformedDer("the signed data is not in its form")
        signer = rest[0].expect(SET, "the signers").inner("the signers")
        fields = signer.sequence("the signer", least=6, most=7)
        # RFC 5652 §5.1, §5.3: of content other than id-data, and of a signer named by issuer and serial number.
        if (version.integer("the version"), fields[0].integer("the version")) != (3, 1):
            raise MalformedDer("the signed data is of another version than what it holds")
        if fields[2].raw not in [one.raw for one in digests.expect(SET, "the digests").members]:
            raise MalformedDer("the signer's digest is not among those of the signed data")
        content_type, *octets = content.sequence("the content", least=2, most=2)
        issuer, serial = fields[1].sequence("the signer's name", least=2, most=2)
        attributes = fields[3].expect(0xA0, "the signed attributes")
        return cls(
            content_type=content_type.oid("the content type"),
            content=octets[0].expect(0xA0, "the content").inner("the content").octets("the content"),
            certificates=certificates,
            issuer=issuer.raw,
            serial=serial.integer("the serial number"),
            digest=_digest(fields[2]),
            # RFC 5652 §5.4: what is signed has the tag of a SET.
            attributes=bytes([SET]) + attributes.raw[1:],
            signature_algorithm=fields[4].raw,
            signature=fields[5].octets("the signature"),
        )


def _digest(identifier: Element) -> str:
    fields = identifier.sequence("the digest", least=1, most=2)
    found = DIGESTS.get(fields[0].oid("the digest"))
    if found is None or (len(fields) == 2 and fields[1].tag != NULL):
        raise MalformedDer("the digest of the signature is not accepted")
    return found
