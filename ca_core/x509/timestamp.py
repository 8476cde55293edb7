"""Time-stamp requests and answers (RFC 3161 §2.4, RFC 5816): read strictly, written by concatenation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ca_core.domain.errors import InvalidInput, MalformedDer, TimestampRefused
from ca_core.domain.pki_failure import PkiFailure
from ca_core.x509 import der
from ca_core.x509.der_reader import BIT_STRING, BOOLEAN, INTEGER, NULL, OID, UTF8_STRING, Element, decode
from ca_core.x509.extension import unique_extensions

MAX_REQUEST_SIZE = 8 * 1024
"""Octets of a request that is read."""
MAX_NONCE = 64
"""Octets; clients send eight to twenty."""

DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
}
"""Digests that are stamped, by OID, as hashlib calls them. SHA-1 and SHA-224 are not: a token has to hold for years."""
DIGEST_OIDS = {name: oid for oid, name in DIGESTS.items()}

GRANTED, GRANTED_WITH_MODS, REJECTION = 0, 1, 2
"""PKIStatus."""


@dataclass(frozen=True, slots=True)
class MessageImprint:
    """The digest that is stamped."""

    algorithm: str
    """A value of :data:`DIGESTS`."""
    digest: bytes
    der: bytes
    """As it came, because the token repeats it byte for byte."""

    @classmethod
    def of(cls, element: Element) -> Self:
        """Read one; :class:`TimestampRefused` (badAlg, badDataFormat), :class:`MalformedDer`."""
        identifier, digest = element.sequence("the message imprint", least=2, most=2)
        fields = identifier.sequence("the digest", least=1, most=2)
        algorithm = DIGESTS.get(fields[0].oid("the digest"))
        # RFC 5754 §2: readers take both absent and NULL parameters; nothing else means anything.
        if algorithm is None or (len(fields) == 2 and fields[1].tag != NULL):
            raise TimestampRefused(
                "the digest is not accepted; use SHA-256, SHA-384, SHA-512 or SHA-3", failure=PkiFailure.BAD_ALG
            )
        octets = digest.octets("the message imprint")
        if len(octets) != hashlib.new(algorithm).digest_size:
            raise TimestampRefused(
                "the message imprint is not as long as its digest", failure=PkiFailure.BAD_DATA_FORMAT
            )
        return cls(algorithm, octets, element.raw)

    @classmethod
    def make(cls, algorithm: str, digest: bytes) -> Self:
        """InvalidInput for a digest that is not stamped, or of another length."""
        oid = DIGEST_OIDS.get(algorithm)
        if oid is None or len(digest) != hashlib.new(algorithm).digest_size:
            raise InvalidInput(f"{algorithm[:20]!r} is no digest that is stamped; use {', '.join(DIGEST_OIDS)}")
        return cls(algorithm, digest, der.sequence(der.sequence(der.oid(oid)), der.octet_string(digest)))


@dataclass(frozen=True, slots=True)
class TimestampRequest:
    """What is asked (RFC 3161 §2.4.1)."""

    imprint: MessageImprint
    policy: str | None = None
    """OID; None leaves it to the authority."""
    nonce: int | None = None
    certificates: bool = False
    """certReq: whether the token has to carry the certificate that it verifies with."""

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read a DER TimeStampReq; :class:`TimestampRefused` with the failure that the answer states."""
        try:
            return cls._read(encoded)
        except MalformedDer as fault:
            raise TimestampRefused(fault.detail, failure=PkiFailure.BAD_DATA_FORMAT) from None

    @classmethod
    def _read(cls, encoded: bytes) -> Self:
        if len(encoded) > MAX_REQUEST_SIZE:
            raise MalformedDer("the time-stamp request is larger than 8 KiB")
        version, imprint, *rest = decode(encoded).sequence("the time-stamp request", least=2, most=6)
        if version.integer("the version") != 1:
            raise TimestampRefused("only version 1 of the protocol is spoken", failure=PkiFailure.BAD_REQUEST)
        found = {one.tag: one for one in rest}
        if [one.tag for one in rest] != [tag for tag in _FIELDS if tag in found]:
            raise MalformedDer("the time-stamp request is not in its form")
        nonce = found.get(INTEGER)
        if nonce is not None and len(nonce.content) > MAX_NONCE:
            raise TimestampRefused(f"a nonce has at most {MAX_NONCE} octets here", failure=PkiFailure.BAD_REQUEST)
        wanted = found.get(BOOLEAN)
        if wanted is not None and not wanted.boolean("certReq"):
            raise MalformedDer("the request writes out certReq FALSE, which is the default (X.690 section 11.5)")
        asked = MessageImprint.of(imprint)
        if _EXTENSIONS in found:
            unique_extensions(found[_EXTENSIONS].counted("the extensions", least=1))
            # RFC 3161 §2.4.1: critical or not, what is not known is not stamped; none is known.
            raise TimestampRefused("no extension of a request is known", failure=PkiFailure.UNACCEPTED_EXTENSION)
        policy = found.get(OID)
        return cls(
            asked,
            None if policy is None else policy.oid("the policy"),
            None if nonce is None else nonce.integer("the nonce"),
            wanted is not None,
        )

    @property
    def der(self) -> bytes:
        """The encoding, for clients."""
        return der.sequence(
            der.integer(1),
            self.imprint.der,
            b"" if self.policy is None else der.oid(self.policy),
            b"" if self.nonce is None else der.integer(self.nonce),
            der.boolean(True) if self.certificates else b"",
        )


_EXTENSIONS = 0xA0
_FIELDS = (OID, INTEGER, BOOLEAN, _EXTENSIONS)
"""Tags of the optional fields, in their order."""


@dataclass(frozen=True, slots=True)
class TimestampResponse:
    """An answer that was read (RFC 3161 §2.4.2)."""

    status: int
    """PKIStatus."""
    text: str
    failures: frozenset[int]
    """Numbers of the bits of PKIFailureInfo."""
    token: bytes | None
    """The DER TimeStampToken, when it was granted."""

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read a DER TimeStampResp; :class:`MalformedDer` for anything else. The token is not read here."""
        info, *token = decode(encoded).sequence("the time-stamp response", least=1, most=2)
        status, *rest = info.sequence("the status", least=1, most=3)
        number = status.integer("the status")
        text: Sequence[str] = ()
        if rest and rest[0].tag == 0x30:
            text = [one.expect(UTF8_STRING, "the text").text("the text") for one in rest.pop(0).sequence("the text")]
        failures = rest.pop(0).named_bits("the failure") if rest and rest[0].tag == BIT_STRING else frozenset()
        if rest:
            raise MalformedDer("the status is not in its form")
        if (number in (GRANTED, GRANTED_WITH_MODS)) != bool(token):
            raise MalformedDer("a time-stamp response has a token exactly when it is granted")
        return cls(number, " ".join(text), failures, token[0].raw if token else None)


_GRANTED = der.sequence(der.integer(GRANTED))


def granted(token: bytes) -> bytes:
    """The TimeStampResp around a token."""
    return der.sequence(_GRANTED, token)


def rejection(refused: TimestampRefused) -> bytes:
    """The TimeStampResp that says why there is none."""
    return der.sequence(
        der.sequence(
            der.integer(REJECTION),
            der.sequence(der.utf8_string(refused.detail)),
            der.named_bits([refused.failure]),
        )
    )
