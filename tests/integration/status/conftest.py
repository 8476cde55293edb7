"""A small authority over a real database and real keys: root, issuing authority with four partitions, responder."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.authority import Authority
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason
from ca_core.domain.identifiers import Serial
from ca_core.domain.profile import Environment
from ca_core.keys.software import SoftwareKeyStore
from ca_core.keys.vault_key import SymmetricKeyStore
from ca_core.packs import shipped_packs
from ca_core.packs.loader import load_packs
from ca_core.services.authorities import AuthorityOffice
from ca_core.services.certificate_content import compose, partition_of, urls_of
from ca_core.services.founding import Founding
from ca_core.services.ports import KeyStore, Signer, Transactions
from ca_core.services.reconciliation import abandon
from ca_core.services.revocation import Revocation
from ca_core.services.signing import sign_certificate
from ca_core.storage.engine import engine_for
from ca_core.storage.transactions import Transactions as SqlTransactions
from ca_core.x509.algorithm import signature_algorithm_identifier
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.extensions import check_extension_rule
from crl.office import CrlOffice
from ocsp.answers import AnswerStore
from ocsp.composing import UnknownIssuer, UnknownSerial
from ocsp.presigning import Presigner
from ocsp.ready import ReadyAnswers
from ocsp.responder import Responder

BASE_URL = "http://status.example"
PARTITIONS = 4
PROFILE = "private/tls-client"
EmptyTransactions = Callable[[Callable[[], datetime]], Transactions]
"""Makes a database, and transactions on it by that clock."""


class Clock:
    """The present, moved by ``ahead``."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class World:
    """Everything a status test touches."""

    transactions: Transactions
    keys: KeyStore
    clock: Clock
    root: Authority
    issuing: Authority
    responder: Authority
    subject_key: bytes
    """SubjectPublicKeyInfo of whoever gets certificates here."""
    base_url: str = BASE_URL
    crls: CrlOffice = field(init=False)
    ocsp: Responder = field(init=False)
    store: AnswerStore = field(init=False)
    ready: ReadyAnswers = field(init=False)
    revocation: Revocation = field(init=False)

    def __post_init__(self) -> None:
        self.revocation = Revocation(self.transactions)
        self.crls = self.office()
        self.ocsp = self.answering()
        self.store = self.transactions.answers  # type: ignore[attr-defined]  # these are the real ones
        self.ready = ReadyAnswers(self.store, max_age=timedelta(hours=1), clock=lambda: self.clock().timestamp())

    def office(
        self,
        *,
        keys: KeyStore | None = None,
        lifetime: timedelta = timedelta(days=7),
        rebuild_after: timedelta = timedelta(days=1),
        delta_lifetime: timedelta = timedelta(0),
    ) -> CrlOffice:
        return CrlOffice(
            self.transactions,
            keys or self.keys,
            base_url=self.base_url,
            lifetime=lifetime,
            rebuild_after=rebuild_after,
            delta_lifetime=delta_lifetime,
        )

    def answering(
        self,
        *,
        keys: KeyStore | None = None,
        validity: timedelta = timedelta(hours=1),
        unknown_serial: UnknownSerial = "unknown",
        unknown_issuer: UnknownIssuer = "unauthorized",
        archive: timedelta | None = None,
    ) -> Responder:
        return Responder(
            self.transactions,
            keys or self.keys,
            validity=validity,
            unknown_serial=unknown_serial,
            unknown_issuer=unknown_issuer,
            archive=archive,
        )

    def presigner(
        self,
        *,
        validity: timedelta = timedelta(days=4),
        unknown_serial: UnknownSerial = "unknown",
        digests: Sequence[str] = ("sha1", "sha256"),
        archive: timedelta | None = None,
    ) -> Presigner:
        return Presigner(
            self.transactions,
            self.keys,
            self.store,
            validity=validity,
            unknown_serial=unknown_serial,
            digests=digests,
            archive=archive,
        )

    def certificate(self, *, partition: int | None = None, valid_for: timedelta | None = None) -> Certificate:
        """A certificate of the issuing authority, issued; in that partition, if one is named."""
        intent = self.intent(partition=partition, valid_for=valid_for)
        signer = self.keys.signer(self.issuing.key_reference, self.issuing.signature_algorithm)
        signed = SignedCertificate.parse(sign_certificate(self._content(intent.serial, valid_for).linted, signer))
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            issued = replace(
                intent, state=CertificateState.ISSUED, der=signed.der, sha256=signed.sha256, issued_at=tx.now
            )
            return tx.certificates.replace(issued)

    def intent(self, *, partition: int | None = None, valid_for: timedelta | None = None) -> Certificate:
        """A certificate whose serial is on record, and no more."""
        serial = Serial.random(secrets.token_bytes)
        while partition is not None and partition_of(serial, PARTITIONS) != partition:
            serial = Serial.random(secrets.token_bytes)
        content = self._content(serial, valid_for)
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            intent = Certificate(
                id=tx.new_id(),
                issuer=self.issuing.id,
                serial=serial,
                profile=PROFILE,
                profile_version="1",
                profile_digest=bytes(32),
                application=None,
                approval_digest=None,
                owner=SYSTEM_ACTOR.id,
                centre=None,
                subject=content.subject,
                tbs=content.linted.der,
                tbs_sha256=content.linted.sha256,
                spki_sha256=secrets.token_bytes(32),
                not_before=content.not_before,
                not_after=content.not_after,
                partition=partition_of(serial, PARTITIONS),
                created_at=tx.now,
            )
            tx.certificates.add(intent)
            return intent

    def revoke(
        self,
        certificate: Certificate,
        reason: RevocationReason = RevocationReason.SUPERSEDED,
        *,
        invalidity_date: datetime | None = None,
    ) -> Certificate:
        return self.revocation.revoke(
            SYSTEM_ACTOR, certificate.id, reason=reason, invalidity_date=invalidity_date, because="a test"
        )

    def hold(self, certificate: Certificate) -> Certificate:
        return self.revocation.hold(SYSTEM_ACTOR, certificate.id, because="a test")

    def unhold(self, certificate: Certificate) -> Certificate:
        return self.revocation.unhold(SYSTEM_ACTOR, certificate.id, because="a test")

    def abandoned(self, *, partition: int | None = None) -> Certificate:
        intent = self.intent(partition=partition)
        with self.transactions.begin(SYSTEM_ACTOR) as tx:
            return abandon(tx, intent)

    def _content(self, serial: Serial, valid_for: timedelta | None):  # type: ignore[no-untyped-def]
        profile = _packs().profile(PROFILE, on=self.clock().date())
        return compose(
            replace(profile, linters=(), **({} if valid_for is None else {"validity": valid_for})),
            issuer_certificate=self.issuing.certificate,
            signature_algorithm=signature_algorithm_identifier(self.issuing.signature_algorithm),
            subject={"CN": "subscriber"},
            public_key_info=self.subject_key,
            serial=serial,
            now=self.clock(),
            urls=urls_of(self.issuing.key_identifier, base=self.base_url, partition=partition_of(serial, PARTITIONS)),
        )


