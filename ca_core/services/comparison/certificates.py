"""Certificates: what was signed, for whom, by whose approval, and what relying parties are told of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.audit import AuditRecord, said as words_digest
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason
from ca_core.domain.errors import CaError
from ca_core.domain.identifiers import Serial
from ca_core.domain.importing import PROFILE, ImportedStatus
from ca_core.services.comparison.by_object import ByObject, Said
from ca_core.services.examination import read_certificate
from ca_core.services.ports import Transaction
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.certificate_fields import read_fields

IMPORTED = "certificate.imported"
"""The record of an import, as it concerns one certificate of many."""
STATE_AFTER: Mapping[str, CertificateState] = {
    "certificate.held": CertificateState.HELD,
    "certificate.unheld": CertificateState.ISSUED,
    "certificate.revoked": CertificateState.REVOKED,
    "certificate.abandoned": CertificateState.ABANDONED,
}
"""The records that change what relying parties are told, and the state that the row is in from then on."""
NOT_REVOKED = ("revoked_at", "reason", "held_by", "invalidity_date")


class Certificates(ByObject[Certificate]):
    table = "certificates"
    kind = Certificate
    made_by = frozenset({"certificate.intent", IMPORTED})
    actions = frozenset({"certificate.issued", *STATE_AFTER})

    def name(self, row: Certificate) -> str:
        return row.serial.hex

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        said: dict[str, Said] = {}
        for record in records:
            now = {name: value for name, (_, value) in said.items()}
            said |= {name: (record.sequence, value) for name, value in _after(record, now).items()}
        return said

    def stated(self, row: Certificate) -> Mapping[str, object]:
        return {
            "serial": row.serial.hex,
            "tbs": hashlib.sha256(row.tbs).hexdigest(),
            "tbs_sha256": row.tbs_sha256.hex(),
            "der": None if row.der is None else hashlib.sha256(row.der).hexdigest(),
            "sha256": None if row.sha256 is None else row.sha256.hex(),
            "issuer": str(row.issuer),
            "owner": str(row.owner),
            "application": None if row.application is None else str(row.application),
            "approved": None if row.approval_digest is None else row.approval_digest.hex(),
            "key": row.spki_sha256.hex(),
            "profile": row.profile_digest.hex(),
            "profile_name": f"{row.profile} {row.profile_version}",
            "partition": row.partition,
            "subject": words_digest(row.subject),
            "centre": None if row.centre is None else str(row.centre),
            "replaces": None if row.replaces is None else str(row.replaces),
            "created_at": row.created_at,
            "issued_at": row.issued_at,
            "state": row.state.value,
            "revoked_at": row.revoked_at,
            "reason": None if row.reason is None else row.reason.label,
            "held_by": None if row.held_by is None else str(row.held_by),
            "invalidity_date": row.invalidity_date,
        }

    def others(self, tx: Transaction, rows: Sequence[Certificate]) -> Mapping[str, Sequence[AuditRecord]]:
        """What brought it, where it was imported: the record of its import, which tells of all rows together, as if it
        told of this one alone."""
        imports = {str(row.import_id) for row in rows if row.import_id is not None}
        records = {one.object_id: one for one in tx.audit.about(imports, {"certificates.imported"})}
        return {
            self.key(row): [replace(found, action=IMPORTED, details={**found.details, "status": row.imported_status})]
            for row in rows
            if (found := records.get(str(row.import_id))) is not None
        }

    def contradictions(self, tx: Transaction, row: Certificate) -> Iterator[str]:
        if row.import_id is not None:
            yield from _read_anew(row)
        elif row.der is not None:
            try:
                signed = SignedCertificate.parse(row.der)
                # What lists and searches go by stands in columns of its own.
                if (signed.not_before, signed.not_after) != (row.not_before, row.not_after):
                    yield "its validity is not the one that was signed"
            except CaError as error:
                yield error.detail
        if row.reason is RevocationReason.KEY_COMPROMISE and not tx.certificates.is_blocked(row.spki_sha256):
            yield "its key is compromised and not on the block list"


def _read_anew(row: Certificate) -> Iterator[str]:
    """Whether the columns say what the bytes do. Their fingerprint is in the digest of the import."""
    try:
        fields = read_fields(row.der or b"")
        read = read_certificate(row.der or b"", Serial(fields.serial).hex, fields)
    except CaError as error:
        yield error.detail
        return
    for name in ("tbs", "sha256", "tbs_sha256", "spki_sha256", "subject", "not_before", "not_after"):
        if getattr(read, name) != getattr(row, name):
            yield f"its {name} is not that of its bytes"
    if read.serial != row.serial.hex:
        yield "its serial is not that of its bytes"


def _after(record: AuditRecord, now: Mapping[str, object]) -> Mapping[str, object]:
    """What the record says of the certificate that was ``now`` before."""
    details = record.details
    match record.action:
        case "certificate.intent":
            told = ("serial", "issuer", "key", "profile", "profile_name", "partition", "subject", "centre", "replaces")
            return {
                "state": "intent",
                **{name: details.get(name) for name in told},
                **dict.fromkeys(NOT_REVOKED),
                "tbs": details.get("tbs"),
                "tbs_sha256": details.get("tbs"),
                "der": None,
                "sha256": None,
                "owner": details.get("owner", str(SYSTEM_ACTOR.id)),
                "application": details.get("application"),
                "approved": details.get("approved"),
                "created_at": record.at,
                "issued_at": None,
            }
        case "certificate.imported":
            status = ImportedStatus.read(str(details.get("status")))
            held = status is not None and status.state is CertificateState.HELD
            return {
                "state": CertificateState.ISSUED.value if status is None else status.state.value,
                "revoked_at": status and status.revoked_at,
                "reason": status and status.reason.label,
                "invalidity_date": status and status.invalidity_date,
                "held_by": str(record.actor) if held else None,
                "issuer": details.get("issuer"),
                "owner": details.get("owner"),
                "created_at": record.at,
                "profile": bytes(32).hex(),
                "profile_name": f"{PROFILE} ",
                "partition": 0,
                **dict.fromkeys(("application", "approved", "centre", "replaces", "issued_at")),
            }
        case "certificate.issued":
            sha256 = details.get("sha256")
            return {"state": "issued", "der": sha256, "sha256": sha256, "issued_at": record.at}
        case "certificate.held":
            # Who takes over a hold leaves it as old as it is.
            since = now["revoked_at"] if now.get("state") == "held" else record.at
            label = RevocationReason.CERTIFICATE_HOLD.label
            return {"state": "held", "revoked_at": since, "reason": label, "held_by": details.get("held_by")}
        case "certificate.unheld":
            return {"state": "issued", **dict.fromkeys(NOT_REVOKED)}
        case "certificate.revoked":
            since = now.get("revoked_at") or record.at
            invalid = details.get("invalidity_date")
            return {
                "state": "revoked",
                "revoked_at": since,
                "reason": details.get("reason"),
                "held_by": None,
                "invalidity_date": None if invalid is None else datetime.fromisoformat(str(invalid)),
            }
        case _:
            label = RevocationReason.CESSATION_OF_OPERATION.label
            return {"state": "abandoned", "revoked_at": record.at, "reason": label}


def last_recorded(tx: Transaction, certificate: UUID) -> CertificateState | None:
    """The state by the last record that changed it; None when none did."""
    records = tx.audit.about([str(certificate)], STATE_AFTER.keys())
    return STATE_AFTER[records[-1].action] if records else None
