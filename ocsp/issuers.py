"""Issuers by the hashes with which CertIDs name them (RFC 6960 §4.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ca_core.domain.authority import Authority
from ca_core.services.ports import Transaction
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import DIGESTS, CertId, issuer_hashes

_Key = tuple[str, bytes, bytes]


class Issuers:
    """Finds issuers. Name and key of an issuer never change, so what was read once stays true; only for a CertID that
    names none of them the issuers are read again. Thread-safe: the index is replaced, never changed."""

    def __init__(self) -> None:
        self._index: Mapping[_Key, Authority] = {}

    def of(self, tx: Transaction, cert_id: CertId) -> Authority | None:
        """The issuer with that name and that key, both compared (invariant 11); None when it is not ours."""
        key = (cert_id.hash_algorithm, cert_id.issuer_name_hash, cert_id.issuer_key_hash)
        if key not in self._index:
            self._index = _index(tx.authorities.issuers())
        return self._index.get(key)


def _index(issuers: Iterable[Authority]) -> Mapping[_Key, Authority]:
    found: dict[_Key, Authority] = {}
    for issuer in issuers:
        certificate = SignedCertificate.parse(issuer.certificate)
        for oid, digest in DIGESTS.items():
            found[(oid, *issuer_hashes(certificate.subject, certificate.public_key_info, digest))] = issuer
    return found
