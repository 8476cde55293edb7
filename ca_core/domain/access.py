"""Who may do what. Deny by default (invariant 13): a right exists only where a role or token scope names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ca_core.domain.errors import NotPermitted


class Permission(StrEnum):
    """One right, named ``object.verb``; also the scope names of API tokens."""

    APPLICATION_CREATE = "application.create"
    APPLICATION_EDIT = "application.edit"
    APPLICATION_VIEW = "application.view"
    APPLICATION_REVIEW = "application.review"
    APPLICATION_APPROVE = "application.approve"
    DOCUMENT_UPLOAD = "document.upload"
    DOCUMENT_VIEW = "document.view"
    CERTIFICATE_VIEW = "certificate.view"
    CERTIFICATE_VERIFY = "certificate.verify"
    """Have a certificate of anybody judged."""
    CERTIFICATE_REQUEST = "certificate.request"
    CERTIFICATE_ISSUE = "certificate.issue"
    CERTIFICATE_HOLD = "certificate.hold"
    CERTIFICATE_UNHOLD = "certificate.unhold"
    CERTIFICATE_REVOKE = "certificate.revoke"
    CERTIFICATE_REVOKE_MANY = "certificate.revoke-many"
    """Show and ask for a mass revocation."""
    CERTIFICATE_REVOKE_APPROVE = "certificate.revoke-approve"
    """Approve one that somebody else asked for."""
    CERTIFICATE_REPLACE = "certificate.replace"
    CERTIFICATE_IMPORT = "certificate.import"
    AUTHORITY_VIEW = "authority.view"
    AUTHORITY_MANAGE = "authority.manage"
    CRL_ISSUE = "crl.issue"
    OCSP_MANAGE = "ocsp.manage"
    TIMESTAMP_ISSUE = "timestamp.issue"
    TIMESTAMP_VIEW = "timestamp.view"
    """Of tokens that one asked for oneself; of all where one sees every centre."""
    TIMESTAMP_MANAGE = "timestamp.manage"
    STATUS_FOLLOW = "status.follow"
    """Fetch every answer that stands ready, as a status node does."""
    ACCOUNT_VIEW = "account.view"
    ACCOUNT_MANAGE = "account.manage"
    TOKEN_MANAGE = "token.manage"  # noqa: S105 - a right, not a token
    """Of one's own account: every role has it; an API token has it only where it was named."""
    CENTRE_MANAGE = "centre.manage"
    KEY_BLOCK = "key.block"
    JOB_VIEW = "job.view"
    JOB_MANAGE = "job.manage"
    AUDIT_VIEW = "audit.view"
    AUDIT_EXPORT = "audit.export"
    AUDIT_SEAL = "audit.seal"


P = Permission


