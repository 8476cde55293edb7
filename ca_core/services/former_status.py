"""The status that certificates had where they come from: by that authority's lists, or by openssl's index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import BadSignature, InvalidInput
from ca_core.domain.identifiers import Serial
from ca_core.domain.importing import ImportedStatus
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.crl import CertificateList
from ca_core.x509.openssl_index import read_index
from ca_core.x509.pem import from_pem
from ca_core.x509.signature import verify_signature


@dataclass(frozen=True, kw_only=True)
class FormerStatus:
    """Read whole before the first certificate is taken in."""

    sha256: bytes
    """Of the bytes that say it."""
    by_serial: Mapping[str, ImportedStatus | None]
    """By lower-case hex; None is good."""
    names_all: bool
    """Whether a serial that is not among them was never issued; a list names the revoked only."""

    @classmethod
    def of_lists(cls, lists: Sequence[bytes], issuer: SignedCertificate) -> Self:
        """By full CRLs of that issuer (DER or PEM), all of its partitions where it has some.

        BadSignature for another's, InvalidInput for a delta list or a reason that certificates here do not have."""
        digest = hashlib.sha256()
        found: dict[str, ImportedStatus | None] = {}
        for encoded in lists:
            crl = read_list(encoded, issuer)
            digest.update(crl.der)
            for entry in crl.entries():
                status = _status(entry.serial, entry.revoked_at, entry.reason, entry.invalidity)
                found[Serial(entry.serial).hex] = status
        return cls(sha256=digest.digest(), by_serial=found, names_all=False)

    @classmethod
    def of_index(cls, data: bytes) -> Self:
        """By openssl's ``index.txt``; InvalidInput names a line that is none of it."""
        try:
            entries = list(read_index(data.decode()))
        except UnicodeDecodeError:
            raise InvalidInput("the index is not text in UTF-8") from None
        found = {
            Serial(one.serial).hex: _status(one.serial, one.revoked_at, one.reason, one.invalidity_date)
            if one.revoked_at
            else None
            for one in entries
        }
        return cls(sha256=hashlib.sha256(data).digest(), by_serial=found, names_all=True)

    def revoked(self) -> Iterable[str]:
        """Serials that are held or revoked."""
        return (serial for serial, status in self.by_serial.items() if status is not None)


def read_list(encoded: bytes, issuer: SignedCertificate) -> CertificateList:
    """A full CRL of that issuer, DER or PEM, its signature verified."""
    crl = CertificateList.parse(encoded if encoded[:1] == b"\x30" else from_pem(encoded, "X509 CRL"))
    if crl.issuer != issuer.subject:
        raise BadSignature("the revocation list is of another issuer")
    verify_signature(issuer.public_key_info, crl.signature_algorithm, crl.tbs, crl.signature)
    if crl.delta_base is not None:
        raise InvalidInput("the revocation list is a delta; take the full list")
    return crl


def _status(serial: int, at: datetime, reason: int | None, invalidity: datetime | None) -> ImportedStatus:
    try:
        return ImportedStatus(at, RevocationReason(reason or 0), invalidity)
    except ValueError:
        raise InvalidInput(
            f"serial number {serial:x} is revoked for a reason that is not kept here: {reason}"
        ) from None
