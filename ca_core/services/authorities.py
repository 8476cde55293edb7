"""The authority's own keys and certificates: root, issuing authority, short-lived OCSP responders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState
from ca_core.domain.errors import Duplicate, InvalidInput
from ca_core.domain.identifiers import Entropy, Serial
from ca_core.domain.profile import Environment
from ca_core.domain.work import Job
from ca_core.services.ports import KeyStore, Profiles, Transactions
from ca_core.services.signing import sign_certificate
from ca_core.services.ticket import prepare, record_intent, record_signature
from ca_core.x509.algorithm import key_algorithm_of, public_key_identifier
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.name import Name

PROFILES: Mapping[AuthorityKind, str] = {
    AuthorityKind.ROOT: "private/root-ca",
    AuthorityKind.ISSUING: "private/issuing-ca",
    AuthorityKind.OCSP_RESPONDER: "private/ocsp-responder",
}
"""What the certificate of each kind of authority looks like."""
_KEPT = {"C": "2.5.4.6", "O": "2.5.4.10"}
"""Attributes of its issuer's name that a new responder's has too."""


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """An authority that has its key, and no certificate yet."""

    id: UUID
    name: str
    kind: AuthorityKind
    key_reference: str
    signature_algorithm: SignatureAlgorithm
    public_key_info: bytes
    certificate: None = None

    @property
    def key_identifier(self) -> bytes:
        return public_key_identifier(self.public_key_info)


class AuthorityOffice:
    """Makes and renews authorities. Their intents go the way of every certificate's (invariants 1 to 4)."""

    def __init__(
        self,
        transactions: Transactions,
        profiles: Profiles,
        keys: KeyStore,
        *,
        environment: Environment,
        base_url: str,
        entropy: Entropy,
    ) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._keys = keys
        self._environment = environment
        self._base_url = base_url.rstrip("/")
        self._entropy = entropy

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

        root = present.get("root") or self._certify(
            actor, self._candidate(actor, "root", AuthorityKind.ROOT, root_algorithm), subject("Root CA"), parent=None
        )
        issuing = present.get("issuing") or self._certify(
            actor,
            self._candidate(actor, "issuing", AuthorityKind.ISSUING, issuing_algorithm),
            subject("Issuing CA"),
            parent=root,
            partitions=partitions,
        )
        responder = present.get("ocsp-1") or self._certify(
            actor,
            self._candidate(actor, "ocsp-1", AuthorityKind.OCSP_RESPONDER, responder_algorithm),
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
            if issuer.kind is not AuthorityKind.ISSUING or issuer.not_after <= now:
                continue
            latest = max(
                (one for one in active if one.parent == issuer.id), key=lambda one: one.not_after, default=None
            )
            if latest is not None and latest.not_after - now > (latest.not_after - latest.not_before) / 3:
                continue
            number = len(responders) + renewed + 1
            like = latest or issuer
            algorithm = key_algorithm_of(SignedCertificate.parse(like.certificate).public_key_info)
            candidate = self._candidate(actor, f"ocsp-{number}", AuthorityKind.OCSP_RESPONDER, algorithm)
            name = Name.parse(SignedCertificate.parse(issuer.certificate).subject)
            subject = {short: value for short, oid in _KEPT.items() if (value := name.first(oid)) is not None}
            common_name = f"{subject.get('O', issuer.name)} OCSP responder {number}"
            self._certify(actor, candidate, {**subject, "CN": common_name}, parent=issuer)
            renewed += 1
        return renewed

    def renew_now(self, _: Job) -> None:
        """Handler of the job ``responders``: a responder was revoked, and answers wait for its successor."""
        self.renew_responders(SYSTEM_ACTOR)

    def _candidate(self, actor: Actor, name: str, kind: AuthorityKind, algorithm: KeyAlgorithm) -> _Candidate:
        """With a new key; one that an interrupted call left behind without a certificate is not used again."""
        with self._transactions.read(actor) as tx:
            id = tx.new_id()
        taken = set(self._keys.references())
        reference = next(one for one in (name, *(f"{name}.{n}" for n in range(2, 1000))) if one not in taken)
        return _Candidate(
            id=id,
            name=name,
            kind=kind,
            key_reference=reference,
            signature_algorithm=DEFAULT_SIGNATURE[algorithm],
            public_key_info=self._keys.generate(reference, algorithm),
        )

    def _certify(
        self,
        actor: Actor,
        candidate: _Candidate,
        subject: Mapping[str, str],
        *,
        parent: Authority | None,
        partitions: int = 0,
    ) -> Authority:
        """Without parent it signs itself."""
        issuer = parent or candidate
        with self._transactions.read(actor) as tx:
            now = tx.now
        ticket = prepare(
            self._profiles.profile(PROFILES[candidate.kind], on=now.date()),
            issuer,
            serial=Serial.random(self._entropy),
            subject=subject,
            public_key_info=candidate.public_key_info,
            base_url=self._base_url,
            now=now,
        )
        with self._transactions.begin(actor) as tx:
            intent = record_intent(tx, ticket, authority=candidate.name)
        signer = self._keys.signer(issuer.key_reference, issuer.signature_algorithm)
        signed = sign_certificate(ticket.content.linted, signer)
        with self._transactions.begin(actor) as tx:
            record_signature(tx, intent, signed)
            authority = Authority(
                id=candidate.id,
                name=candidate.name,
                kind=candidate.kind,
                parent=parent.id if parent else None,
                environment=self._environment,
                key_reference=candidate.key_reference,
                signature_algorithm=candidate.signature_algorithm,
                certificate=signed.der,
                certificate_id=intent.id,
                key_identifier=candidate.key_identifier,
                partitions=partitions,
                not_before=intent.not_before,
                not_after=intent.not_after,
                created_at=tx.now,
            )
            tx.authorities.add(authority)
            tx.audit.record(
                "authority.created",
                "authority",
                authority.id,
                name=authority.name,
                sha256=signed.sha256.hex(),
                certificate=str(intent.id),
                key=intent.spki_sha256.hex(),
                key_reference=authority.key_reference,
            )
        return authority
