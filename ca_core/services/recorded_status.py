"""What the record says of certificates beside what their rows say: a row can be set back, the chain shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from uuid import UUID

from ca_core.domain.audit import AuditRecord
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason
from ca_core.services.ports import Transaction

STATE_AFTER: Mapping[str, CertificateState] = {
    "certificate.held": CertificateState.HELD,
    "certificate.unheld": CertificateState.ISSUED,
    "certificate.revoked": CertificateState.REVOKED,
    "certificate.abandoned": CertificateState.ABANDONED,
}
"""The records that change what relying parties are told, and the state that the row is in from then on."""
BATCH = 500
"""Rows compared at once."""


class RecordedStatus:
    """Feed it every record, then ask for the :meth:`contradictions`. Keeps the last record of each certificate that
    ever was held, revoked or given up, and nothing of the others."""

    def __init__(self) -> None:
        self._last: dict[UUID, tuple[int, CertificateState, str, str]] = {}
        """By certificate: sequence, state, serial and reason as recorded."""

    def feed(self, record: AuditRecord) -> None:
        """The next record."""
        if (state := STATE_AFTER.get(record.action)) is not None:
            serial, reason = record.details.get("serial"), record.details.get("reason", "")
            self._last[UUID(record.object_id)] = (record.sequence, state, str(serial), str(reason))

    def contradictions(self, tx: Transaction) -> Iterator[tuple[int, str]]:
        """What the rows of the same moment say otherwise: sequence of the record, and a sentence."""
        pending = iter(self._last.items())
        while batch := dict(islice(pending, BATCH)):
            rows = {row.id: row for row in tx.certificates.among(batch.keys())}
            for id, (sequence, state, serial, reason) in batch.items():
                said = f"certificate {serial} is {_words(state, reason)} by record {sequence}"
                row = rows.get(id)
                if row is None:
                    yield sequence, f"{said}, but its row is gone"
                elif (row.state, _reason(row)) != (state, reason):
                    yield sequence, f"{said}, but its row says {_words(row.state, _reason(row))}"
                elif reason == RevocationReason.KEY_COMPROMISE.label and not tx.certificates.is_blocked(
                    row.spki_sha256
                ):
                    yield sequence, f"{said}, but its key is not on the block list"


def last_recorded(tx: Transaction, certificate: UUID) -> CertificateState | None:
    """The state by the last record that changed it; None when none did."""
    found, after = None, 0
    while records := tx.audit.records(after=after, object_id=str(certificate)):
        found = next((STATE_AFTER[one.action] for one in reversed(records) if one.action in STATE_AFTER), found)
        after = records[-1].sequence
    return found


def _reason(row: Certificate) -> str:
    """As the record of a revocation names it; the other changes have no choice of reasons."""
    return row.reason.label if row.state is CertificateState.REVOKED and row.reason is not None else ""


def _words(state: CertificateState, reason: str) -> str:
    return f"{state.value} ({reason})" if reason else state.value
