"""What is to be issued: who may ask for it, and from what it is made, as one transaction saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ca_core.domain.access import Actor, Permission
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.authority import Authority, AuthorityKind, in_good_standing
from ca_core.domain.errors import ApprovalNeeded, ConfigurationError, NotPermitted, WrongState
from ca_core.domain.identifiers import Entropy, Serial
from ca_core.domain.profile import Profile
from ca_core.services.certificate_content import partition_of
from ca_core.services.ports import Profiles
from ca_core.services.row import unless_stale
from ca_core.services.ticket import Ticket, prepare
from ca_core.x509.request import CertificationRequest


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One certificate that somebody asks for."""

    actor: Actor
    application: UUID
    version: int | None = None
    """Of the application's row as the caller saw it, and with it the request whose key is certified; None takes any."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a ticket is made from."""

    application: Application
    profile: Profile
    issuer: Authority
    at: datetime

    def ticket(self, *, base_url: str, entropy: Entropy) -> Ticket:
        """Compose and lint under a new serial number; errors as of :func:`~ca_core.services.ticket.prepare`."""
        application = self.application
        assert application.request_der is not None
        serial = Serial.random(entropy)
        return prepare(
            self.profile,
            self.issuer,
            serial=serial,
            partition=partition_of(serial, self.issuer.partitions),
            subject=application.subject,
            san=application.san,
            identification=application.identification,
            public_key_info=CertificationRequest.parse(application.request_der).public_key_info,
            base_url=base_url,
            now=self.at,
        )


def order_of(
    wanted: Wanted, application: Application, *, profiles: Profiles, authorities: Sequence[Authority], at: datetime
) -> Order:
    """The order, if the application is so far. ApprovalNeeded, WrongState, StaleVersion; ConfigurationError when no
    authority issues for its profile."""
    if application.state in (ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW, ApplicationState.APPROVED_FIRST):
        raise ApprovalNeeded(f"application {application.number} is not approved yet")
    if application.state is not ApplicationState.REQUEST_RECEIVED:
        raise WrongState(
            f"application {application.number} is {application.state.value}; "
            "a certificate is issued once its certification request is in"
        )
    unless_stale(application, wanted.version)
    profile = profiles.pinned(application)
    return Order(application=application, profile=profile, issuer=_issuer(authorities, profile, at), at=at)


def require_right(actor: Actor, application: Application) -> None:
    """NotPermitted for whoever may not have this application's certificate issued."""
    if application.owner != actor.id:
        actor.require(Permission.CERTIFICATE_ISSUE)
    elif not (actor.may(Permission.CERTIFICATE_REQUEST) or actor.may(Permission.CERTIFICATE_ISSUE)):
        raise NotPermitted("this token may not ask for certificates")


def _issuer(everyone: Sequence[Authority], profile: Profile, at: datetime) -> Authority:
    """The issuing authority for that profile: in good standing, of the same environment (invariant 17), the newest."""
    fitting = [
        one
        for one in everyone
        if one.kind is AuthorityKind.ISSUING
        and in_good_standing(one, everyone)
        and one.environment is profile.environment
        and one.not_before <= at < one.not_after
    ]
    if not fitting:
        raise ConfigurationError(
            f"no active issuing authority for {profile.environment.value} profiles; run: pechatnik ca init"
        )
    return max(fitting, key=lambda one: one.not_after)