def _packs():  # type: ignore[no-untyped-def]
    return load_packs(
        [folder for folder in shipped_packs() if folder.name == "private"],
        environment=Environment.PRODUCTION,
        identifier_rules=(),
        evidence_checks=(),
        check_extension=check_extension_rule,
    )


class ReadyKeys:
    """Real keys that were made before: stretching a passphrase for each of them is what takes the time."""

    def __init__(self, keys: SoftwareKeyStore) -> None:
        self._keys = keys
        self._given: list[str] = []

    def generate(self, reference: str, algorithm: KeyAlgorithm) -> bytes:
        self._given.append(reference)
        return self._keys.signer(reference, DEFAULT_SIGNATURE[algorithm]).public_key_info

    def signer(self, reference: str, algorithm: SignatureAlgorithm) -> Signer:
        return self._keys.signer(reference, algorithm)

    def references(self) -> Sequence[str]:
        return self._given


@pytest.fixture(scope="session")
def ready_keys(tmp_path_factory: pytest.TempPathFactory) -> SoftwareKeyStore:
    """P-256 keys for one small authority."""
    keys = key_store(tmp_path_factory.mktemp("ready"))
    for reference in ("root", "issuing", "ocsp-1", "subscriber"):
        keys.generate(reference, KeyAlgorithm.EC_P256)
    return keys


