"""Applications: whose they are, what was stated in them, and how far they came."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from ca_core.domain.application import Application, content_digest
from ca_core.domain.audit import AuditRecord, said as digest_of
from ca_core.domain.certificate import Certificate
from ca_core.services.comparison.by_object import ByObject, Said
from ca_core.services.ports import Transaction

OF_CERTIFICATE = frozenset({"certificate.issued", "certificate.accepted"})
"""What goes on record under the certificate, and moves its application too."""
STATE_AFTER: Mapping[str, str] = {
    "application.created": "draft",
    "replacement.started": "draft",
    "application.submitted": "submitted",
    "application.reopened": "submitted",
    "application.reconsidered": "submitted",
    "application.returned": "returned",
    "application.rejected": "rejected",
    "application.withdrawn": "withdrawn",
    "application.expired": "expired",
    "request.received": "request-received",
    "certificate.issued": "issued",
    "certificate.accepted": "accepted",
}
"""The steps that lead into one state, whatever was before."""


class Applications(ByObject[Application]):
    table = "applications"
    kind = Application
    made_by = frozenset({"application.created", "replacement.started"})
    actions = frozenset(
        {
            *STATE_AFTER,
            "application.approved",
            "application.changed",
            "application.claimed",
            "application.claim-expired",
            "application.released",
        }
    )

    def name(self, row: Application) -> str:
        return row.number

    def others(self, tx: Transaction, rows: Sequence[Application]) -> Mapping[str, Sequence[AuditRecord]]:
        of = {
            str(one.id): str(one.application)
            for one in tx.all_rows.among(Certificate, "application", [row.id for row in rows])
        }
        found = defaultdict(list)
        for record in tx.audit.about(of.keys(), OF_CERTIFICATE):
            found[of[record.object_id]].append(record)
        return found

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        said: dict[str, Said] = {}
        for record in records:
            state = str(said["state"][1]) if "state" in said else ""
            said |= {name: (record.sequence, value) for name, value in _after(record, state).items()}
        return said

    def stated(self, row: Application) -> Mapping[str, object]:
        return {
            "owner": str(row.owner),
            "state": row.state.value,
            "round": row.round,
            "approvals": row.approvals_required,
            "content": content_digest(row).hex(),
            "profile": row.profile_digest.hex(),
            "note": digest_of(row.note),
            "request": None if row.request_der is None else hashlib.sha256(row.request_der).hexdigest(),
            "request_sent_by": None if row.request_sent_by is None else str(row.request_sent_by),
            "certificate": None if row.certificate is None else str(row.certificate),
            "replaces": None if row.replaces is None else str(row.replaces),
            "circumstance": row.circumstance,
        }


def _after(record: AuditRecord, state: str) -> Mapping[str, object]:
    """What the record says of the application that was in that state before."""
    details = record.details
    said: dict[str, object] = {name: details[name] for name in ("round", "content") if name in details}
    said["state"] = STATE_AFTER.get(record.action, state)
    match record.action:
        case "application.created" | "replacement.started":
            begun = record.action == "replacement.started"
            said |= {
                "owner": details.get("owner"),
                "round": 1,
                "note": digest_of(""),
                "request": None,
                "request_sent_by": None,
                "certificate": None,
                "replaces": details.get("certificate"),
                "circumstance": details.get("circumstance") if begun else None,
            }
        case "application.submitted":
            said |= {name: details.get(name) for name in ("profile", "approvals")} | {"note": digest_of("")}
        case "application.returned" | "application.rejected":
            said["note"] = details.get("note")
        case "application.reconsidered":
            said |= {"request": None, "request_sent_by": None}
        case "request.received":
            said |= {"request": details.get("request"), "request_sent_by": str(record.actor)}
        case "certificate.issued":
            said["certificate"] = record.object_id
        case "application.approved":
            said["state"] = details.get("state")
        case "application.claimed" if state == "submitted":
            said["state"] = "in-review"
        case "application.released" | "application.claim-expired" if state == "in-review":
            said["state"] = "submitted"
        case "application.changed" if state == "approved-first":
            said["state"] = "submitted"
        case _:
            pass
    return said
