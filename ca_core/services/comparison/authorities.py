"""Authorities: the certificate that is handed out as theirs, and whether they still sign."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from ca_core.domain.audit import AuditRecord
from ca_core.domain.authority import Authority
from ca_core.services.comparison.by_object import ByObject, Said
from ca_core.services.ports import Transaction
from ca_core.x509.algorithm import public_key_identifier
from ca_core.x509.certificate import SignedCertificate


class Authorities(ByObject[Authority]):
    table = "authorities"
    kind = Authority
    made_by = frozenset({"authority.created"})
    actions = frozenset({"authority.retired", "authority.revoked"})

    def name(self, row: Authority) -> str:
        return row.name

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        said: dict[str, Said] = {}
        for record in records:
            if record.action == "authority.created":
                told = (
                    "name",
                    "certificate",
                    "sha256",
                    "key_reference",
                    "kind",
                    "environment",
                    "partitions",
                    "algorithm",
                )
                said |= {name: (record.sequence, record.details.get(name)) for name in told}
                said["state"] = (record.sequence, record.details.get("state", "active"))
            else:
                said["state"] = (record.sequence, record.action.removeprefix("authority."))
        return said

    def stated(self, row: Authority) -> Mapping[str, object]:
        return {
            "name": row.name,
            "certificate": str(row.certificate_id),
            "sha256": hashlib.sha256(row.certificate).hexdigest(),
            "key_reference": row.key_reference,
            "kind": row.kind.value,
            "environment": row.environment.value,
            "partitions": row.partitions,
            "algorithm": row.signature_algorithm.value,
            "state": row.state.value,
        }

    def contradictions(self, tx: Transaction, row: Authority) -> Iterator[str]:
        own = SignedCertificate.parse(row.certificate)
        if (own.not_before, own.not_after) != (row.not_before, row.not_after):
            yield "its validity is not the one that was signed"
        if public_key_identifier(own.public_key_info) != row.key_identifier:
            yield "its key identifier is not that of its certificate's key"
        for signed in tx.certificates.among([row.certificate_id]):
            if signed.issuer != (row.parent or row.id):
                yield "it is not under the authority that signed its certificate"