def key_store(directory: Path) -> SoftwareKeyStore:
    return SoftwareKeyStore(directory / "keys", lambda: b"a passphrase of the tests", entropy=secrets.token_bytes)


def make_world(
    transactions: Transactions, clock: Clock, keys: KeyStore, algorithm: KeyAlgorithm = KeyAlgorithm.EC_P256
) -> World:
    """Authorities with keys of that kind, and no lists yet."""
    office = AuthorityOffice(
        transactions,
        Founding(
            transactions,
            _packs(),
            keys,
            environment=Environment.PRODUCTION,
            base_url=BASE_URL,
            entropy=secrets.token_bytes,
        ),
    )
    root, issuing, responder = office.initialise(
        SYSTEM_ACTOR,
        organization="Example",
        country="XX",
        root_algorithm=algorithm,
        issuing_algorithm=algorithm,
        responder_algorithm=algorithm,
        partitions=PARTITIONS,
    )
    return World(
        transactions=transactions,
        keys=keys,
        clock=clock,
        root=root,
        issuing=issuing,
        responder=responder,
        subject_key=keys.generate("subscriber", KeyAlgorithm.EC_P256),
    )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which one; making an authority takes a while, so the tests of a module share it."""
    return str(request.param)


@pytest.fixture(scope="module")
def empty_transactions(
    database: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    symmetric_keys: SymmetricKeyStore,
) -> Iterator[EmptyTransactions]:
    with ExitStack() as stack:

        def url() -> str:
            if database == "sqlite":
                path = tmp_path_factory.mktemp("database") / "status.sqlite"
                shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
                return f"sqlite:///{path}"
            server: str = request.getfixturevalue("postgresql_server")
            template = request.getfixturevalue("postgresql_template")
            name = f"status_{secrets.token_hex(6)}"
            administration = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
            stack.callback(administration.dispose)
            with administration.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
            return server.format(name)

        def make(clock: Callable[[], datetime]) -> Transactions:
            engine = engine_for(url(), synchronous="NORMAL")
            stack.callback(engine.dispose)
            return SqlTransactions(
                engine,
                clock=clock,
                entropy=secrets.token_bytes,
                audit_keys=symmetric_keys,
                answers=AnswerStore(tmp_path_factory.mktemp("answers")),
            )

        yield make


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def module_world(empty_transactions: EmptyTransactions, clock: Clock, ready_keys: SoftwareKeyStore) -> World:
    return make_world(empty_transactions(clock), clock, ReadyKeys(ready_keys))


@pytest.fixture
def world(module_world: World) -> Iterator[World]:
    """The authority of this module, at the present."""
    yield module_world
    module_world.clock.ahead = timedelta(0)


@pytest.fixture
def build_world(empty_transactions: EmptyTransactions, clock: Clock, tmp_path: Path) -> Callable[[KeyAlgorithm], World]:
    """Makes an authority with keys of its own."""

    def build(algorithm: KeyAlgorithm) -> World:
        return make_world(empty_transactions(clock), clock, key_store(tmp_path), algorithm)

    return build


@pytest.fixture
def start_world(
    empty_transactions: EmptyTransactions, clock: Clock, ready_keys: SoftwareKeyStore
) -> tuple[Transactions, KeyStore, Callable[[], World]]:
    """An empty place, and what makes an authority there."""
    transactions, keys = empty_transactions(clock), ReadyKeys(ready_keys)
    return transactions, keys, lambda: make_world(transactions, clock, keys)
