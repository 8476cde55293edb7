"""Accounts and service centres: who may come in, as what, and how they prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from ca_core.domain.access import EVERYTHING, Actor, Role
from ca_core.domain.account import Account
from ca_core.domain.errors import (
    Conflict,
    Duplicate,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    StaleVersion,
)
from ca_core.domain.identifiers import Entropy
from ca_core.services.account_changes import renewed
from ca_core.services.account_management import AccountManagement
from ca_core.services.account_rules import checked_email, checked_password
from ca_core.services.addresses import Addresses
from ca_core.services.log_in import VISITOR, LogIn, bound_to
from ca_core.services.log_in_throttle import LogInThrottle
from ca_core.services.notices import notify
from ca_core.services.ports import PasswordHasher, SymmetricKeys, Transaction, Transactions
from ca_core.services.sealing import Sealing
from ca_core.services.tokens import revoke_tokens
from ca_core.services.totp import checked_secret, matching_step, new_secret, provisioning_uri

REMIND_AFTER = timedelta(days=1)
"""How often the owner of an address is told that somebody tried to register it."""


class Accounts(AccountManagement):
    """Registration, log-in, second factor, and what administrators do."""

    def __init__(
        self,
        transactions: Transactions,
        *,
        hasher: PasswordHasher,
        keys: SymmetricKeys,
        entropy: Entropy,
        addresses: Addresses | None = None,
        installation: str = "Pechatnik",
    ) -> None:
        """``installation`` is what authenticator applications show. Without ``addresses`` none is confirmed."""
        super().__init__(transactions, hasher=hasher, sealing=Sealing(keys, entropy=entropy), entropy=entropy)
        self._throttle = LogInThrottle(keys)
        self._log_in = LogIn(transactions, hasher=hasher, sealing=self._sealing, throttle=self._throttle)
        self._addresses = addresses
        self._installation = installation

    def register(self, *, email: str, name: str, password: str, language: str = "en") -> None:
        """A subscriber makes an account, or takes over one that was given up. Whether the address is known shows in
        no answer: its owner is told."""
        address = checked_email(email)
        hashed = self._hasher.hash(checked_password(password, email=address))
        new = self._new(address, name, language, roles=frozenset({Role.SUBSCRIBER}), hashed=hashed)
        try:
            self._registered(address, new)
        except (Duplicate, StaleVersion):
            # Somebody else registered the address between our look and our insert; now it is known.
            self._registered(address, new)

    def log_in(self, *, email: str, password: str, source: str, totp: str | None = None) -> Account:
        """The account, if password and, where one is set up, one-time code are right. NotAuthenticated otherwise, in
        the same words and after the same work whatever is wrong.

        ``source`` is the address, or what else tells callers apart. Ten failures lock the account for their source;
        many from everywhere slow down all sources but those from which it logged in lately.
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
        """The owner changes it; every log-in and API token ends. A wrong ``current`` counts as a failed log-in."""
        account = self._own(actor)
        hashed = self._hasher.hash(checked_password(new, email=account.email, field="new"))
        with self._proven(actor, account, current, source) as tx:
            account = tx.accounts.replace(replace(account, password_hash=hashed))
            tx.accounts.delete_sessions(account=account.id)
            revoke_tokens(tx, account.id)
            tx.audit.record("account.password-changed", "account", account.id)
            notify(tx, account.id, "password-changed")
        return account

    def change_email(self, actor: Actor, *, email: str, current: str, source: str) -> None:
        """The subscriber asks for another address: it holds when the link in the letter to it was used, and until then
        the present one does. Whether somebody has it already shows in no answer. NotPermitted for staff, who are known
        by their addresses in the record."""
        account, address = self._own(actor), checked_email(email)
        if account.is_staff or self._addresses is None or not self._addresses.confirmable:
            raise NotPermitted("this address is not changed here; ask an administrator")
        with self._proven(actor, account, current, source) as tx:
            self._addresses.ask(tx, account, address)

    @contextmanager
    def _proven(self, actor: Actor, account: Account, current: str, source: str) -> Iterator[Transaction]:
        """A transaction for the owner who knows the password; a wrong one counts as a failed log-in."""
        fits = self._log_in.fits(account, current)
        with self._transactions.begin(actor) as tx:
            if self._throttle.refuses(tx, account.id, source):
                raise NotAuthenticated("too many wrong passwords; wait a while")
            if fits:
                yield tx
                return
            self._throttle.failed(tx, account.id, source)
        raise InvalidInput("the present password is not right", fields={"current": "not right"})

    def _registered(self, address: str, new: Callable[[Transaction], Account]) -> None:
        with self._transactions.begin(VISITOR) as tx:
            known = tx.accounts.by_email(address)
            if known is None:
                account = new(tx)
                tx.accounts.add(account)
                tx.audit.record("account.registered", "account", account.id)
                if self._addresses is not None:
                    self._addresses.ask(tx, account, address)
            elif self._addresses is not None and self._addresses.given_up(tx, known):
                account = replace(new(tx), id=known.id, version=known.version)
                account = tx.accounts.replace(renewed(tx, account, account.password_hash))
                tx.audit.record("account.registered-again", "account", account.id)
                self._addresses.ask(tx, account, address)
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
