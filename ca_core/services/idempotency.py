"""Remembered answers: the same request, sent again under the same key, gets the same answer and happens once."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta

from ca_core.domain.access import Actor
from ca_core.domain.errors import Conflict, IdempotencyMismatch, TryAgain
from ca_core.domain.identifiers import Entropy
from ca_core.domain.work import RememberedAnswer
from ca_core.services.ports import SymmetricKeys, Transactions
from ca_core.services.sealing import Sealing

KEPT_FOR = timedelta(hours=24)
WORKING = timedelta(minutes=5)
"""A request without an answer after that long was cut off: whether it happened has to be looked up."""


class Idempotency:
    """Answers are kept sealed, since some hold a secret that is shown once."""

    def __init__(self, transactions: Transactions, *, keys: SymmetricKeys, entropy: Entropy) -> None:
        self._transactions = transactions
        self._sealing = Sealing(keys, entropy=entropy)

    def begin(self, actor: Actor, key: str, request_sha256: bytes) -> RememberedAnswer | None:
        """The answer to give again, or None: the caller works and then calls :meth:`finish` or :meth:`abandon`.

        IdempotencyMismatch when the key came with another request or another API token; TryAgain while the first is
        being worked on; Conflict when the first was cut off."""
        asked = _asked(actor, request_sha256)
        with self._transactions.begin(actor) as tx:
            now = tx.now
            new = RememberedAnswer(account=actor.id, key=key, request_sha256=asked, status=0, body="", created_at=now)
            known = tx.accounts.remember(new)
            if known is not None and now - known.created_at > KEPT_FOR:
                tx.accounts.forget(actor.id, key)
                known = tx.accounts.remember(new)
        if known is None:
            return None
        if known.request_sha256 != asked:
            raise IdempotencyMismatch(
                "this idempotency key was used for another request or with another API token; take a new key"
            )
        if known.status == 0 and now - known.created_at > WORKING:
            raise Conflict("the first request with this key was cut off; look what it did, then take a new key")
        if known.status == 0:
            raise TryAgain("the first request with this key is still being worked on")
        sealed = base64.b64decode(known.body)
        return replace(known, body=self._sealing.open(sealed, bound_to=_bound(actor, key)).decode())

    def finish(self, actor: Actor, key: str, *, status: int, body: str) -> None:
        """Keep the answer for a day."""
        sealed = self._sealing.seal(body.encode(), bound_to=_bound(actor, key))
        answer = base64.b64encode(sealed).decode("ascii")
        with self._transactions.begin(actor) as tx:
            unknown = RememberedAnswer(
                account=actor.id, key=key, request_sha256=b"", status=status, body=answer, created_at=tx.now
            )
            known = tx.accounts.remember(unknown)
            if known is None:
                # It was never begun, or forgotten meanwhile: there is nobody to give the answer to.
                tx.accounts.forget(actor.id, key)
            else:
                tx.accounts.update_remembered(replace(known, status=status, body=answer))

    def abandon(self, actor: Actor, key: str) -> None:
        """Nothing happened: the key may be used again."""
        with self._transactions.begin(actor) as tx:
            tx.accounts.forget(actor.id, key)


def _asked(actor: Actor, request_sha256: bytes) -> bytes:
    """The request and the credential it came with: what a wide token was answered is not for a narrow one."""
    credential = b"" if actor.token is None else actor.token.bytes
    return hashlib.sha256(credential + request_sha256).digest()


def _bound(actor: Actor, key: str) -> bytes:
    return b"remembered answer\0" + actor.id.bytes + key.encode()
