"""Transactions: all rows at one moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ca_core.domain.access import Actor
from ca_core.services.ports.accounts import AccountChanges, Accounts, LogIns
from ca_core.services.ports.applications import Applications
from ca_core.services.ports.audit import AuditTrail
from ca_core.services.ports.certificates import Authorities, Certificates
from ca_core.services.ports.documents import Documents
from ca_core.services.ports.imports import Imports
from ca_core.services.ports.mass_revocations import MassRevocations
from ca_core.services.ports.rows import AllRows
from ca_core.services.ports.timestamps import Timestamps
from ca_core.services.ports.work import JobQueue

Clock = Callable[[], datetime]
"""The present, aware, UTC."""


class Transaction(Protocol):
    """One database transaction of one caller. Leaving the ``with`` block commits; an exception rolls back."""

    actor: Actor
    now: datetime
    """The moment that every row of the transaction carries."""

    @property
    def applications(self) -> Applications: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def authorities(self) -> Authorities: ...
    @property
    def imports(self) -> Imports: ...
    @property
    def mass_revocations(self) -> MassRevocations: ...
    @property
    def timestamps(self) -> Timestamps: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def account_changes(self) -> AccountChanges: ...
    @property
    def log_ins(self) -> LogIns: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def audit(self) -> AuditTrail: ...
    @property
    def all_rows(self) -> AllRows: ...

    def new_id(self) -> UUID: ...

    def on_behalf_of(self, actor: Actor) -> AbstractContextManager[None]:
        """What is recorded in this block, that caller did."""
        ...


class Transactions(Protocol):
    """Opens transactions. A conflict with another writer (SQLSTATE 40001, 40P01, SQLite busy) is TryAgain."""

    def begin(self, actor: Actor) -> AbstractContextManager[Transaction]: ...

    def read(self, actor: Actor) -> AbstractContextManager[Transaction]:
        """A transaction that cannot write."""
        ...
