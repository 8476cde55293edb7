"""How an authority comes to be: a new key, the certificate over it, and only then its row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from ca_core.domain.access import Actor
from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.authority import Authority, AuthorityKind
from ca_core.domain.identifiers import Entropy, Serial
from ca_core.domain.profile import Environment
from ca_core.services.ports import KeyStore, Profiles, Transactions
from ca_core.services.signing import sign_certificate
from ca_core.services.ticket import intent_for, issued_for, prepare
from ca_core.x509.algorithm import public_key_identifier

PROFILES: Mapping[AuthorityKind, str] = {
    AuthorityKind.ROOT: "private/root-ca",
    AuthorityKind.ISSUING: "private/issuing-ca",
    AuthorityKind.OCSP_RESPONDER: "private/ocsp-responder",
    AuthorityKind.TSA: "private/tsa",
}
"""What the certificate of each kind of authority looks like, unless another profile is named."""


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


class Founding:
    """Intents of authorities go the way of every certificate's (invariants 1 to 4)."""

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

    def found(
        self,
        actor: Actor,
        name: str,
        kind: AuthorityKind,
        algorithm: KeyAlgorithm,
        subject: Mapping[str, str],
        *,
        parent: Authority | None,
        partitions: int = 0,
        profile: str | None = None,
    ) -> Authority:
        """With a key of its own; without parent it signs itself. A crash in between leaves a key, and an intent."""
        candidate = self._candidate(actor, name, kind, algorithm)
        issuer = parent or candidate
        with self._transactions.read(actor) as tx:
            now = tx.now
        ticket = prepare(
            self._profiles.profile(profile or PROFILES[candidate.kind], on=now.date()),
            issuer,
            serial=Serial.random(self._entropy),
            subject=subject,
            public_key_info=candidate.public_key_info,
            base_url=self._base_url,
            now=now,
        )
        with self._transactions.begin(actor) as tx:
            intent = intent_for(tx, ticket, authority=candidate.name)
            tx.certificates.add(intent)
        signer = self._keys.signer(issuer.key_reference, issuer.signature_algorithm)
        signed = sign_certificate(ticket.content.linted, signer)
        with self._transactions.begin(actor) as tx:
            tx.certificates.replace(issued_for(tx, intent, signed))
            authority = Authority(
                id=candidate.id,
                name=candidate.name,
                kind=candidate.kind,
                parent=parent.id if parent else None,
                environment=self._environment,
                key_reference=candidate.key_reference,
                signature_algorithm=candidate.signature_algorithm,
                certificate=signed,
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
                sha256=hashlib.sha256(signed).hexdigest(),
                certificate=str(intent.id),
                key=intent.spki_sha256.hex(),
                key_reference=authority.key_reference,
                kind=authority.kind.value,
                environment=authority.environment.value,
                partitions=authority.partitions,
                algorithm=authority.signature_algorithm.value,
            )
        return authority

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