class Role(StrEnum):
    """What an account is trusted with."""

    SUBSCRIBER = "subscriber"
    OPERATOR = "operator"
    """Registration operator in one or more service centres."""
    REVIEWER = "reviewer"
    """Second reviewer: approves after an operator did, in every centre."""
    SECURITY_OFFICER = "security-officer"
    """Lists and responders, revocation, blocked keys. Authorities are made and revoked at the machine alone."""
    AUDITOR = "auditor"
    SUPPORT = "support"
    ADMINISTRATOR = "administrator"
    """Accounts and centres; neither applications' documents nor keys."""
    SYSTEM = "system"
    """The worker and the command line of whoever owns the machine and the configuration."""


ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.SUBSCRIBER: frozenset(
        {
            P.APPLICATION_CREATE,
            P.APPLICATION_EDIT,
            P.APPLICATION_VIEW,
            P.DOCUMENT_UPLOAD,
            P.DOCUMENT_VIEW,
            P.CERTIFICATE_VIEW,
            P.CERTIFICATE_VERIFY,
            P.CERTIFICATE_REQUEST,
            P.CERTIFICATE_HOLD,
            P.CERTIFICATE_REVOKE,
            P.CERTIFICATE_REPLACE,
            P.TIMESTAMP_ISSUE,
            P.TIMESTAMP_VIEW,
            P.TOKEN_MANAGE,
        }
    ),
    Role.OPERATOR: frozenset(
        {
            P.APPLICATION_CREATE,
            P.APPLICATION_EDIT,
            P.APPLICATION_VIEW,
            P.APPLICATION_REVIEW,
            P.APPLICATION_APPROVE,
            P.DOCUMENT_UPLOAD,
            P.DOCUMENT_VIEW,
            P.CERTIFICATE_VIEW,
            P.CERTIFICATE_VERIFY,
            P.CERTIFICATE_REQUEST,
            P.CERTIFICATE_ISSUE,
            P.CERTIFICATE_HOLD,
            P.CERTIFICATE_UNHOLD,
            P.CERTIFICATE_REVOKE,
            P.CERTIFICATE_REPLACE,
            P.TIMESTAMP_ISSUE,
            P.TIMESTAMP_VIEW,
            P.TOKEN_MANAGE,
        }
    ),
    Role.REVIEWER: frozenset(
        {
            P.APPLICATION_VIEW,
            P.APPLICATION_REVIEW,
            P.APPLICATION_APPROVE,
            P.DOCUMENT_VIEW,
            P.CERTIFICATE_VIEW,
            P.CERTIFICATE_VERIFY,
            P.CERTIFICATE_ISSUE,
            P.CERTIFICATE_HOLD,
            P.CERTIFICATE_REVOKE,
            P.CERTIFICATE_REVOKE_APPROVE,
            P.TIMESTAMP_ISSUE,
            P.TOKEN_MANAGE,
        }
    ),
    Role.SECURITY_OFFICER: frozenset(
        {
            P.APPLICATION_VIEW,
            P.CERTIFICATE_VIEW,
            P.CERTIFICATE_VERIFY,
            P.CERTIFICATE_HOLD,
            P.CERTIFICATE_UNHOLD,
            P.CERTIFICATE_REVOKE,
            P.CERTIFICATE_REVOKE_MANY,
            P.CERTIFICATE_REVOKE_APPROVE,
            P.CERTIFICATE_IMPORT,
            P.AUTHORITY_VIEW,
            P.CRL_ISSUE,
            P.OCSP_MANAGE,
            P.STATUS_FOLLOW,
            P.KEY_BLOCK,
            P.JOB_VIEW,
            P.JOB_MANAGE,
            P.AUDIT_VIEW,
            P.AUDIT_SEAL,
            P.TIMESTAMP_ISSUE,
            P.TIMESTAMP_VIEW,
            P.TIMESTAMP_MANAGE,
            P.TOKEN_MANAGE,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            P.APPLICATION_VIEW,
            P.DOCUMENT_VIEW,
            P.CERTIFICATE_VIEW,
            P.CERTIFICATE_VERIFY,
            P.AUTHORITY_VIEW,
            P.ACCOUNT_VIEW,
            P.JOB_VIEW,
            P.AUDIT_VIEW,
            P.AUDIT_EXPORT,
            P.TIMESTAMP_VIEW,
            P.TOKEN_MANAGE,
        }
    ),
    Role.SUPPORT: frozenset({P.APPLICATION_VIEW, P.CERTIFICATE_VIEW, P.CERTIFICATE_VERIFY, P.TOKEN_MANAGE}),
    Role.ADMINISTRATOR: frozenset(
        {P.ACCOUNT_VIEW, P.ACCOUNT_MANAGE, P.CENTRE_MANAGE, P.AUTHORITY_VIEW, P.JOB_VIEW, P.TOKEN_MANAGE}
    ),
    # The system keeps time, publishes and initialises; it decides on no application.
    Role.SYSTEM: frozenset(P) - {P.APPLICATION_REVIEW, P.APPLICATION_APPROVE, P.CERTIFICATE_REVOKE_APPROVE},
}

PRIVILEGED = frozenset({Role.OPERATOR, Role.REVIEWER, Role.SECURITY_OFFICER, Role.ADMINISTRATOR, Role.SYSTEM})
"""Roles that one administrator does not give alone."""
SEES_EVERY_CENTRE = frozenset(
    {Role.REVIEWER, Role.SECURITY_OFFICER, Role.AUDITOR, Role.SUPPORT, Role.ADMINISTRATOR, Role.SYSTEM}
)


@dataclass(frozen=True, kw_only=True)
class Visibility:
    """Which rows a caller may fetch; storage turns it into the filter of every query (invariant 13)."""

    everything: bool = False
    centres: frozenset[UUID] = frozenset()
    owner: UUID | None = None

    def covers(self, *, owner: UUID, centre: UUID | None) -> bool:
        """Whether an object with this owner and service centre is visible."""
        return self.everything or owner == self.owner or (centre is not None and centre in self.centres)


EVERYTHING = Visibility(everything=True)
"""For the authority's own work, after the right was asked for."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Whoever asks: an account, through whichever face, with the roles it had when it logged in."""

    id: UUID
    name: str
    """For audit display; an account's login name, or ``system``."""
    roles: frozenset[Role]
    centres: frozenset[UUID] = frozenset()
    scopes: frozenset[Permission] | None = None
    """Rights of the API token in use; None for a log-in. A scope narrows, it never adds."""
    token: UUID | None = None
    """The API token in use."""

    @property
    def permissions(self) -> frozenset[Permission]:
        granted = frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in self.roles))
        return granted if self.scopes is None else granted & self.scopes

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise :class:`NotPermitted` unless the caller has the right."""
        if permission not in self.permissions:
            lacking = "your roles do not give" if self.scopes is None else "this API token does not give"
            raise NotPermitted(f"this needs the right {permission.value!r}, which {lacking}")

    @property
    def visibility(self) -> Visibility:
        """Subscribers see their own, operators their centres, the rest everything their rights let them open.

        The centre limit wins: what one role may see must not widen what the operator's rights work on."""
        return Visibility(
            everything=bool(self.roles & SEES_EVERY_CENTRE) and Role.OPERATOR not in self.roles,
            centres=self.centres if Role.OPERATOR in self.roles else frozenset(),
            owner=self.id,
        )


SYSTEM_ACTOR = Actor(id=UUID(int=0), name="system", roles=frozenset({Role.SYSTEM}))
"""The worker's own identity in the audit."""
