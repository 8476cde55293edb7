"""Rows that hang together: a centre, people, an application, and certificates, put in as the services would."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.account import Account, AccountChange, Centre
from ca_core.domain.application import Application, Approval
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.document import Document
from ca_core.domain.identifiers import Serial
from ca_core.storage.transactions import Transactions


@dataclass
class Shelf:
    """Makes rows."""

    transactions: Transactions
    clock: Any

    def centre(self, code: str) -> UUID:
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            centre = Centre(id=tx.new_id(), code=code, name=code)
            tx.accounts.add_centre(centre)
            return centre.id

    def account(self, name: str, role: Role = Role.SUBSCRIBER) -> UUID:
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            account = Account(
                id=tx.new_id(),
                email=f"{name}@example.org",
                name=name,
                roles=frozenset({role}),
                password_hash="x",
                created_at=tx.now,
            )
            self.confirm(tx, account)
            tx.accounts.add(account)
            return account.id

    def confirm(self, tx: Any, account: Account, **changes: Any) -> None:
        """A change as when the machine's owner gives the account its roles."""
        change = AccountChange(
            id=tx.new_id(), account=account.id, action="account.created", roles=account.roles, asked_by=UUID(int=0),
            asked_at=tx.now, confirmed_by=UUID(int=0), decided_at=tx.now, applied_version=account.version,
        )  # fmt: skip
        tx.account_changes.add(replace(change, **changes))

    def application(self, owner: UUID, centre: UUID, **changes: Any) -> Application:
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            application = Application(
                id=tx.new_id(),
                number=tx.applications.next_number(2026),
                owner=owner,
                centre=centre,
                profile="private/tls-client",
                profile_version="1",
                profile_digest=bytes(32),
                approvals_required=1,
                subject={"CN": "Somebody"},
                state_since=tx.now,
                created_at=tx.now,
            )
            application = replace(application, **changes)
            tx.applications.add(application)
        self.clock.advance(timedelta(milliseconds=5))
        return application

    def approve(self, application: Application, approver: UUID, digest: bytes = bytes(32), round: int = 1) -> None:
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            tx.applications.add_approval(
                Approval(
                    id=tx.new_id(), application=application.id, round=round, approver=approver, digest=digest, at=tx.now
                )
            )

    def document(self, application: Application, pages: int = 1) -> Document:
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            document = Document(
                id=tx.new_id(),
                application=application.id,
                kind="passport",
                filename="p.pdf",
                media_type="application/pdf",
                size=1,
                pages=pages,
                sha256=bytes(32),
                wrapped_key=b"k",
                key_id="documents.1",
                uploaded_by=application.owner,
                uploaded_at=tx.now,
            )
            tx.documents.add(document)
            return document

    def intent(self, application: Application | None = None, **changes: Any) -> Certificate:
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            certificate = Certificate(
                id=tx.new_id(),
                issuer=UUID(int=7),
                serial=Serial.random(secrets.token_bytes),
                profile="private/tls-client",
                profile_version="1",
                profile_digest=bytes(32),
                application=application.id if application else None,
                approval_digest=bytes(32) if application else None,
                owner=application.owner if application else UUID(int=0),
                centre=application.centre if application else None,
                subject="CN=Somebody",
                tbs=b"tbs",
                tbs_sha256=bytes(32),
                spki_sha256=secrets.token_bytes(32),
                not_before=tx.now,
                not_after=tx.now + timedelta(days=1),
                created_at=tx.now,
            )
            certificate = replace(certificate, **changes)
            tx.certificates.add(certificate)
        self.clock.advance(timedelta(milliseconds=5))
        return certificate

    def issued(self, application: Application | None = None) -> Certificate:
        intent = self.intent(application)
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            return tx.certificates.replace(
                replace(
                    intent, state=CertificateState.ISSUED, der=b"der", sha256=secrets.token_bytes(32), issued_at=tx.now
                )
            )

    def held(self, application: Application | None = None) -> Certificate:
        issued = self.issued(application)
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            return tx.certificates.replace(issued.hold(at=tx.now, by=UUID(int=1)))


@pytest.fixture(scope="session")
def shelf_of(symmetric_keys: Any) -> Callable[[Engine], Shelf]:
    """Shelves for databases that several tests share."""

    def make(engine: Engine) -> Shelf:
        moment = [datetime.now(UTC)]
        clock = SimpleNamespace(advance=lambda by: moment.append(moment[-1] + by))
        transactions = Transactions(
            engine, clock=lambda: moment[-1], entropy=secrets.token_bytes, audit_keys=symmetric_keys
        )
        return Shelf(transactions, clock)

    return make


@pytest.fixture
def shelf(transactions: Transactions, clock: Any) -> Shelf:
    return Shelf(transactions, clock)
