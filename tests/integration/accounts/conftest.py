"""The account side of an authority on a real database with real keys; only time is the test's own."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Role
from ca_core.domain.account import Account
from ca_core.domain.audit import AuditRecord
from ca_core.domain.errors import TryAgain
from ca_core.domain.work import Job, Notice
from ca_core.keys.last_seal import LastSealFile
from ca_core.keys.password_hash import Argon2Hasher
from ca_core.keys.software import SoftwareKeyStore
from ca_core.services.accounts import Accounts
from ca_core.services.audit import Audit
from ca_core.services.idempotency import Idempotency
from ca_core.services.jobs import JobDesk, Worker
from ca_core.services.notices import Notices
from ca_core.services.sessions import Sessions
from ca_core.services.tokens import Tokens

PASSWORD = "correct horse battery staple"
CHEAP = Argon2Hasher(time_cost=1, memory_kib=8, lanes=1)


class Postbox:
    """A mail system that keeps what it is given, or is down."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.down = False

    def send(self, *, to: str, subject: str, text: str, message_id: str) -> None:
        if self.down:
            raise TryAgain("the mail relay cannot be reached", retry_after=60)
        self.sent.append({"to": to, "subject": subject, "text": text, "message_id": message_id})


@dataclass
class Desk:
    """All account services over one database."""

    transactions: Any
    clock: Any
    accounts: Accounts
    sessions: Sessions
    tokens: Tokens
    idempotency: Idempotency
    audit: Audit
    jobs: JobDesk
    notices: Notices
    postbox: Postbox
    keys: SoftwareKeyStore
    symmetric_keys: Any
    last_seal: LastSealFile
    handlers: dict[str, Callable[[Job], object]] = field(default_factory=dict)

    def hash_with(self, hasher: Argon2Hasher) -> None:
        """As after a restart with other costs."""
        self.accounts = Accounts(
            self.transactions, hasher=hasher, keys=self.symmetric_keys, entropy=secrets.token_bytes
        )

    def person(self, name: str, *roles: Role, centres: frozenset[Any] = frozenset(), language: str = "en") -> Account:
        account, _ = self.accounts.create(
            SYSTEM_ACTOR,
            email=f"{name}@example.org",
            name=name,
            roles=frozenset(roles or (Role.SUBSCRIBER,)),
            centres=centres,
            password=PASSWORD,
            language=language,
        )
        return account

    def administrator(self) -> Actor:
        return self.person("administrator", Role.ADMINISTRATOR).actor()

    def stored(self, account: Account) -> Account:
        with self.transactions.read(SYSTEM_ACTOR) as tx:
            return tx.accounts.get(account.id, seen_by=EVERYTHING)

    def records(self) -> Sequence[AuditRecord]:
        return self.audit.list(SYSTEM_ACTOR, limit=1000)

    def actions(self) -> list[str]:
        return [record.action for record in self.records()]

    def told(self, account: Account) -> list[str]:
        return [notice.kind for notice in self.notices.of(account.actor())]

    def queued(self, kind: str = "") -> list[Job]:
        return [job for job in self.jobs.list(SYSTEM_ACTOR, limit=200).items if kind in ("", job.kind)]

    def notice(self, account: Account) -> Notice:
        (notice,) = self.notices.of(account.actor())
        return notice

    def work(self) -> int:
        return Worker(self.transactions, self.handlers, clock=self.clock, name="test").run_once()

    def pass_time(self, **how: float) -> None:
        self.clock.advance(timedelta(**how))


@pytest.fixture
def database() -> str:
    """One is enough for rules that do not depend on it; modules for which it matters take both."""
    return "sqlite"


@pytest.fixture
def desk(transactions: Any, clock: Any, symmetric_keys: Any, tmp_path: Path) -> Desk:
    """The services."""
    postbox = Postbox()
    keys = SoftwareKeyStore(tmp_path / "signing", lambda: b"only for this test", entropy=secrets.token_bytes)
    last_seal = LastSealFile(tmp_path / "audit")
    notices = Notices(transactions, mailer=postbox, installation="Pechatnik")
    return Desk(
        transactions=transactions,
        clock=clock,
        accounts=Accounts(transactions, hasher=CHEAP, keys=symmetric_keys, entropy=secrets.token_bytes),
        sessions=Sessions(transactions, entropy=secrets.token_bytes),
        tokens=Tokens(transactions, entropy=secrets.token_bytes),
        idempotency=Idempotency(transactions, keys=symmetric_keys, entropy=secrets.token_bytes),
        audit=Audit(transactions, keys=keys, symmetric=symmetric_keys, last_seal=last_seal),
        jobs=JobDesk(transactions),
        notices=notices,
        postbox=postbox,
        keys=keys,
        symmetric_keys=symmetric_keys,
        last_seal=last_seal,
        handlers={"notice": notices.deliver},
    )
