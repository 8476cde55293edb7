"""What administrators do to accounts of others; what makes somebody powerful takes two of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import replace
from uuid import UUID

from ca_core.domain.access import EVERYTHING, PRIVILEGED, Actor, Permission, Role
from ca_core.domain.account import Account, AccountChange, Centre
from ca_core.domain.errors import Duplicate, InvalidInput, NotPermitted, SelfApproval
from ca_core.domain.identifiers import Entropy
from ca_core.services.account_changes import asked, decide, given_by_owner, half_of, renewed, rights, waiting
from ca_core.services.account_directory import AccountDirectory
from ca_core.services.account_rules import (
    checked_centres,
    checked_email,
    checked_language,
    checked_name,
    checked_password,
    checked_roles,
    gains_privilege,
)
from ca_core.services.notices import notify
from ca_core.services.ports import PasswordHasher, Transaction, Transactions
from ca_core.services.row import unless_stale
from ca_core.services.sealing import Sealing


class AccountManagement(AccountDirectory):
    """A privileged role, and a new way into a privileged account, wait for a second administrator. Each of the two is
    shown one half of the password, so that neither can log in. The machine's owner needs no second one."""

    def __init__(
        self, transactions: Transactions, *, hasher: PasswordHasher, sealing: Sealing, entropy: Entropy
    ) -> None:
        super().__init__(transactions)
        self._hasher = hasher
        self._sealing = sealing
        self._entropy = entropy

    def create(
        self,
        actor: Actor,
        *,
        email: str,
        name: str,
        roles: Iterable[Role],
        centres: Iterable[UUID] = (),
        password: str | None = None,
        language: str = "en",
    ) -> tuple[Account, str]:
        """An account made by staff, and its first password, which is made here when None is given.

        With a privileged role it has no role yet, and the password is the first half of what it will be."""
        actor.require(Permission.ACCOUNT_MANAGE)
        address, granted = checked_email(email), checked_roles(roles)
        alone = _is_owner(actor) or not granted & PRIVILEGED
        if password is not None and not alone:
            sentence = "the first password of such an account is made here, one half for each of two administrators"
            raise InvalidInput(sentence, fields={"password": sentence})
        first = self._new_password() if password is None else checked_password(password, email=address)
        # Nobody has the password of an account that waits.
        hashed = self._hasher.hash(first if alone else self._new_password())
        new = self._new(address, name, language, roles=granted if alone else frozenset(), hashed=hashed)
        with self._transactions.begin(actor) as tx:
            if tx.accounts.by_email(address) is not None:
                raise Duplicate("there is an account with this e-mail address already")
            account, named = replace(new(tx), email_confirmed_at=tx.now), _centres(tx, centres)
            if not alone:
                tx.accounts.add(account)
                change = asked(tx, actor, account, "account.created", granted, named)
                return account, self._halved(tx, change)
            account = replace(account, centres=named)
            if granted & PRIVILEGED:
                given_by_owner(tx, actor, account, "account.created")
            tx.accounts.add(account)
            tx.audit.record("account.created", "account", account.id, **rights(granted, named))
        return account, first

    def reset_access(self, actor: Actor, id: UUID, *, version: int | None = None) -> tuple[Account, str]:
        """For somebody who lost password or authenticator: a new password, no second factor, no lock. Of a privileged
        account it is the first half, and all stays as it is until a second administrator confirmed."""
        password = self._new_password()
        hashed = self._hasher.hash(password)
        with self._transactions.begin(actor) as tx:
            account = _managed(tx, actor, id, version)
            if account.roles & PRIVILEGED and not _is_owner(actor):
                change = asked(tx, actor, account, "account.access-reset", account.roles, account.centres)
                return account, self._halved(tx, change)
            account = tx.accounts.replace(renewed(tx, account, hashed))
            tx.audit.record("account.access-reset", "account", id)
            notify(tx, id, "access-reset")
        return account, password

    def change_roles(
        self, actor: Actor, id: UUID, *, roles: Iterable[Role], centres: Iterable[UUID], version: int | None = None
    ) -> tuple[Account, str | None]:
        """Give and take roles; every log-in of the account ends. Nobody changes his own. What gives a privileged role
        or an operator another centre waits; the first such role comes with a new password, whose first half is told:
        an administrator may have prepared the account before."""
        granted, named = checked_roles(roles), frozenset(centres)
        with self._transactions.begin(actor) as tx:
            account, named = _managed(tx, actor, id, version), _centres(tx, named)
            gains = gains_privilege(account, granted, named)
            if gains and not _is_owner(actor):
                change = asked(tx, actor, account, "account.roles-changed", granted, named)
                return account, None if account.roles & PRIVILEGED else self._halved(tx, change)
            changed = replace(account, roles=granted, centres=named)
            if gains:
                given_by_owner(tx, actor, replace(changed, version=account.version + 1), "account.roles-changed")
            changed = tx.accounts.replace(changed)
            tx.accounts.delete_sessions(account=id)
            tx.audit.record("account.roles-changed", "account", id, **rights(granted, named))
        return changed, None

    def confirm_change(self, actor: Actor, id: UUID) -> tuple[Account, str | None]:
        """Let it hold, by another administrator than the one who asked; the second half of the password, if it brings
        a new one. Every log-in of the account ends."""
        with self._transactions.read(actor) as tx:
            change = waiting(tx, actor, id)
        if actor.id == change.asked_by:
            raise SelfApproval("you asked for this change; another administrator has to confirm it")
        second = hashed = None
        if change.first_half_sealed is not None:
            second = self._new_password()
            first = self._sealing.open(change.first_half_sealed, bound_to=half_of(change)).decode()
            hashed = self._hasher.hash(first + second)
        with self._transactions.begin(actor) as tx:
            account = tx.accounts.get(change.account, seen_by=EVERYTHING)
            decide(tx, replace(change, confirmed_by=actor.id, applied_version=account.version + 1))
            changed = replace(account, roles=change.roles, centres=change.centres)
            changed = tx.accounts.replace(renewed(tx, changed, hashed) if hashed else changed)
            tx.accounts.delete_sessions(account=account.id)
            tx.audit.record(
                change.action,
                "account",
                account.id,
                asked_by=str(change.asked_by),
                **rights(change.roles, change.centres),
            )
            if hashed and change.action != "account.created":
                notify(tx, account.id, "access-reset")
        return changed, second

    def refuse_change(self, actor: Actor, id: UUID) -> None:
        """It will not be made; whoever asked may take it back so, too."""
        with self._transactions.begin(actor) as tx:
            change = waiting(tx, actor, id)
            decide(tx, change)
            tx.audit.record("account.change-refused", "account", change.account, change=change.action)

    def deactivate(self, actor: Actor, id: UUID, *, version: int | None = None) -> Account:
        """Nobody comes in with it any more, by password, session or token."""
        return self._opened(actor, id, version, "account.deactivated", active=False)

    def reactivate(self, actor: Actor, id: UUID, *, version: int | None = None) -> Account:
        return self._opened(actor, id, version, "account.reactivated", active=True)

    def create_centre(self, actor: Actor, *, code: str, name: str) -> Centre:
        """A service centre; Duplicate when the code is taken."""
        actor.require(Permission.CENTRE_MANAGE)
        code = code.strip()
        if not 0 < len(code) <= 32 or not code.isascii() or not code.isprintable() or " " in code:
            sentence = "the code of a centre is 1 to 32 ASCII characters without spaces, for example MSK-01"
            raise InvalidInput(sentence, fields={"code": sentence})
        with self._transactions.begin(actor) as tx:
            centre = Centre(id=tx.new_id(), code=code, name=checked_name(name))
            tx.accounts.add_centre(centre)
            tx.audit.record("centre.created", "centre", centre.id, code=code)
        return centre

    def _new(
        self, address: str, name: str, language: str, *, roles: frozenset[Role], hashed: str
    ) -> Callable[[Transaction], Account]:
        """Check the rest; the account is made in the transaction that stores it."""
        person, spoken = checked_name(name), checked_language(language)
        return lambda tx: Account(
            id=tx.new_id(),
            email=address,
            name=person,
            language=spoken,
            roles=roles,
            password_hash=hashed,
            created_at=tx.now,
        )

    def _opened(self, actor: Actor, id: UUID, version: int | None, action: str, *, active: bool) -> Account:
        with self._transactions.begin(actor) as tx:
            account = tx.accounts.replace(replace(_managed(tx, actor, id, version), active=active))
            tx.accounts.delete_sessions(account=id)
            tx.audit.record(action, "account", id)
            return account

    def _halved(self, tx: Transaction, change: AccountChange) -> str:
        """The change brings a new password, of which this is the first half."""
        half = self._new_password()
        sealed = self._sealing.seal(half.encode(), bound_to=half_of(change))
        tx.account_changes.replace(replace(change, first_half_sealed=sealed))
        return half

    def _new_password(self) -> str:
        """20 characters, 120 random bits."""
        return base64.urlsafe_b64encode(self._entropy(15)).decode("ascii")


def _is_owner(actor: Actor) -> bool:
    """Whether it is the command line of the machine's owner, who makes the first administrators."""
    return Role.SYSTEM in actor.roles


def _managed(tx: Transaction, actor: Actor, id: UUID, version: int | None) -> Account:
    """The account, to be changed by the actor; a change that waits for confirmation was for what it was before."""
    actor.require(Permission.ACCOUNT_MANAGE)
    if id == actor.id:
        raise NotPermitted("nobody changes the rights of his own account; ask another administrator")
    account = unless_stale(tx.accounts.get(id, seen_by=EVERYTHING), version)
    for change in tx.account_changes.waiting(id):
        decide(tx, change)
        tx.audit.record("account.change-superseded", "account", id, change=change.action)
    return account


def _centres(tx: Transaction, named: Iterable[UUID]) -> frozenset[UUID]:
    return checked_centres(named, known=(centre.id for centre in tx.accounts.centres()))
