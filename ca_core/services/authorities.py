"""The authority's own keys and certificates: root, issuing authority, short-lived OCSP responders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.errors import Duplicate, InvalidInput
from ca_core.domain.identifiers import Entropy, Serial
from ca_core.domain.profile import Environment
from ca_core.domain.work import Job
from ca_core.services.certificate_content import compose, urls_of
from ca_core.services.ports import KeyStore, Profiles, Transactions
from ca_core.services.signing import sign_certificate
from ca_core.x509.algorithm import key_algorithm_of, public_key_identifier, signature_algorithm_identifier
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
class _Key:
    """A key that exists, for an authority that is to be certified."""

    name: str
    kind: AuthorityKind
    reference: str
    algorithm: SignatureAlgorithm
    public_key_info: bytes


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
            actor, self._key("root", AuthorityKind.ROOT, root_algorithm), subject("Root CA"), parent=None
        )
        issuing = present.get("issuing") or self._certify(
            actor,
            self._key("issuing", AuthorityKind.ISSUING, issuing_algorithm),
            subject("Issuing CA"),
            parent=root,
            partitions=partitions,
        )
        responder = present.get("ocsp-1") or self._certify(
            actor,
            self._key("ocsp-1", AuthorityKind.OCSP_RESPONDER, responder_algorithm),
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
            key = self._key(f"ocsp-{number}", AuthorityKind.OCSP_RESPONDER, algorithm)
            name = Name.parse(SignedCertificate.parse(issuer.certificate).subject)
            subject = {short: value for short, oid in _KEPT.items() if (value := name.first(oid)) is not None}
            self._certify(
                actor, key, {**subject, "CN": f"{subject.get('O', issuer.name)} OCSP responder {number}"}, parent=issuer
            )
            renewed += 1
        return renewed

    def renew_now(self, _: Job) -> None:
        """Handler of the job ``responders``: a responder was revoked, and answers wait for its successor."""
        self.renew_responders(SYSTEM_ACTOR)

    def _key(self, name: str, kind: AuthorityKind, algorithm: KeyAlgorithm) -> _Key:
        """A new key; one that an interrupted call left behind without a certificate is not used again."""
        taken = set(self._keys.references())
        reference = next(one for one in (name, *(f"{name}.{n}" for n in range(2, 1000))) if one not in taken)
        return _Key(
            name=name,
            kind=kind,
            reference=reference,
            algorithm=DEFAULT_SIGNATURE[algorithm],
            public_key_info=self._keys.generate(reference, algorithm),
        )

    def _certify(
        self, actor: Actor, key: _Key, subject: Mapping[str, str], *, parent: Authority | None, partitions: int = 0
    ) -> Authority:
        signing = parent.signature_algorithm if parent else key.algorithm
        serial = Serial.random(self._entropy)
        with self._transactions.begin(actor) as tx:
            profile = self._profiles.profile(PROFILES[key.kind], on=tx.now.date())
            own_id = tx.new_id()
            content = compose(
                profile,
                issuer_certificate=parent.certificate if parent else None,
                signature_algorithm=signature_algorithm_identifier(signing),
                subject=subject,
                public_key_info=key.public_key_info,
                serial=serial,
                now=tx.now,
                urls=urls_of(parent, base=self._base_url, partition=0) if parent else {},
            )
            intent = Certificate(
                id=tx.new_id(),
                issuer=parent.id if parent else own_id,
                serial=serial,
                profile=profile.key,
                profile_version=profile.version,
                profile_digest=profile.digest,
                application=None,
                approval_digest=None,
                owner=SYSTEM_ACTOR.id,
                centre=None,
                subject=content.subject,
                tbs=content.linted.der,
                tbs_sha256=content.linted.sha256,
                spki_sha256=hashlib.sha256(key.public_key_info).digest(),
                not_before=content.not_before,
                not_after=content.not_after,
                created_at=tx.now,
            )
            tx.certificates.add(intent)
            tx.audit.record(
                "certificate.intent",
                "certificate",
                intent.id,
                authority=key.name,
                serial=serial.hex,
                tbs=intent.tbs_sha256.hex(),
                profile=profile.digest.hex(),
                profile_name=f"{profile.key} {profile.version}",
                issuer=str(intent.issuer),
                issuer_key=(parent.key_identifier if parent else public_key_identifier(key.public_key_info)).hex(),
                algorithm=signing.value,
                key=intent.spki_sha256.hex(),
            )
        reference = parent.key_reference if parent else key.reference
        signed = sign_certificate(content.linted, self._keys.signer(reference, signing))
        with self._transactions.begin(actor) as tx:
            authority = Authority(
                id=own_id,
                name=key.name,
                kind=key.kind,
                parent=parent.id if parent else None,
                environment=self._environment,
                key_reference=key.reference,
                signature_algorithm=key.algorithm,
                certificate=signed.der,
                certificate_id=intent.id,
                key_identifier=public_key_identifier(key.public_key_info),
                partitions=partitions,
                not_before=content.not_before,
                not_after=content.not_after,
                created_at=tx.now,
            )
            tx.certificates.replace(
                replace(intent, state=CertificateState.ISSUED, der=signed.der, sha256=signed.sha256, issued_at=tx.now)
            )
            tx.authorities.add(authority)
            tx.audit.record(
                "certificate.issued", "certificate", intent.id, serial=serial.hex, sha256=signed.sha256.hex()
            )
            tx.audit.record(
                "authority.created",
                "authority",
                authority.id,
                name=key.name,
                sha256=signed.sha256.hex(),
                certificate=str(intent.id),
                key=intent.spki_sha256.hex(),
                key_reference=key.reference,
            )
        return authority
