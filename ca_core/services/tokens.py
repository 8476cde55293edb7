"""API tokens: bearer secrets of an account, with no more rights than it has."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.account import ApiToken
from ca_core.domain.errors import InvalidInput, NotAuthenticated, NotFound, NotPermitted
from ca_core.domain.identifiers import Entropy
from ca_core.services.ports import Transactions

PREFIX = "pkt_"
"""So that a token that leaked into a log or a repository is recognised."""
SECRET_OCTETS = 32
LONGEST = 366
"""Days."""


class Tokens:
    """Makes, checks and revokes them; the secret is shown once and kept as a digest."""

    def __init__(self, transactions: Transactions, *, entropy: Entropy) -> None:
        self._transactions = transactions
        self._entropy = entropy

    def create(self, actor: Actor, *, label: str, scopes: frozenset[Permission], days: int) -> tuple[ApiToken, str]:
        """A token of the caller's account, and its secret. NotPermitted for a scope that the caller lacks."""
        if not scopes:
            raise InvalidInput("name at least one right for the token", fields={"scopes": "required"})
        if beyond := scopes - actor.permissions:
            raise NotPermitted(f"a token cannot have the right {min(beyond).value!r}, which you do not have")
        if not 1 <= days <= LONGEST:
            raise InvalidInput(f"a token lasts 1 to {LONGEST} days", fields={"days": f"1 to {LONGEST}"})
        label = label.strip()
        if not 0 < len(label) <= 100 or not label.isprintable():
            raise InvalidInput("the label has 1 to 100 printable characters", fields={"label": "1 to 100 characters"})
        secret = PREFIX + base64.urlsafe_b64encode(self._entropy(SECRET_OCTETS)).rstrip(b"=").decode("ascii")
        with self._transactions.begin(actor) as tx:
            try:
                tx.accounts.get(actor.id, seen_by=EVERYTHING)
            except NotFound:
                raise NotPermitted("only an account has tokens; log in as one") from None
            token = ApiToken(
                id=tx.new_id(),
                account=actor.id,
                label=label,
                token_sha256=_digest(secret),
                scopes=scopes,
                created_at=tx.now,
                expires_at=tx.now + timedelta(days=days),
            )
            tx.accounts.add_token(token)
            tx.audit.record(
                "token.created", "token", token.id, scopes=sorted(scopes), expires_at=token.expires_at.isoformat()
            )
        return token, secret

    def authenticate(self, token: str) -> Actor:
        """Who sends the token, with the account's present roles narrowed to its scopes; NotAuthenticated."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            found = tx.accounts.token_by_digest(_digest(token)) if token.startswith(PREFIX) else None
            if found is not None and found.revoked_at is None and found.expires_at > tx.now:
                account = tx.accounts.get(found.account, seen_by=EVERYTHING)
                if account.active:
                    return account.actor(scopes=found.scopes)
        raise NotAuthenticated("the API token is unknown, expired or revoked; make a new one")

    def list(self, actor: Actor) -> Sequence[ApiToken]:
        """The caller's own."""
        with self._transactions.read(actor) as tx:
            return tx.accounts.tokens_of(actor.id)

    def revoke(self, actor: Actor, id: UUID) -> ApiToken:
        """End one of the caller's own; one that was ended stays as it is."""
        with self._transactions.begin(actor) as tx:
            token = next((one for one in tx.accounts.tokens_of(actor.id) if one.id == id), None)
            if token is None:
                raise NotFound("you have no such token")
            if token.revoked_at is not None:
                return token
            token = tx.accounts.replace_token(replace(token, revoked_at=tx.now))
            tx.audit.record("token.revoked", "token", id)
            return token


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
