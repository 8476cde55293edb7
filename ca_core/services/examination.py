"""Whether certificates are those of an issuer, a whole piece of a file at once; in any process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ca_core.domain.errors import CaError, InvalidInput, MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.domain.importing import ReadCertificate, Refusal
from ca_core.x509.bundle import Piece, certificates_of
from ca_core.x509.certificate import MAX_SIZE
from ca_core.x509.certificate_fields import CertificateFields, read_fields, subject_text
from ca_core.x509.signature import verifier

Given = tuple[str, int, ReadCertificate]
"""File, position in it, certificate."""


class Examined(NamedTuple):
    """What was in a piece."""

    found: Sequence[Given]
    refused: Sequence[Refusal]


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Asks for: form, issuer's name and key identifier, serial number, and the issuer's signature where
    ``signatures``."""

    name: bytes
    """The issuer's, DER."""
    key_identifier: bytes
    public_key_info: bytes
    signatures: bool

    def __call__(self, piece: Piece) -> Examined:
        found: list[Given] = []
        refused: list[Refusal] = []
        for position, der in certificates_of(piece):
            serial = None
            try:
                if isinstance(der, str):
                    raise MalformedDer(der)
                if len(der) > MAX_SIZE:
                    raise MalformedDer("the certificate is larger than 64 KiB")
                fields = read_fields(der)
                serial = Serial(fields.serial).hex
                found.append((piece.source, position, self._read(der, serial, fields)))
            except CaError as fault:
                refused.append(Refusal(piece.source, position, serial, fault.detail))
        return Examined(found, refused)

    def _read(self, der: bytes, serial: str, fields: CertificateFields) -> ReadCertificate:
        if fields.issuer != self.name:
            raise InvalidInput("it names another issuer")
        if fields.authority_key_identifier not in (None, self.key_identifier):
            raise InvalidInput("its authority key identifier is that of another key")
        if self.signatures:
            _verifier(self.public_key_info, fields.signature_algorithm)(fields.tbs, fields.signature)
        return read_certificate(der, serial, fields)


def read_certificate(der: bytes, serial: str, fields: CertificateFields) -> ReadCertificate:
    """What is kept of it; MalformedDer where its subject is no name."""
    return ReadCertificate(
        serial,
        der,
        fields.tbs,
        hashlib.sha256(der).digest(),
        hashlib.sha256(fields.tbs).digest(),
        hashlib.sha256(fields.public_key_info).digest(),
        subject_text(fields.subject),
        fields.not_before,
        fields.not_after,
    )


@lru_cache(maxsize=64)
def _verifier(public_key_info: bytes, algorithm: bytes) -> Callable[[bytes, bytes], None]:
    return verifier(public_key_info, algorithm)
