"""What an application starts with, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from ca_core.domain.access import EVERYTHING, Actor, Role
from ca_core.domain.application import Application
from ca_core.domain.errors import Duplicate, InvalidInput, NotFound, NotPermitted
from ca_core.domain.profile import Profile, SubjectClass
from ca_core.services.ports import Transaction
from ca_core.services.subject_rules import tidied


@dataclass(frozen=True, kw_only=True)
class NewApplication:
    """What is said at the beginning; everything but the profile can come later."""

    profile: str
    """``pack/name``."""
    subject: Mapping[str, str]
    san: tuple[tuple[str, str], ...] = ()
    identification: str | None = None
    centre: UUID | None = None
    """None: the only one there is, or the operator's own."""
    owner: UUID | None = None
    """The subscriber's account when staff apply for somebody; None: the caller."""
    replaces: UUID | None = None
    """The imported certificate that the new one is in place of. Others have an application to begin with again:
    :meth:`.replacement.Replacement.report`."""


def draft_of(tx: Transaction, actor: Actor, new: NewApplication, profile: Profile, *, number: str) -> Application:
    """The draft, its data not yet checked. InvalidInput when owner or centre cannot be chosen so, NotPermitted when a
    subscriber applies for another."""
    if profile.subject_class is SubjectClass.AUTHORITY:
        raise NotFound(f"no profile {new.profile[:100]!r} can be applied for")
    return Application(
        id=tx.new_id(),
        number=number,
        owner=_owner(tx, actor, new.owner),
        centre=_centre(tx, actor, new.centre),
        profile=profile.key,
        profile_version=profile.version,
        profile_digest=profile.digest,
        approvals_required=profile.approvals,
        subject=tidied(new.subject),
        san=new.san,
        identification=new.identification,
        replaces=None if new.replaces is None else _imported(tx, actor, new.replaces),
        state_since=tx.now,
        created_at=tx.now,
    )


def _imported(tx: Transaction, actor: Actor, replaces: UUID) -> UUID:
    certificate = tx.certificates.get(replaces, seen_by=actor.visibility)
    if certificate.import_id is None:
        raise InvalidInput(
            "only an imported certificate is replaced so", fields={"replaces": "report its loss instead"}
        )
    if tx.applications.open_replacement_of(replaces) is not None:
        raise Duplicate("an application for a certificate in place of this one is open already")
    return replaces


def _owner(tx: Transaction, actor: Actor, owner: UUID | None) -> UUID:
    if owner is None or owner == actor.id:
        if Role.SUBSCRIBER not in actor.roles:
            raise InvalidInput("name the subscriber that this application is for", fields={"owner": "required"})
        return actor.id
    if not actor.roles & {Role.OPERATOR, Role.SYSTEM}:
        raise NotPermitted("a subscriber applies in no other name than his own")
    account = tx.accounts.get(owner, seen_by=EVERYTHING)
    if Role.SUBSCRIBER not in account.roles or not account.active:
        raise InvalidInput("this account is not a subscriber's", fields={"owner": "not a subscriber"})
    return owner


def _centre(tx: Transaction, actor: Actor, centre: UUID | None) -> UUID:
    active = {one.id for one in tx.accounts.centres() if one.active}
    if Role.OPERATOR in actor.roles:
        active &= actor.centres
    if centre is None and len(active) == 1:
        return next(iter(active))
    if centre is None or centre not in active:
        raise InvalidInput("name one of the service centres", fields={"centre": "choose a service centre"})
    return centre
