"""Takes over an authority that another software ran: its certificate, its key where that is here, and its last list."""

from __future__ import annotations

import hashlib
from uuid import UUID

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.algorithms import DEFAULT_SIGNATURE
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState, PublishedCrl
from ca_core.domain.errors import Duplicate, InvalidInput, NotFound
from ca_core.domain.identifiers import Serial
from ca_core.domain.profile import Environment
from ca_core.services.certificates import issuer_of
from ca_core.services.examination import read_certificate
from ca_core.services.former_status import read_list
from ca_core.services.import_stretch import add_import
from ca_core.services.ports import KeyStore, Transaction, Transactions
from ca_core.x509.algorithm import key_algorithm_of, public_key_identifier
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.certificate_fields import read_fields
from ca_core.x509.crl import CertificateList
from ca_core.x509.signature import verify_signature

LARGEST_NUMBER = (1 << 63) - 1
"""Of a list, that the database counts on from."""


class AuthorityImport:
    """From the root downwards, so that each finds its issuer here."""

    def __init__(self, transactions: Transactions, keys: KeyStore, *, environment: Environment) -> None:
        self._transactions = transactions
        self._keys = keys
        self._environment = environment

    def take_in(
        self,
        actor: Actor,
        name: str,
        certificate: bytes,
        *,
        key_reference: str | None = None,
        private_key: bytes | None = None,
        passphrase: bytes | None = None,
        last_list: bytes | None = None,
    ) -> Authority:
        """With ``private_key`` (PKCS#8 in PEM), or the reference of a key that the key store has already; without
        both its key is elsewhere: it stands above others and signs nothing.

        ``last_list`` is published as it is: numbers go on from its own, and no list follows that lacks what it names.
        NotFound unless the issuer is here, InvalidInput for what is no authority's certificate or not its key."""
        actor.require(Permission.AUTHORITY_MANAGE)
        own = SignedCertificate.parse(certificate)
        _require_authority(own)
        crl = None if last_list is None else _numbered(read_list(last_list, own))
        with self._transactions.read(actor) as tx:
            if any(one.name == name for one in tx.authorities.all()):
                raise Duplicate(f"there is an authority named {name} already")
            parent = _parent(tx, own)
            id = tx.new_id()
        here = key_reference is not None or private_key is not None
        reference = self._key(own, key_reference or name, private_key, passphrase) if here else name
        if crl is not None and not here:
            raise InvalidInput("a list goes on only where the key is: name the key as well")
        with self._transactions.begin(actor) as tx:
            authority = Authority(
                id=id,
                name=name,
                kind=AuthorityKind.ROOT if parent is None else AuthorityKind.ISSUING,
                state=AuthorityState.ACTIVE if here else AuthorityState.ELSEWHERE,
                parent=None if parent is None else parent.id,
                environment=self._environment,
                key_reference=reference,
                signature_algorithm=DEFAULT_SIGNATURE[key_algorithm_of(own.public_key_info)],
                certificate=own.der,
                certificate_id=_add_certificate(tx, own, issuer=id if parent is None else parent.id),
                key_identifier=public_key_identifier(own.public_key_info),
                not_before=own.not_before,
                not_after=own.not_after,
                created_at=tx.now,
            )
            tx.authorities.add(authority)
            _record(tx, authority)
            if crl is not None:
                _publish(tx, authority, crl)
        return authority

    def _key(self, own: SignedCertificate, reference: str, private_key: bytes | None, passphrase: bytes | None) -> str:
        """The reference of the certificate's key; one that an interrupted call brought in already is taken as it is."""
        algorithm = DEFAULT_SIGNATURE[key_algorithm_of(own.public_key_info)]
        if private_key is not None and reference not in self._keys.references():
            self._keys.take_in(reference, private_key, passphrase, public_key_info=own.public_key_info)
        if self._keys.signer(reference, algorithm).public_key_info != own.public_key_info:
            raise InvalidInput(f"the key {reference} is not the one that the certificate is over")
        return reference


def _require_authority(own: SignedCertificate) -> None:
    if not own.is_ca or (own.key_usage is not None and not {"keyCertSign", "cRLSign"} <= own.key_usage):
        raise InvalidInput("the certificate is not that of an authority which signs certificates and lists")
    if own.subject_key_identifier != public_key_identifier(own.public_key_info):
        # Its lists, its addresses and whoever it certifies are known by this identifier.
        raise InvalidInput("its subject key identifier is not that of RFC 5280 section 4.2.1.2 (1)")


def _parent(tx: Transaction, own: SignedCertificate) -> Authority | None:
    """None for a root, which signed its own certificate."""
    if own.issuer == own.subject:
        verify_signature(own.public_key_info, own.signature_algorithm, own.tbs, own.signature)
        return None
    found = issuer_of(tx, own)
    if found is None:
        raise NotFound("the authority that signed it is not here; take over that one's certificate first")
    return found


def _add_certificate(tx: Transaction, own: SignedCertificate, *, issuer: UUID) -> UUID:
    fields = read_fields(own.der)
    id = tx.new_id()
    read = read_certificate(own.der, Serial(fields.serial).hex, fields)
    add_import(tx, issuer, SYSTEM_ACTOR.id, [(id, read, None)], signatures="all")
    return id


def _record(tx: Transaction, authority: Authority) -> None:
    tx.audit.record(
        "authority.created",
        "authority",
        authority.id,
        name=authority.name,
        sha256=hashlib.sha256(authority.certificate).hexdigest(),
        certificate=str(authority.certificate_id),
        key_reference=authority.key_reference,
        kind=authority.kind.value,
        state=authority.state.value,
        environment=authority.environment.value,
        partitions=authority.partitions,
        algorithm=authority.signature_algorithm.value,
    )


def _numbered(crl: CertificateList) -> tuple[CertificateList, int]:
    if crl.number is None or crl.number > LARGEST_NUMBER:
        raise InvalidInput("the list has no number that a list here can follow (RFC 5280 section 5.2.3)")
    if crl.distribution_point_urls:
        raise InvalidInput("the list is of one partition alone; take the complete one")
    return crl, crl.number


def _publish(tx: Transaction, authority: Authority, numbered: tuple[CertificateList, int]) -> None:
    """The last list of before is the first of here: the next one may not lose what it names (invariant 8)."""
    crl, number = numbered
    published = PublishedCrl(
        id=tx.new_id(),
        authority=authority.id,
        partition=0,
        number=number,
        this_update=crl.this_update,
        next_update=crl.next_update,
        entries=sum(1 for _ in crl.encoded_entries()),
        der=crl.der,
        sha256=hashlib.sha256(crl.der).digest(),
    )
    tx.authorities.continue_crl_numbers(authority.id, number)
    tx.authorities.publish_crl(published)
    tx.audit.record(
        "crl.issued",
        "authority",
        authority.id,
        list=authority.name,
        number=number,
        entries=published.entries,
        sha256=published.sha256.hex(),
    )
