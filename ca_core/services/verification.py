"""The daily independent look: at everything that was issued (bytes, signature, lint), and at the record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.authority import Authority
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import AuditBroken, CaError
from ca_core.domain.work import Job
from ca_core.lint import LintContext, lint_certificate
from ca_core.lint.pkilint_run import lint_by_profile
from ca_core.services.audit import Audit
from ca_core.services.audit_chain import AuditReport
from ca_core.services.ports import Profiles, Transactions
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.signature import verify_signature


@dataclass(frozen=True, kw_only=True)
class RecheckReport:
    """What was looked at, and what was wrong."""

    start: datetime
    end: datetime
    certificates: int
    faults: tuple[tuple[str, str], ...]
    """Serial and what is wrong, in words."""
    record: AuditReport
    """Of the audit chain, and whether the certificates' states are those on record."""


class Recheck:
    """Trusts nothing that issuance did: reads the stored bytes as a stranger would."""

    def __init__(self, transactions: Transactions, profiles: Profiles, audit: Audit) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._audit = audit

    def of_day(self, job: Job) -> None:
        """Handler of the job ``recheck``, whose argument ``day`` is an ISO date (UTC).

        AuditBroken, with the outcome on record, when the record itself does not hold or the certificates contradict
        it."""
        start = datetime.fromisoformat(str(job.arguments["day"])).replace(tzinfo=UTC)
        found = self.run(start, start + timedelta(days=1)).record
        if not found.ok:
            raise AuditBroken("; ".join(found.reasons))

    def run(self, start: datetime, end: datetime) -> RecheckReport:
        """Check every certificate issued in ``[start, end)``, and the whole record; the outcome goes on record."""
        checked = 0
        faults: list[tuple[str, str]] = []
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            authorities = {one.id: one for one in tx.authorities.all()}
            for certificate in tx.certificates.issued_between(start, end):
                checked += 1
                issuer = authorities.get(certificate.issuer)
                faults += [(certificate.serial.hex, fault) for fault in self._faults(certificate, issuer)]
        record = self._audit.verify(SYSTEM_ACTOR)
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            tx.audit.record(
                "recheck.done",
                "recheck",
                tx.now.date().isoformat(),
                start=start.isoformat(),
                end=end.isoformat(),
                certificates=checked,
                faults=[list(fault) for fault in faults],
                record=list(record.reasons),
            )
        return RecheckReport(start=start, end=end, certificates=checked, faults=tuple(faults), record=record)

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
