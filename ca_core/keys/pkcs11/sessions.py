"""A bounded pool of sessions with one token, for use by many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore, Lock

from pkcs11 import Key, ObjectClass, PKCS11Error, Session, SessionCount, Token

from ca_core.domain.errors import KeyUnavailable
from ca_core.keys.pkcs11.login import Login
from ca_core.keys.pkcs11.module import Module

WAIT = 30.0
"""Seconds that a caller waits for a session before it is told to try again."""


class PooledSession:
    """One session with the private keys already found on it. Used by one thread at a time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._keys: dict[str, Key] = {}

    def private_key(self, label: str) -> Key:
        """The private key with that label; python-pkcs11's NoSuchKey or MultipleObjectsReturned."""
        key = self._keys.get(label)
        if key is None:
            key = self._keys[label] = self.session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=label)
        return key


class SessionPool:
    """At most ``max_sessions`` sessions at work, beside the one that holds the login."""

    def __init__(
        self, module: Module, *, label: str | None, serial: str | None, login: Login, max_sessions: int
    ) -> None:
        self._module = module
        self._label = label
        self._serial = serial
        self._login = login
        self._free = BoundedSemaphore(max_sessions)
        self._lock = Lock()
        self._generation = -1
        self._idle: list[PooledSession] = []
        self._logged_in: Session | None = None
        self._token: Token | None = None

    @contextmanager
    def session(self, generation: int) -> Iterator[PooledSession]:
        """A logged-in session; ``generation`` is what :meth:`Module.in_use` gave, inside which this is called.

        A session on which something failed is closed and not used again.
        """
        if not self._free.acquire(timeout=WAIT):
            raise KeyUnavailable("all sessions with the token are busy; raise keys.pkcs11.sessions if this recurs")
        try:
            pooled = self._taken(generation)
            reusable = True
            try:
                yield pooled
            except PKCS11Error:
                reusable = False
                with suppress(PKCS11Error):
                    pooled.session.close()
                raise
            finally:
                if reusable:
                    with self._lock:
                        self._idle.append(pooled)
        finally:
            self._free.release()

    def _taken(self, generation: int) -> PooledSession:
        with self._lock:
            if self._generation != generation:
                # The library's restart has closed these.
                self._idle.clear()
                self._logged_in = None
                self._token = self._module.token(label=self._label, serial=self._serial)
                self._logged_in = self._login.perform(self._token)
                self._generation = generation
            if self._idle:
                return self._idle.pop()
            token = self._token
        assert token is not None
        try:
            return PooledSession(token.open())
        except SessionCount:
            raise KeyUnavailable("the token allows no more sessions; lower keys.pkcs11.sessions") from None
