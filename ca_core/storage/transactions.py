"""Transactions: one caller, one moment, all or nothing, the audit chain included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from uuid import UUID

from sqlalchemy import Connection, Engine, RootTransaction, text
from sqlalchemy.exc import SQLAlchemyError

from ca_core.domain.access import Actor
from ca_core.domain.errors import IntegrityAlarm
from ca_core.domain.identifiers import Entropy, uuid7
from ca_core.services.ports import Clock, StatusAnswers, SymmetricKeys
from ca_core.storage.engine import FAILED
from ca_core.storage.refusals import translated
from ca_core.storage.repositories.account_changes import AccountChangeRows
from ca_core.storage.repositories.accounts import AccountRows
from ca_core.storage.repositories.all_rows import AllRows
from ca_core.storage.repositories.applications import ApplicationRows
from ca_core.storage.repositories.audit import AuditRows
from ca_core.storage.repositories.authorities import AuthorityRows
from ca_core.storage.repositories.certificates import CertificateRows
from ca_core.storage.repositories.documents import DocumentRows
from ca_core.storage.repositories.imports import ImportRows
from ca_core.storage.repositories.jobs import JobRows
from ca_core.storage.repositories.log_ins import LogInRows
from ca_core.storage.repositories.mass_revocations import MassRevocationRows
from ca_core.storage.repositories.timestamps import TimestampRows


class Transaction:
    """See :class:`ca_core.services.ports.Transaction`. Repositories are made when they are first asked for."""

    def __init__(
        self, connection: Connection, *, actor: Actor, clock: Clock, entropy: Entropy, audit_keys: SymmetricKeys
    ) -> None:
        self.actor = actor
        self.now = clock()
        self._connection = connection
        self._entropy = entropy
        self._audit_keys = audit_keys

    def write_pending(self) -> None:
        """What was gathered and waits for the end: jobs, notices, and the records with their places in the chain."""
        if "jobs" in self.__dict__:
            self.jobs.write_pending()
        if "audit" in self.__dict__:
            self.audit.write_pending()

    def has_pending(self) -> bool:
        return any(name in self.__dict__ and getattr(self, name).has_pending() for name in ("jobs", "audit"))

    @contextmanager
    def on_behalf_of(self, actor: Actor) -> Iterator[None]:
        """What is recorded in this block, that caller did."""
        own, self.actor = self.actor, actor
        try:
            yield
        finally:
            self.actor = own

    def new_id(self) -> UUID:
        """An identifier that sorts by time."""
        return uuid7(self.now, self._entropy)

    @cached_property
    def applications(self) -> ApplicationRows:
        return ApplicationRows(self._connection)

    @cached_property
    def documents(self) -> DocumentRows:
        return DocumentRows(self._connection)

    @cached_property
    def certificates(self) -> CertificateRows:
        return CertificateRows(self._connection)

    @cached_property
    def authorities(self) -> AuthorityRows:
        return AuthorityRows(self._connection)

    @cached_property
    def imports(self) -> ImportRows:
        return ImportRows(self._connection)

    @cached_property
    def mass_revocations(self) -> MassRevocationRows:
        return MassRevocationRows(self._connection, self.certificates, now=self.now)

    @cached_property
    def timestamps(self) -> TimestampRows:
        return TimestampRows(self._connection)

    @cached_property
    def accounts(self) -> AccountRows:
        return AccountRows(self._connection)

    @cached_property
    def account_changes(self) -> AccountChangeRows:
        return AccountChangeRows(self._connection)

    @cached_property
    def log_ins(self) -> LogInRows:
        return LogInRows(self._connection, now=self.now)

    def forget_answers(self, answers: StatusAnswers) -> None:
        """Tell them whose status this transaction changed."""
        certificates = self.certificates.changed if "certificates" in self.__dict__ else set()
        issuers = set(self.authorities.changed) if "authorities" in self.__dict__ else set()
        if certificates and self.certificates.changed_own:
            own = self.certificates.changed_own
            issuers |= {authority.id for authority in self.authorities.all() if authority.certificate_id in own}
        if certificates or issuers:
            answers.forget(certificates, issuers)

    @cached_property
    def jobs(self) -> JobRows:
        return JobRows(self._connection, now=self.now, new_id=self.new_id)

    @cached_property
    def all_rows(self) -> AllRows:
        return AllRows(self._connection)

    @cached_property
    def audit(self) -> AuditRows:
        return AuditRows(self._connection, actor=lambda: self.actor, now=self.now, keys=self._audit_keys)


class Transactions:
    """See :class:`ca_core.services.ports.Transactions`."""

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock,
        entropy: Entropy,
        audit_keys: SymmetricKeys,
        answers: StatusAnswers | None = None,
    ) -> None:
        """``answers`` are told of every status that changes, before the change is committed."""
        self._engine = engine
        self._clock = clock
        self._entropy = entropy
        self._audit_keys = audit_keys
        self.answers = answers

    @contextmanager
    def begin(self, actor: Actor) -> Iterator[Transaction]:
        """Commits at the end of the block, records in the same transaction (invariant 7); an exception rolls back.

        A refused statement ends the transaction as well, even if its error is caught within the block: the databases
        differ in what they would keep."""
        with self._connected() as connection:
            with translated():
                outer = connection.begin()
            try:
                transaction = self._transaction(connection, actor)
                yield transaction
                if connection.info.get(FAILED):
                    raise IntegrityAlarm("a statement of this transaction was refused; nothing of it is kept")
                transaction.write_pending()
                with translated():
                    if self.answers is not None:
                        transaction.forget_answers(self.answers)
                    outer.commit()
            finally:
                _end(outer)

    @contextmanager
    def read(self, actor: Actor) -> Iterator[Transaction]:
        """One unchanging view of the database, in which nothing can be written."""
        with self._connected(read_only=True) as connection:
            with translated():
                outer = connection.begin()
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            try:
                transaction = self._transaction(connection, actor)
                yield transaction
                if transaction.has_pending():
                    raise IntegrityAlarm("something was to be written in a transaction that only reads")
            finally:
                _end(outer)

    @contextmanager
    def _connected(self, *, read_only: bool = False) -> Iterator[Connection]:
        with translated():
            connection = self._engine.connect().execution_options(read_only=read_only)
            connection.info.pop(FAILED, None)
        with connection:
            yield connection

    def _transaction(self, connection: Connection, actor: Actor) -> Transaction:
        return Transaction(
            connection, actor=actor, clock=self._clock, entropy=self._entropy, audit_keys=self._audit_keys
        )


def _end(outer: RootTransaction) -> None:
    """Roll back what is not committed. Where the connection is gone, the database has done so already."""
    with suppress(SQLAlchemyError):
        if outer.is_active:
            outer.rollback()
