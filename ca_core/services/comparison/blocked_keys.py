"""Blocked keys: each is that of a certificate revoked for compromise. That none is missing, certificates show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ca_core.domain.audit import AuditRecord, Fault
from ca_core.domain.certificate import BlockedKey, Certificate, RevocationReason
from ca_core.services.comparison.by_object import batches
from ca_core.services.ports import Transaction


class BlockedKeys:
    """Holds nothing: certificates are compared with the record, and blocked keys with certificates."""

    table: ClassVar[str] = "blocked_keys"

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        """No record of their own."""

    def faults(self, tx: Transaction) -> Iterator[Fault]:
        for batch in batches(tx, BlockedKey):
            compromised = {
                one.spki_sha256
                for one in tx.all_rows.among(Certificate, "spki_sha256", [row.spki_sha256 for row in batch])
                if one.reason is RevocationReason.KEY_COMPROMISE
            }
            for row in batch:
                if row.spki_sha256 not in compromised:
                    detail = "no certificate with this key was revoked for compromise"
                    yield Fault(table="blocked_keys", object=row.spki_sha256.hex(), detail=detail)
