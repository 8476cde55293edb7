"""The authority's own keys and certificates: root, issuing authority, short-lived OCSP responders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState
from ca_core.domain.errors import Duplicate, InvalidInput
from ca_core.domain.work import Job
from ca_core.services.founding import Founding
from ca_core.services.ports import Transactions
from ca_core.x509.algorithm import key_algorithm_of
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.name import Name

ELSEWHERE = AuthorityState.ELSEWHERE
_KEPT = {"C": "2.5.4.6", "O": "2.5.4.10"}
"""Attributes of its issuer's name that a new responder's has too."""


class AuthorityOffice:
    """Makes, renews and lists authorities."""

    def __init__(self, transactions: Transactions, founding: Founding) -> None:
        self._transactions = transactions
        self._founding = founding

    def list(self, actor: Actor) -> Sequence[Authority]:
        """All of them, retired ones too."""
        actor.require(Permission.AUTHORITY_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.authorities.all()

    def initialise(
        self,
        actor: Actor,
        *,
        organization: str,
        country: str,
        root_algorithm: KeyAlgorithm,
        issuing_algorithm: KeyAlgorithm,
        responder_algorithm: KeyAlgorithm,
        partitions: int,
    ) -> Sequence[Authority]:
        """Root, issuing authority and responder. What an interrupted call made already is taken as it is.

        Duplicate when all of them exist. ``partitions`` of the issuing authority's CRL are fixed for life."""
        actor.require(Permission.AUTHORITY_MANAGE)
        if not 0 <= partitions <= 65_535:
            raise InvalidInput("partitions: 0 for one list, or up to 65535")
        with self._transactions.read(actor) as tx:
            present = {one.name: one for one in tx.authorities.all()}
        if {"root", "issuing", "ocsp-1"} <= present.keys():
            raise Duplicate("the authorities exist already; 'pechatnik ca show' lists them")

        def subject(name: str) -> dict[str, str]:
            return {"C": country, "O": organization, "CN": f"{organization} {name}"}

        found = partial(self._founding.found, actor)
        root = present.get("root") or found("root", AuthorityKind.ROOT, root_algorithm, subject("Root CA"), parent=None)
        issuing = present.get("issuing") or found(
            "issuing",
            AuthorityKind.ISSUING,
            issuing_algorithm,
            subject("Issuing CA"),
            parent=root,
            partitions=partitions,
        )
        responder = present.get("ocsp-1") or found(
            "ocsp-1",
            AuthorityKind.OCSP_RESPONDER,
            responder_algorithm,
            subject("OCSP responder 1"),
            parent=issuing,
        )
        return root, issuing, responder

    def renew_responders(self, actor: Actor) -> int:
        """Give every issuing authority a new responder once two thirds of the old one's time are over, and retire
        responders that have ended. Returns how many were made."""
        actor.require(Permission.OCSP_MANAGE)
        with self._transactions.begin(actor) as tx:
            everyone = tx.authorities.all()
            now = tx.now
            for one in everyone:
                if (
                    one.kind is AuthorityKind.OCSP_RESPONDER
                    and one.state is AuthorityState.ACTIVE
                    and one.not_after <= now
                ):
                    tx.authorities.replace(replace(one, state=AuthorityState.RETIRED))
                    tx.audit.record("authority.retired", "authority", one.id, name=one.name)
        responders = [one for one in everyone if one.kind is AuthorityKind.OCSP_RESPONDER]
        active = [one for one in responders if one.state is AuthorityState.ACTIVE]
        renewed = 0
        for issuer in everyone:
            if issuer.kind is not AuthorityKind.ISSUING or issuer.not_after <= now or issuer.state is ELSEWHERE:
                continue
            latest = max(
                (one for one in active if one.parent == issuer.id), key=lambda one: one.not_after, default=None
            )
            if latest is not None and latest.not_after - now > (latest.not_after - latest.not_before) / 3:
                continue
            number = len(responders) + renewed + 1
            like = latest or issuer
            algorithm = key_algorithm_of(SignedCertificate.parse(like.certificate).public_key_info)
            name = Name.parse(SignedCertificate.parse(issuer.certificate).subject)
            subject = {short: value for short, oid in _KEPT.items() if (value := name.first(oid)) is not None}
            subject["CN"] = f"{subject.get('O', issuer.name)} OCSP responder {number}"
            self._founding.found(
                actor, f"ocsp-{number}", AuthorityKind.OCSP_RESPONDER, algorithm, subject, parent=issuer
            )
            renewed += 1
        return renewed

    def renew_now(self, _: Job) -> None:
        """Handler of the job ``responders``: a responder was revoked, and answers wait for its successor."""
        self.renew_responders(SYSTEM_ACTOR)
