"""API tokens: bearer secrets of an account, with no more rights than it has."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.account import ApiToken
from ca_core.domain.errors import InvalidInput, NotAuthenticated, NotFound, NotPermitted
from ca_core.domain.identifiers import Entropy
from ca_core.services.notices import notify
from ca_core.services.ports import Transaction, Transactions

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
        """A token of the caller's account, and its secret. NotPermitted for a scope that the caller lacks.

        One that a token asks for lasts no longer than that token and is revoked with it."""
        actor.require(Permission.TOKEN_MANAGE)
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
            expires_at = tx.now + timedelta(days=days)
            if actor.token is not None:
                expires_at = min(expires_at, _maker(tx, actor).expires_at)
            token = ApiToken(
                id=tx.new_id(),
                account=actor.id,
                label=label,
                token_sha256=_digest(secret),
                scopes=scopes,
                made_by=actor.token,
                created_at=tx.now,
                expires_at=expires_at,
            )
            tx.accounts.add_token(token)
            made_by = {} if actor.token is None else {"made_by": str(actor.token)}
            tx.audit.record(
                "token.created", "token", token.id, scopes=sorted(scopes), expires_at=expires_at.isoformat(), **made_by
            )
        return token, secret

    def authenticate(self, token: str) -> Actor:
        """Who sends the token, with the account's present roles narrowed to its scopes; NotAuthenticated."""
        actor = self.senders([token]).get(token)
        if actor is None:
            raise NotAuthenticated("the API token is unknown, expired or revoked; make a new one")
        return actor

    def senders(self, tokens: Collection[str]) -> Mapping[str, Actor]:
        """As :meth:`authenticate`, for many; those that open nothing are left out."""
        digests = {_digest(token): token for token in tokens if token.startswith(PREFIX)}
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            found = [token for token in tx.accounts.tokens_among(digests) if token.opens(tx.now)]
            accounts = {one.id: one for one in tx.accounts.among({token.account for token in found})}
        return {
            digests[token.token_sha256]: accounts[token.account].actor(scopes=token.scopes, token=token.id)
            for token in found
            if accounts[token.account].active
        }

    def list(self, actor: Actor) -> Sequence[ApiToken]:
        """The caller's own, ended ones too."""
        actor.require(Permission.TOKEN_MANAGE)
        with self._transactions.read(actor) as tx:
            return tx.accounts.tokens_of(actor.id)

    def in_use(self, actor: Actor, account: UUID) -> Sequence[ApiToken]:
        """Those of any account that are neither revoked nor expired."""
        actor.require(Permission.ACCOUNT_VIEW)
        with self._transactions.read(actor) as tx:
            return _in_use(tx, account)

    def revoke(self, actor: Actor, id: UUID) -> ApiToken:
        """End one of the caller's own, and those it made; one that was ended stays as it is."""
        actor.require(Permission.TOKEN_MANAGE)
        with self._transactions.begin(actor) as tx:
            ended = _with_those_it_made(id, tx.accounts.tokens_of(actor.id))
            if not ended:
                raise NotFound("you have no such token")
            return _end(tx, ended)[0]

    def revoke_all(self, actor: Actor, account: UUID) -> int:
        """An administrator ends every token of an account; how many were in use. Its owner is told."""
        actor.require(Permission.ACCOUNT_MANAGE)
        with self._transactions.begin(actor) as tx:
            tx.accounts.get(account, seen_by=EVERYTHING)
            ended = revoke_tokens(tx, account)
            if ended:
                notify(tx, account, "tokens-revoked")
            return ended


def revoke_tokens(tx: Transaction, account: UUID) -> int:
    """End all of the account's that are in use; how many they were."""
    return len(_end(tx, _in_use(tx, account)))


def _in_use(tx: Transaction, account: UUID) -> Sequence[ApiToken]:
    return [one for one in tx.accounts.tokens_of(account) if one.opens(tx.now)]


def _end(tx: Transaction, tokens: Iterable[ApiToken]) -> list[ApiToken]:
    ended = []
    for token in tokens:
        if token.revoked_at is None:
            token = tx.accounts.replace_token(replace(token, revoked_at=tx.now))
            tx.audit.record("token.revoked", "token", token.id)
        ended.append(token)
    return ended


def _with_those_it_made(id: UUID, tokens: Iterable[ApiToken]) -> list[ApiToken]:
    """The token, those it made, those they made, and so on; empty where there is none."""
    by_maker: dict[UUID | None, list[ApiToken]] = {}
    found = []
    for token in tokens:
        by_maker.setdefault(token.made_by, []).append(token)
        if token.id == id:
            found.append(token)
    for token in found:  # grows while it is walked; a chain may be longer than a recursion
        found.extend(by_maker.get(token.id, ()))
    return found


def _maker(tx: Transaction, actor: Actor) -> ApiToken:
    """The caller's token, which may have ended since it was let in. Its row is written, so that of this and a
    revocation at the same time one fails: neither knows of the other's row otherwise."""
    maker = next((one for one in tx.accounts.tokens_of(actor.id) if one.id == actor.token), None)
    if maker is None or not maker.opens(tx.now):
        raise NotAuthenticated("the API token is unknown, expired or revoked; make a new one")
    return tx.accounts.replace_token(maker)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
