"""The daily independent look: at everything that was issued (bytes, signature, lint), at sealed documents, and at the
record with all rows beside it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.audit import AuditRecord, Fault
from ca_core.domain.authority import Authority
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import CaError
from ca_core.domain.work import Job, JobKind
from ca_core.lint import LintContext, lint_certificate
from ca_core.lint.pkilint_run import lint_by_profile
from ca_core.services.audit import Audit
from ca_core.services.audit_chain import MAX_FAULTS, MAX_REASONS, AuditReport
from ca_core.services.comparison.by_object import identifiers, unreadable
from ca_core.services.ports import Profiles, Transaction, Transactions
from ca_core.services.sealed_documents import SealedDocuments
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.signature import verify_signature

MOST_DAYS = 31
"""Days that one re-check makes up for."""
MOST_DOCUMENTS = 500
"""Sealed documents that one re-check opens."""
DAILY = "daily"
"""The object under which re-checks are on record."""

NOT_VERIFIED = AuditReport(
    ok=False, records=0, sealed_up_to=0, first_broken=None, reasons=("the audit chain was not verified",)
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RecheckReport:
    """What was looked at, and what was wrong."""

    start: datetime
    end: datetime
    certificates: int
    documents: int
    """Sealed ones that were opened."""
    faults: tuple[Fault, ...]
    """Of certificates and documents in themselves."""
    record: AuditReport
    """Of the audit chain, and of the rows beside it."""

    @property
    def reasons(self) -> list[str]:
        """All that is wrong, in words; empty when nothing is."""
        return [*map(str, self.faults), *self.record.reasons]


class Recheck:
    """Trusts nothing that issuance did: reads the stored bytes as a stranger would."""

    def __init__(
        self, transactions: Transactions, profiles: Profiles, audit: Audit, documents: SealedDocuments
    ) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._audit = audit
        self._documents = documents

    def queue(self) -> None:
        """Queue the days that ended since the last re-check, the oldest :data:`MOST_DAYS` of them."""
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            last = _newest(tx)
            began = tx.audit.records(limit=1)
            if not began:
                return
            start = _midnight(began[0].at if last is None else datetime.fromisoformat(str(last.details["end"])))
            days = min((_midnight(tx.now) - start).days, MOST_DAYS)
            if days > 0:
                arguments = {"day": start.date().isoformat(), "days": days}
                # By the day it is queued on: one that could not be made is made on the next day.
                tx.jobs.enqueue(JobKind.RECHECK, arguments, dedupe_key=f"recheck:{start.date()}:{tx.now.date()}")

    def newest(self, actor: Actor) -> AuditRecord | None:
        """The record of the last re-check; None before the first."""
        actor.require(Permission.AUDIT_VIEW)
        with self._transactions.read(actor) as tx:
            return _newest(tx)

    def of_day(self, job: Job) -> None:
        """Handler of the job ``recheck``: ``day`` is an ISO date (UTC), ``days`` how many from then on, one unless
        said. Faults do not fail the job: they are on record with an alarm, and doing it again finds the same."""
        start = datetime.fromisoformat(str(job.arguments["day"])).replace(tzinfo=UTC)
        self.run(start, start + timedelta(days=int(str(job.arguments.get("days", 1)))))

    def run(self, start: datetime, end: datetime) -> RecheckReport:
        """Check every certificate issued in ``[start, end)``, some sealed documents, and the whole record; the outcome
        goes on record, with an alarm when anything is wrong."""
        checked = documents = 0
        faults: list[Fault] = []
        with _going_on(faults, "certificates"), self._transactions.read(SYSTEM_ACTOR) as tx:
            authorities = {one.id: one for one in tx.authorities.all()}
            for certificate in tx.certificates.issued_between(start, end):
                checked += 1
                issuer = authorities.get(certificate.issuer)
                faults += [
                    Fault(table="certificates", object=certificate.serial.hex, detail=fault)
                    for fault in self._faults(certificate, issuer)
                ]
        with _going_on(faults, "documents"):
            documents, broken = self._documents.check(MOST_DOCUMENTS, again=self._broken_before())
            faults += broken
        record = NOT_VERIFIED
        with _going_on(faults, "audit_records"):
            record = self._audit.verify(SYSTEM_ACTOR)
        report = RecheckReport(
            start=start, end=end, certificates=checked, documents=documents, faults=tuple(faults), record=record
        )
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            tx.audit.record(
                "recheck.done",
                "recheck",
                DAILY,
                start=start.isoformat(),
                end=end.isoformat(),
                certificates=checked,
                documents=documents,
                faults=[[one.table, one.object, one.detail] for one in report.faults[:MAX_FAULTS]],
                record=list(record.reasons),
            )
            if report.reasons:
                tx.audit.record("alarm.integrity", "recheck", DAILY, detail="; ".join(report.reasons[:MAX_REASONS]))
        if report.reasons:
            log.error("the daily re-check found faults: %s", "; ".join(report.reasons[:MAX_REASONS]))
        return report

    def _broken_before(self) -> Sequence[UUID]:
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            last = _newest(tx)
        found = [] if last is None else last.details.get("faults")
        return identifiers(one[1] for one in found if one[0] == "documents") if isinstance(found, list) else ()

    def _faults(self, certificate: Certificate, issuer: Authority | None) -> Iterator[str]:
        if certificate.der is None or issuer is None:
            yield "it is issued without a signature or an issuer"
            return
        try:
            signed = SignedCertificate.parse(certificate.der)
            own = SignedCertificate.parse(issuer.certificate)
            if signed.tbs != certificate.tbs or hashlib.sha256(signed.tbs).digest() != certificate.tbs_sha256:
                yield "its bytes are not those of the intent"
            if signed.serial != certificate.serial:
                yield "its serial is not the one on record"
            verify_signature(own.public_key_info, signed.signature_algorithm, signed.tbs, signed.signature)
            self_signed = issuer.certificate_id == certificate.id
            lint_certificate(signed.tbs, LintContext(issuer_certificate=None if self_signed else issuer.certificate))
            profile = self._profiles.pinned(certificate)
            found = lint_by_profile(certificate.der, profile)
            yield from (f"{one.rule}: {one.detail}" for one in found)
        except CaError as error:
            yield error.detail


@contextmanager
def _going_on(faults: list[Fault], table: str) -> Iterator[None]:
    """What ends one look is a fault, and the next look begins."""
    try:
        yield
    except Exception as error:
        faults.append(unreadable(table, error))


def faults_of(done: AuditRecord) -> int:
    """How many faults the record of a re-check tells of."""
    found = (done.details.get(name) for name in ("faults", "record"))
    return sum(len(one) for one in found if isinstance(one, list))


def _newest(tx: Transaction) -> AuditRecord | None:
    return next(tx.audit.newest(DAILY, "recheck.done"), None)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
