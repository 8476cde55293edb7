"""A change of an account from the asking of one administrator to the confirmation of another."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from ca_core.domain.access import EVERYTHING, Actor, Permission, Role
from ca_core.domain.account import Account, AccountChange
from ca_core.domain.errors import NotPermitted, WrongState
from ca_core.services.ports import Transaction
from ca_core.services.tokens import revoke_tokens


def asked(
    tx: Transaction, actor: Actor, account: Account, action: str, roles: frozenset[Role], centres: frozenset[UUID]
) -> AccountChange:
    """It waits from now on; of the account nothing is changed yet."""
    change = AccountChange(
        id=tx.new_id(),
        account=account.id,
        action=action,
        roles=roles,
        centres=centres,
        asked_by=actor.id,
        asked_at=tx.now,
    )
    tx.account_changes.add(change)
    tx.audit.record("account.change-asked", "account", account.id, change=action, **rights(roles, centres))
    return change


def given_by_owner(tx: Transaction, actor: Actor, account: Account, action: str) -> None:
    """The database gives no privileged role without a row that says who did."""
    tx.account_changes.add(
        AccountChange(
            id=tx.new_id(),
            account=account.id,
            action=action,
            roles=account.roles,
            centres=account.centres,
            asked_by=actor.id,
            asked_at=tx.now,
            confirmed_by=actor.id,
            decided_at=tx.now,
            applied_version=account.version,
        )
    )


def waiting(tx: Transaction, actor: Actor, id: UUID) -> AccountChange:
    """The change, to be decided by the actor; WrongState when it was already."""
    actor.require(Permission.ACCOUNT_MANAGE)
    change = tx.account_changes.get(id, seen_by=EVERYTHING)
    if change.decided_at is not None:
        raise WrongState("this change does not wait any more; it was decided already")
    if actor.id == change.account:
        raise NotPermitted("nobody changes the rights of his own account; ask another administrator")
    return change


def decide(tx: Transaction, change: AccountChange) -> None:
    """Confirmed, refused or overtaken. The row stays; half a password that is somebody's does not."""
    tx.account_changes.replace(replace(change, decided_at=tx.now, first_half_sealed=None))


def renewed(tx: Transaction, account: Account, hashed: str) -> Account:
    """With another password and nothing of the old ways in."""
    tx.accounts.delete_sessions(account=account.id)
    tx.log_ins.forget(account.id)
    revoke_tokens(tx, account.id)
    return replace(account, password_hash=hashed, totp_sealed=None, totp_last_step=0)


def rights(roles: frozenset[Role], centres: frozenset[UUID]) -> dict[str, object]:
    """For the audit."""
    return {"roles": sorted(roles), "centres": sorted(str(centre) for centre in centres)}


def half_of(change: AccountChange) -> bytes:
    """What the seal of the password's first half is bound to."""
    return b"first half of a password\0" + change.id.bytes
