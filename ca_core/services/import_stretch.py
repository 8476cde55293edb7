"""The rows of one import, and the one record that tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ca_core.domain.certificate import RevocationReason
from ca_core.domain.importing import Import, ImportedStatus, ReadCertificate, rows_digest
from ca_core.services.crl_refresh import refresh_list
from ca_core.services.ports import Transaction

Fresh = tuple[UUID, ReadCertificate, ImportedStatus | None]
"""Under which identifier it is kept, the certificate, and None where it was good."""


def add_import(tx: Transaction, issuer: UUID, owner: UUID, fresh: Sequence[Fresh], **details: str) -> None:
    """Take in a stretch in this transaction. One record tells of all of it: the comparison with the record computes
    their digest anew."""
    taken = Import(id=tx.new_id(), issuer=issuer, owner=owner, at=tx.now, taken_by=tx.actor.id)
    tx.imports.add(taken)
    digest = rows_digest(tx.imports.add_rows(taken, fresh))
    tx.imports.close(replace(taken, count=len(fresh), digest=digest))
    tx.audit.record(
        "certificates.imported",
        "import",
        taken.id,
        issuer=str(issuer),
        owner=str(owner),
        count=len(fresh),
        digest=digest.hex(),
        **details,
    )
    compromised = {
        read.spki_sha256
        for _, read, status in fresh
        if status is not None and status.reason is RevocationReason.KEY_COMPROMISE
    }
    tx.certificates.block_keys(compromised, "keyCompromise", tx.now)
    if any(status is not None for _, _, status in fresh):
        refresh_list(tx, issuer, 0)
