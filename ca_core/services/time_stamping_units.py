"""Time-stamping authorities: a key that stamps and does nothing else, made under an issuing authority, and renewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from ca_core.domain.access import Actor, Permission
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState, in_good_standing
from ca_core.domain.errors import Duplicate, InvalidInput, WrongState
from ca_core.domain.profile import Profile
from ca_core.services.founding import PROFILES, Founding
from ca_core.services.ports import Profiles, Transactions
from ca_core.x509.algorithm import key_algorithm_of
from ca_core.x509.certificate import SignedCertificate, read_issuer
from ca_core.x509.extension_values import key_period_of
from ca_core.x509.name import Name

PROFILE = PROFILES[AuthorityKind.TSA]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A time-stamping authority and what its certificate says."""

    authority: Authority

    @cached_property
    def certificate(self) -> SignedCertificate:
        return read_issuer(self.authority.certificate)

    @property
    def signs_until(self) -> datetime:
        """When its key's time ends, which is before its certificate's."""
        return key_period_of(self.certificate)[1]

    def is_due(self, now: datetime) -> bool:
        """Whether two thirds of its key's time are over."""
        begin, end = key_period_of(self.certificate)
        return end - now <= (end - begin) / 3


class TimeStampingUnits:
    """Makes and renews them. A new one stamps at once; the old one's key rests then, and is retired when it ends."""

    def __init__(self, transactions: Transactions, founding: Founding, profiles: Profiles) -> None:
        self._transactions = transactions
        self._founding = founding
        self._profiles = profiles

    def make(
        self,
        actor: Actor,
        issuer_name: str,
        *,
        algorithm: KeyAlgorithm,
        profile: str = PROFILE,
        subject: Mapping[str, str] | None = None,
        pretend: bool = False,
    ) -> Authority | None:
        """One under that issuing authority; what ``subject`` leaves out it has from its issuer's name. With ``pretend``
        only look whether it could be made, and give None.

        Duplicate while the issuer has one that signs, InvalidInput for a profile that is not for time-stamping,
        WrongState for an issuer that issues nothing."""
        actor.require(Permission.AUTHORITY_MANAGE)
        with self._transactions.read(actor) as tx:
            everyone, now = tx.authorities.all(), tx.now
            issuer = tx.authorities.by_name(issuer_name)
        if issuer.kind is not AuthorityKind.ISSUING or not in_good_standing(issuer, everyone):
            raise WrongState(f"{issuer.name} issues no certificates; name an issuing authority in good standing")
        chosen = self._profiles.profile(profile, on=now.date())
        if not _stamps(chosen):
            raise InvalidInput(f"the profile {profile} is not for time-stamping alone")
        for unit in _active(everyone):
            if unit.authority.parent == issuer.id and unit.signs_until > now:
                raise Duplicate(
                    f"{unit.authority.name} stamps under {issuer.name} until {unit.signs_until.date().isoformat()}; "
                    "the worker renews it in time"
                )
        if pretend:
            return None
        return self._found(actor, everyone, issuer, algorithm, chosen, _inherited(chosen, issuer) | dict(subject or {}))

    def renew(self, actor: Actor) -> int:
        """Give every issuing authority that has one a new one when two thirds of the key's time are over, and retire
        those whose key's time has ended. Returns how many were made."""
        actor.require(Permission.TIMESTAMP_MANAGE)
        with self._transactions.begin(actor) as tx:
            everyone, now = list(tx.authorities.all()), tx.now
            active = _active(everyone)
            profiles = {
                one.id: one.profile for one in tx.certificates.among({u.authority.certificate_id for u in active})
            }
            for unit in active:
                if unit.signs_until <= now:
                    tx.authorities.replace(replace(unit.authority, state=AuthorityState.RETIRED))
                    tx.audit.record("authority.retired", "authority", unit.authority.id, name=unit.authority.name)
        renewed = 0
        for issuer in everyone:
            latest = max(
                (unit for unit in active if unit.authority.parent == issuer.id),
                key=lambda unit: unit.signs_until,
                default=None,
            )
            if latest is None or not latest.is_due(now) or not in_good_standing(issuer, everyone):
                continue
            profile = self._profiles.profile(profiles[latest.authority.certificate_id], on=now.date())
            algorithm = key_algorithm_of(latest.certificate.public_key_info)
            subject = _inherited(profile, latest.authority)
            everyone.append(self._found(actor, everyone, issuer, algorithm, profile, subject))
            renewed += 1
        return renewed

    def _found(
        self,
        actor: Actor,
        everyone: Sequence[Authority],
        issuer: Authority,
        algorithm: KeyAlgorithm,
        profile: Profile,
        subject: Mapping[str, str],
    ) -> Authority:
        number = sum(one.kind is AuthorityKind.TSA for one in everyone) + 1
        named = {**subject, "CN": f"{subject.get('O', issuer.name)} TSA {number}"[:64]}
        return self._founding.found(
            actor, f"tsa-{number}", AuthorityKind.TSA, algorithm, named, parent=issuer, profile=profile.key
        )


def _active(everyone: Sequence[Authority]) -> Sequence[Unit]:
    return [
        Unit(authority=one) for one in everyone if one.kind is AuthorityKind.TSA and one.state is AuthorityState.ACTIVE
    ]


def _stamps(profile: Profile) -> bool:
    purposes = (rule.parameters.get("purposes") for rule in profile.extensions if rule.kind == "extended_key_usage")
    return list(purposes) == [["timeStamping"]]


def _inherited(profile: Profile, former: Authority) -> dict[str, str]:
    """What the profile's subject has in common with the name of another authority."""
    name = Name.parse(read_issuer(former.certificate).subject)
    return {
        rule.name: value
        for rule in profile.subject
        if rule.fixed is None and (value := name.first(rule.oid)) is not None
    }
