"""Certificates: the bytes to be signed, the bytes that were signed, and what they say (RFC 5280 §4.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Self

from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der, extension_values
from ca_core.x509.der_reader import decode, header
from ca_core.x509.extension import Extension, unique_extensions, write_extensions
from ca_core.x509.general_name import decode_general_names
from ca_core.x509.name import render_name
from ca_core.x509.pem import from_pem, to_pem
from ca_core.x509.tbs_certificate import TbsCertificate

__all__ = ["SignedCertificate", "assemble", "read_issuer", "signed_part", "to_be_signed", "to_pem"]

MAX_SIZE = 64 * 1024
"""Octets of a certificate that is read."""


def to_be_signed(
    *,
    serial: Serial,
    signature_algorithm: bytes,
    issuer: bytes,
    not_before: datetime,
    not_after: datetime,
    subject: bytes,
    public_key_info: bytes,
    extensions: Sequence[Extension],
) -> bytes:
    """The DER TBSCertificate, version 3. All ``bytes`` are complete DER structures, written as they are."""
    return der.sequence(
        b"\xa0\x03\x02\x01\x02",  # version [0] EXPLICIT v3
        der.integer(serial.value),
        signature_algorithm,
        issuer,
        der.sequence(der.time(not_before), der.time(not_after)),
        subject,
        public_key_info,
        der.explicit(3, write_extensions(extensions)) if extensions else b"",
    )


def assemble(tbs: bytes, signature_algorithm: bytes, signature: bytes) -> bytes:
    """The signed structure: what was signed, the AlgorithmIdentifier, the signature. CRLs have the same shape."""
    return der.sequence(tbs, signature_algorithm, der.bit_string(signature))


def signed_part(encoded: bytes) -> bytes:
    """The to-be-signed bytes within a certificate that :func:`assemble` made."""
    _, at, end = header(encoded, 0, len(encoded))
    _, _, stop = header(encoded, at, end)
    return encoded[at:stop]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCertificate:
    """A certificate that was read, strictly: version 3, each extension once, standard extensions in their form."""

    der: bytes
    tbs: bytes
    serial: Serial
    signature_algorithm: bytes
    """DER AlgorithmIdentifier, the same inside and outside of the signed part (RFC 5280 §4.1.1.2)."""
    signature: bytes
    issuer: bytes
    """DER Name."""
    subject: bytes
    """DER Name."""
    not_before: datetime
    not_after: datetime
    public_key_info: bytes
    """DER SubjectPublicKeyInfo."""
    extensions: tuple[Extension, ...]
    subject_key_identifier: bytes | None
    authority_key_identifier: bytes | None
    key_usage: frozenset[str] | None
    """Usages by name; None when the extension is absent."""
    extended_key_usage: tuple[str, ...]
    """OIDs; empty when the extension is absent."""
    is_ca: bool
    path_length: int | None
    san: tuple[tuple[str, str], ...]
    """Alternative names as (type, value)."""

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read DER or one PEM block of at most 64 KiB; :class:`MalformedDer` for anything else."""
        if len(encoded) > MAX_SIZE:
            raise MalformedDer("the certificate is larger than 64 KiB")
        if encoded[:1] != b"\x30":
            encoded = from_pem(encoded, "CERTIFICATE")
        tbs_element, algorithm, signature = decode(encoded).sequence("the certificate", least=3, most=3)
        tbs = TbsCertificate.of(tbs_element)
        if tbs.version != 3:
            raise MalformedDer("the certificate is not of version 3")
        if tbs.signature_algorithm.raw != algorithm.raw:
            raise MalformedDer("the certificate names two signature algorithms (RFC 5280 section 4.1.1.2)")
        try:
            serial = Serial(tbs.serial.integer("the serial number"))
        except InvalidInput as fault:
            raise MalformedDer(fault.detail) from None
        render_name(tbs.issuer.raw)
        render_name(tbs.subject.raw)
        extensions = unique_extensions(tbs.extensions)
        values = {extension.oid: extension.value for extension in extensions}
        ski = values.get(extension_values.SUBJECT_KEY_IDENTIFIER)
        aki = values.get(extension_values.AUTHORITY_KEY_IDENTIFIER)
        usage = values.get(extension_values.KEY_USAGE)
        purposes = values.get(extension_values.EXTENDED_KEY_USAGE)
        constraints = values.get(extension_values.BASIC_CONSTRAINTS)
        san = values.get(extension_values.SUBJECT_ALTERNATIVE_NAME)
        is_ca, path_length = (
            extension_values.basic_constraints(constraints) if constraints is not None else (False, None)
        )
        return cls(
            der=encoded,
            tbs=tbs.der,
            serial=serial,
            signature_algorithm=algorithm.raw,
            signature=signature.bits("the signature"),
            issuer=tbs.issuer.raw,
            subject=tbs.subject.raw,
            not_before=tbs.not_before.time("notBefore"),
            not_after=tbs.not_after.time("notAfter"),
            public_key_info=tbs.public_key_info.raw,
            extensions=extensions,
            subject_key_identifier=None if ski is None else extension_values.subject_key_identifier(ski),
            authority_key_identifier=None if aki is None else extension_values.authority_key_identifier(aki),
            key_usage=None if usage is None else extension_values.key_usage(usage),
            extended_key_usage=() if purposes is None else extension_values.extended_key_usage(purposes),
            is_ca=is_ca,
            path_length=path_length,
            san=() if san is None else decode_general_names(san),
        )

    def extension(self, oid: str) -> Extension | None:
        """The extension of that type, if there is one."""
        return next((extension for extension in self.extensions if extension.oid == oid), None)

    @property
    def sha256(self) -> bytes:
        """The fingerprint: 32 octets over the DER."""
        return hashlib.sha256(self.der).digest()

    @property
    def pem(self) -> str:
        """The PEM text."""
        return to_pem(self.der)


read_issuer = lru_cache(maxsize=64)(SignedCertificate.parse)
"""Reads the certificate of an authority of our own, of which there are few and each is needed again and again."""
