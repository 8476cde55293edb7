"""Finding accounts and service centres."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission, Role
from ca_core.domain.account import Account, AccountChange, Centre, WebSession
from ca_core.domain.errors import InvalidInput, NotFound
from ca_core.services.account_rules import checked_email
from ca_core.services.ports import Page, Transaction, Transactions


class AccountDirectory:
    """What can be read of them, and by whom."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def list(self, actor: Actor, *, text: str = "", cursor: str | None = None, limit: int = 50) -> Page[Account]:
        actor.require(Permission.ACCOUNT_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.accounts.find(text=text, cursor=cursor, limit=limit)

    def get(self, actor: Actor, id: UUID) -> Account:
        """One's own, or with the right to see accounts anybody's."""
        if id != actor.id:
            actor.require(Permission.ACCOUNT_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.accounts.get(id, seen_by=EVERYTHING)

    def known(self, actor: Actor, email: str) -> Account | None:
        """The account of that address, if there is one."""
        actor.require(Permission.ACCOUNT_VIEW)
        with self._transactions.read(actor) as tx:
            return by_email(tx, email)

    def changes_waiting(self, actor: Actor, account: UUID | None = None) -> Sequence[AccountChange]:
        """What a second administrator has to confirm, oldest first; of one account or of all."""
        actor.require(Permission.ACCOUNT_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.account_changes.waiting(account)

    def find_by_email(self, actor: Actor, email: str) -> Account:
        """The account of that address, or NotFound. Operators find subscribers only, to apply in their name."""
        if Role.OPERATOR not in actor.roles or not actor.may(Permission.APPLICATION_CREATE):
            actor.require(Permission.ACCOUNT_VIEW)
        with self._transactions.read(actor) as tx:
            account = by_email(tx, email)
        if account is None or not (actor.may(Permission.ACCOUNT_VIEW) or Role.SUBSCRIBER in account.roles):
            raise NotFound("there is no account with this e-mail address")
        return account

    def session_account(self, session: WebSession) -> Account | None:
        """Whose log-in this is, with the roles of now; None before log-in and for a closed account."""
        if session.account is None:
            return None
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            account = tx.accounts.get(session.account, seen_by=EVERYTHING)
        return account if account.active else None

    def list_centres(self, actor: Actor) -> Sequence[Centre]:
        """All, for everybody: applicants choose one."""
        with self._transactions.read(actor) as tx:
            return tx.accounts.centres()

    def centre_by_code(self, actor: Actor, code: str) -> Centre:
        with self._transactions.read(actor) as tx:
            return tx.accounts.centre_by_code(code)


def by_email(tx: Transaction, email: str) -> Account | None:
    """The account of that address, however it is written; None also for what is no address."""
    try:
        return tx.accounts.by_email(checked_email(email))
    except InvalidInput:
        return None
