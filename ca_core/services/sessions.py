"""Log-ins through a browser: a random token outside, its digest and the data inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.account import Account, WebSession
from ca_core.domain.errors import TryAgain
from ca_core.domain.identifiers import Entropy
from ca_core.services.ports import Transaction, Transactions

LONGEST = timedelta(hours=12)
"""From log-in to the end, whatever happens."""
IDLE_STAFF = timedelta(minutes=30)
IDLE = timedelta(hours=8)
TOUCH_EVERY = timedelta(minutes=1)
"""A session seen more recently is not written again, so that reading pages does not write."""
TOKEN_OCTETS = 32


class Sessions:
    """Starts, loads, rotates and ends them. Only whoever has the token gets the session, and none is before log-in."""

    def __init__(self, transactions: Transactions, *, entropy: Entropy) -> None:
        self._transactions = transactions
        self._entropy = entropy

    def load(self, token: str) -> WebSession | None:
        """The session of that token; None when there is none, its time is over, or its account was closed."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            session = tx.accounts.session_by_digest(_digest(token))
            if session is None or session.account is None or session.expires_at <= tx.now:
                return None
            account = _account(tx, session)
            if account is None or not account.active:
                return None
            if tx.now - session.seen_at < TOUCH_EVERY:
                return session
        try:
            return self._write(session, account)
        except TryAgain:  # reading goes on while nothing can be written
            return session

    def save(self, session: WebSession, *, data: Mapping[str, object]) -> WebSession:
        """Keep the data (JSON values). A session that was ended meanwhile stays ended."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            account = _account(tx, session)
        return self._write(replace(session, data=dict(data)), account)

    def log_in(self, session: WebSession | None, account: Account) -> tuple[WebSession, str]:
        """A new session with a new token for whoever just gave password and code; the one before ends."""
        token = base64.urlsafe_b64encode(self._entropy(TOKEN_OCTETS)).rstrip(b"=").decode("ascii")
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            if session is not None:
                tx.accounts.delete_sessions(id=session.id)
            started = WebSession(
                id=tx.new_id(),
                token_sha256=_digest(token),
                account=account.id,
                created_at=tx.now,
                seen_at=tx.now,
                authenticated_at=tx.now,
                expires_at=_expiry(tx.now, tx.now, account),
            )
            tx.accounts.save_session(started)
        return started, token

    def is_fresh(self, session: WebSession, *, within: timedelta) -> bool:
        """Whether password and code were given that recently; decisions ask for it."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return session.authenticated_at is not None and tx.now - session.authenticated_at <= within

    def end(self, session: WebSession) -> None:
        """Log out."""
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            if tx.accounts.delete_sessions(id=session.id) and session.account is not None:
                tx.audit.record("account.logged-out", "account", session.account)

    def _write(self, session: WebSession, account: Account | None) -> WebSession:
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            if tx.accounts.session_by_digest(session.token_sha256) is None:
                return session
            seen = replace(session, seen_at=tx.now, expires_at=_expiry(session.created_at, tx.now, account))
            tx.accounts.save_session(seen)
            return seen


def _account(tx: Transaction, session: WebSession) -> Account | None:
    return None if session.account is None else tx.accounts.get(session.account, seen_by=EVERYTHING)


def _expiry(created_at: datetime, seen_at: datetime, account: Account | None) -> datetime:
    idle = IDLE_STAFF if account is not None and account.is_staff else IDLE
    return min(created_at + LONGEST, seen_at + idle)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
