"""The subscriber's acceptance of a certificate, and with it the code that reports its token lost."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from ca_core.domain.access import Actor, Permission
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.errors import NotPermitted
from ca_core.domain.identifiers import Entropy
from ca_core.services.ports import Transactions
from ca_core.services.report_code import new_report_code, report_code_digest
from ca_core.services.row import unless_stale


class Acceptance:
    """The last step of an application."""

    def __init__(self, transactions: Transactions, *, entropy: Entropy) -> None:
        self._transactions = transactions
        self._entropy = entropy

    def accept(self, actor: Actor, id: UUID, *, version: int) -> tuple[Application, str]:
        """The subscriber accepts. Also returns the code that reports the token lost; only its digest is kept."""
        actor.require(Permission.CERTIFICATE_REQUEST)
        code = new_report_code(self._entropy)
        with self._transactions.begin(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            if application.owner != actor.id:
                raise NotPermitted("only the subscriber accepts the certificate")
            accepted = tx.applications.replace(application.step(ApplicationState.ACCEPTED, at=tx.now))
            assert application.certificate is not None
            certificate = tx.certificates.get(application.certificate, seen_by=actor.visibility)
            tx.certificates.replace(replace(certificate, report_code_sha256=report_code_digest(code)))
            tx.audit.record("certificate.accepted", "certificate", certificate.id, application=str(id))
            return accepted, code
