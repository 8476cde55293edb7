"""Proving who one is: password, one-time code, and limits to guessing."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from ca_core.domain.access import Actor
from ca_core.domain.account import Account
from ca_core.domain.errors import NotAuthenticated, StaleVersion, TryAgain
from ca_core.services.account_directory import by_email
from ca_core.services.account_rules import PASSWORD_MAX
from ca_core.services.log_in_throttle import LogInThrottle
from ca_core.services.ports import PasswordHasher, Transactions
from ca_core.services.sealing import Sealing
from ca_core.services.totp import matching_step

VISITOR = Actor(id=UUID(int=1), name="visitor", roles=frozenset())
"""Somebody who has not logged in, in the audit."""
CONTENDERS = 5
"""Log-ins to one account at the same moment that are sorted out before one is sent away."""


class LogIn:
    """The door."""

    def __init__(
        self, transactions: Transactions, *, hasher: PasswordHasher, sealing: Sealing, throttle: LogInThrottle
    ) -> None:
        self._transactions = transactions
        self._throttle = throttle
        self._hasher = hasher
        self._sealing = sealing

    def enter(self, *, email: str, password: str, totp: str | None, source: str) -> Account:
        """See :meth:`ca_core.services.accounts.Accounts.log_in`."""
        for _ in range(CONTENDERS):
            try:
                return self._enter_once(email, password, totp, source)
            except StaleVersion:
                continue
        raise TryAgain("several people are logging in to this account; try again")

    def _enter_once(self, email: str, password: str, totp: str | None, source: str) -> Account:
        with self._transactions.read(VISITOR) as tx:
            now, account = tx.now, by_email(tx, email)
            refused = account is not None and self._throttle.refuses(tx, account.id, source)
        fits = self.fits(account, password)
        if account is None or not account.active or refused:
            raise _turned_away()
        step = None
        if fits and account.totp_sealed is not None:
            secret = self._sealing.open(account.totp_sealed, bound_to=bound_to(account)).decode()
            step = matching_step(secret, totp or "", now=now, after=account.totp_last_step)
            fits = step is not None
        if not fits:
            with self._transactions.begin(VISITOR) as tx:
                self._throttle.failed(tx, account.id, source)
            raise _turned_away()
        entered = replace(account, totp_last_step=step or account.totp_last_step)
        if self._hasher.needs_rehash(account.password_hash):
            entered = replace(entered, password_hash=self._hasher.hash(password))
        with self._transactions.begin(account.actor()) as tx:
            # Compare-and-set: of two log-ins with one code the second looks again.
            entered = tx.accounts.replace(entered)
            # The row is written, so locked: a tenth failure beside this log-in came before, or comes after.
            if self._throttle.refuses(tx, account.id, source):
                raise _turned_away()
            self._throttle.succeeded(tx, account.id, source)
            tx.audit.record("account.logged-in", "account", account.id, second_factor=step is not None)
        return entered

    def fits(self, account: Account | None, password: str) -> bool:
        """Whether it is the password of that account; the same work when there is none."""
        password = password[: PASSWORD_MAX + 1]
        if account is None:
            # Hashing takes as long as verifying: an unknown address is not told by the time.
            self._hasher.hash(password)
            return False
        return self._hasher.verify(account.password_hash, password)


def bound_to(account: Account) -> bytes:
    """What the seal of the account's second factor is bound to."""
    return b"one-time codes\0" + account.id.bytes


def _turned_away() -> NotAuthenticated:
    return NotAuthenticated(
        "e-mail, password or one-time code is not right, or the account is locked for a while after too many attempts"
    )
