"""Mass revocations: what was asked for and by whom it was approved; the certificates are still those of the digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ca_core.domain.audit import AuditRecord, said as words_digest
from ca_core.domain.mass_revocation import Intended, MassRevocation, digest_of
from ca_core.services.comparison.by_object import ByObject, Said
from ca_core.services.ports import Transaction


class MassRevocations(ByObject[MassRevocation]):
    table = "mass_revocations"
    kind = MassRevocation
    made_by = frozenset({"revocation.asked"})
    actions = frozenset({"revocation.approved", "revocation.finished"})

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        said: dict[str, Said] = {}
        for record in records:
            details = record.details
            told: dict[str, object]
            match record.action:
                case "revocation.asked":
                    told = {name: details.get(name) for name in ("selection", "reason", "words", "count", "digest")}
                    told |= dict.fromkeys(("approved_by", "approved_at", "finished_at"))
                    told |= {"asked_by": str(record.actor), "asked_at": record.at}
                case "revocation.approved":
                    told = {"approved_by": str(record.actor), "approved_at": record.at}
                case _:
                    told = {"finished_at": record.at, "revoked": details.get("revoked"), "done": details.get("count")}
            said |= {name: (record.sequence, value) for name, value in told.items()}
        return said

    def stated(self, row: MassRevocation) -> Mapping[str, object]:
        return {
            "selection": row.selection,
            "reason": row.reason.label,
            "words": words_digest(row.words),
            "count": row.count,
            "digest": row.digest.hex(),
            "asked_by": str(row.asked_by),
            "asked_at": row.asked_at,
            "approved_by": None if row.approved_by is None else str(row.approved_by),
            "approved_at": row.approved_at,
            "finished_at": row.finished_at,
            "revoked": row.revoked,
            "done": row.done,
        }

    def contradictions(self, tx: Transaction, row: MassRevocation) -> Iterator[str]:
        intended = Intended(reason=row.reason, invalidity_date=row.invalidity_date, words=row.words)
        if digest_of(intended, tx.mass_revocations.members(row.id)) != row.digest:
            yield "its certificates are not those that were asked for"
        for serial in tx.mass_revocations.passed_over(row):
            yield f"certificate {serial} is among the {row.done} that are done, and was not revoked"
