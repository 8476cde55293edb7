"""Accounts and service centres: who may come in, as what, and how they prove it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, Actor, Permission, Role
from ca_core.domain.account import Account, Centre
from ca_core.domain.errors import (
    Conflict,
    Duplicate,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
)
from ca_core.domain.identifiers import Entropy
from ca_core.services.account_directory import AccountDirectory
from ca_core.services.account_rules import (
    checked_centres,
    checked_email,
    checked_language,
    checked_name,
    checked_password,
    checked_roles,
)
from ca_core.services.log_in import VISITOR, LogIn, bound_to
from ca_core.services.log_in_throttle import LogInThrottle
from ca_core.services.notices import notify
from ca_core.services.ports import PasswordHasher, SymmetricKeys, Transaction, Transactions
from ca_core.services.row import unless_stale
from ca_core.services.sealing import Sealing
from ca_core.services.totp import checked_secret, matching_step, new_secret, provisioning_uri

REMIND_AFTER = timedelta(days=1)
"""How often the owner of an address is told that somebody tried to register it."""


class Accounts(AccountDirectory):
    """Registration, log-in, second factor, roles."""

    def __init__(
        self,
        transactions: Transactions,
        *,
        hasher: PasswordHasher,
        keys: SymmetricKeys,
        entropy: Entropy,
        installation: str = "Pechatnik",
    ) -> None:
        """``installation`` is what authenticator applications show."""
        super().__init__(transactions)
        self._hasher = hasher
        self._sealing = Sealing(keys, entropy=entropy)
        self._throttle = LogInThrottle(keys)
        self._log_in = LogIn(transactions, hasher=hasher, sealing=self._sealing, throttle=self._throttle)
        self._entropy = entropy
        self._installation = installation

    def register(self, *, email: str, name: str, password: str, language: str = "en") -> None:
        """A subscriber makes an account. Whether the address is known shows in no answer: its owner is told."""
        address = checked_email(email)
        hashed = self._hasher.hash(checked_password(password, email=address))
        new = self._new(address, name, language, roles=frozenset({Role.SUBSCRIBER}), hashed=hashed)
        try:
            self._registered(address, new)
        except Duplicate:
            # Somebody else registered the address between our look and our insert; now it is known.
            self._registered(address, new)

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
        """An account made by staff, and its first password, which is made here when None is given."""
        actor.require(Permission.ACCOUNT_MANAGE)
        address = checked_email(email)
        first = self._new_password() if password is None else checked_password(password, email=address)
        new = self._new(address, name, language, roles=checked_roles(roles), hashed=self._hasher.hash(first))
        with self._transactions.begin(actor) as tx:
            if tx.accounts.by_email(address) is not None:
                raise Duplicate("there is an account with this e-mail address already")
            account = replace(new(tx), centres=_centres(tx, centres))
            tx.accounts.add(account)
            tx.audit.record(
                "account.created",
                "account",
                account.id,
                roles=sorted(account.roles),
                centres=sorted(str(centre) for centre in account.centres),
            )
        return account, first

    def log_in(self, *, email: str, password: str, source: str, totp: str | None = None) -> Account:
        """The account, if password and, where one is set up, one-time code are right. NotAuthenticated otherwise, in
        the same words and after the same work whatever is wrong. Ten failures lock it for a while for their ``source``: the address, or what else tells
        callers apart. Many from everywhere slow down all sources but those from which it logged in lately.
        """
        return self._log_in.enter(email=email, password=password, totp=totp, source=source)

    def enrol_totp(self, actor: Actor) -> tuple[str, str]:
        """A new secret and its ``otpauth:`` address; nothing is kept before :meth:`confirm_totp`."""
        self._own(actor)
        secret = new_secret(self._entropy)
        return secret, self.totp_uri(actor, secret)

    def totp_uri(self, actor: Actor, secret: str) -> str:
        """What the picture for the authenticator application says."""
        return provisioning_uri(secret, account=actor.name, issuer=self._installation)

    def confirm_totp(self, actor: Actor, secret: str, code: str) -> Account:
        """Ask for one-time codes from now on; ``code`` shows that the application has the secret."""
        account = self._own(actor)
        if account.totp_sealed is not None:
            raise Conflict("a second factor is set up already; ask an administrator to reset it first")
        with self._transactions.begin(actor) as tx:
            step = matching_step(checked_secret(secret), code, now=tx.now, after=0)
            if step is None:
                raise InvalidInput("the code is not right; wait for the next one", fields={"code": "not right"})
            sealed = self._sealing.seal(secret.encode(), bound_to=bound_to(account))
            enrolled = tx.accounts.replace(replace(account, totp_sealed=sealed, totp_last_step=step))
            tx.audit.record("account.second-factor-set", "account", account.id)
            return enrolled

    def change_password(self, actor: Actor, *, current: str, new: str, source: str) -> Account:
        """The owner changes it; every log-in ends. A wrong ``current`` counts as a failed log-in."""
        account = self._own(actor)
        hashed = self._hasher.hash(checked_password(new, email=account.email, field="new"))
        fits = self._log_in.fits(account, current)
        with self._transactions.begin(actor) as tx:
            if self._throttle.refuses(tx, account.id, source):
                raise NotAuthenticated("too many wrong passwords; wait a while")
            if fits:
                account = tx.accounts.replace(replace(account, password_hash=hashed))
                tx.accounts.delete_sessions(account=account.id)
                tx.audit.record("account.password-changed", "account", account.id)
                notify(tx, account.id, "password-changed")
            else:
                self._throttle.failed(tx, account.id, source)
        if not fits:
            raise InvalidInput("the present password is not right", fields={"current": "not right"})
        return account

    def reset_access(self, actor: Actor, id: UUID, *, version: int | None = None) -> tuple[Account, str]:
        """For somebody who lost password or authenticator: a new password, no second factor, no lock."""
        password = self._new_password()
        hashed = self._hasher.hash(password)

        def renewed(old: Account, tx: Transaction) -> Account:
            tx.log_ins.forget(id)
            return replace(old, password_hash=hashed, totp_sealed=None, totp_last_step=0)

        return self._managed(actor, id, version, "account.access-reset", renewed, notice="access-reset"), password

    def change_roles(
        self, actor: Actor, id: UUID, *, roles: Iterable[Role], centres: Iterable[UUID], version: int | None = None
    ) -> Account:
        """Give and take roles; every log-in of the account ends. Nobody changes his own."""
        granted, named = checked_roles(roles), frozenset(centres)
        return self._managed(
            actor,
            id,
            version,
            "account.roles-changed",
            lambda old, tx: replace(old, roles=granted, centres=_centres(tx, named)),
            roles=sorted(granted),
            centres=sorted(str(centre) for centre in named),
        )

    def deactivate(self, actor: Actor, id: UUID, *, version: int | None = None) -> Account:
        """Nobody comes in with it any more, by password, session or token."""
        return self._managed(actor, id, version, "account.deactivated", lambda old, _: replace(old, active=False))

    def reactivate(self, actor: Actor, id: UUID, *, version: int | None = None) -> Account:
        return self._managed(actor, id, version, "account.reactivated", lambda old, _: replace(old, active=True))

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

    def _registered(self, address: str, new: Callable[[Transaction], Account]) -> None:
        with self._transactions.begin(VISITOR) as tx:
            known = tx.accounts.by_email(address)
            if known is None:
                account = new(tx)
                tx.accounts.add(account)
                tx.audit.record("account.registered", "account", account.id)
            elif not any(
                notice.kind == "register-again" and tx.now - notice.created_at < REMIND_AFTER
                for notice in tx.jobs.notices_of(known.id)
            ):
                notify(tx, known.id, "register-again")

    def _own(self, actor: Actor) -> Account:
        """The caller's account; an API token does not change how its owner logs in."""
        if actor.scopes is not None:
            raise NotPermitted("an API token cannot do this; log in with the password")
        with self._transactions.read(actor) as tx:
            try:
                return tx.accounts.get(actor.id, seen_by=EVERYTHING)
            except NotFound:
                raise NotPermitted("only an account can do this; log in as one") from None

    def _managed(
        self,
        actor: Actor,
        id: UUID,
        version: int | None,
        action: str,
        change: Callable[[Account, Transaction], Account],
        *,
        notice: str | None = None,
        **details: object,
    ) -> Account:
        actor.require(Permission.ACCOUNT_MANAGE)
        if id == actor.id:
            raise NotPermitted("nobody changes the rights of his own account; ask another administrator")
        with self._transactions.begin(actor) as tx:
            account = unless_stale(tx.accounts.get(id, seen_by=EVERYTHING), version)
            changed = tx.accounts.replace(change(account, tx))
            tx.accounts.delete_sessions(account=id)
            tx.audit.record(action, "account", id, **details)
            if notice is not None:
                notify(tx, id, notice)
            return changed

    def _new_password(self) -> str:
        """20 characters, 120 random bits."""
        return base64.urlsafe_b64encode(self._entropy(15)).decode("ascii")


def _centres(tx: Transaction, named: Iterable[UUID]) -> frozenset[UUID]:
    return checked_centres(named, known=(centre.id for centre in tx.accounts.centres()))
