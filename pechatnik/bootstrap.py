"""The only wiring: joins adapters, services, status and plugins into one running program."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Engine, make_url, text

from ca_core.documents.inspection import Inspector
from ca_core.documents.limits import UploadLimits
from ca_core.documents.malware import ClamdScanner
from ca_core.documents.rendering import Renderer
from ca_core.documents.sealed_store import SealedStore
from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.application import ApplicationState, CheckMode
from ca_core.domain.authority import Authority
from ca_core.domain.errors import ConfigurationError, KeyMissing
from ca_core.domain.work import JobKind
from ca_core.keys.last_seal import FOLDER as LAST_SEAL, LastSealFile
from ca_core.keys.password_hash import Argon2Hasher
from ca_core.keys.secrets_source import Secret, read_secret
from ca_core.keys.software import SoftwareKeyStore
from ca_core.keys.vault_key import SymmetricKeyStore
from ca_core.mail.smtp import SmtpMailer
from ca_core.packs import shipped_packs
from ca_core.packs.catalogue import PackCatalogue
from ca_core.packs.holiday_calendar import HolidayCalendars
from ca_core.packs.loader import load_packs
from ca_core.services.acceptance import Acceptance
from ca_core.services.account_rules import HERE
from ca_core.services.accounts import Accounts
from ca_core.services.audit import Audit
from ca_core.services.authorities import AuthorityOffice
from ca_core.services.certificates import CertificateDesk
from ca_core.services.clock import DecisionClock
from ca_core.services.deadlines import DeadlineWatch
from ca_core.services.documents import DocumentDesk
from ca_core.services.idempotency import KEPT_FOR, Idempotency
from ca_core.services.intake import Intake
from ca_core.services.issuance import Issuance, Observer
from ca_core.services.jobs import EventDispatch, Handler, JobDesk, Worker
from ca_core.services.log_in_throttle import KNOWN_FOR
from ca_core.services.notices import Notices
from ca_core.services.ports import Clock, EventHandler, EvidenceCheck, KeyStore, Transaction
from ca_core.services.reconciliation import Reconciliation
from ca_core.services.replacement import Replacement
from ca_core.services.request_desk import RequestDesk
from ca_core.services.retention import Retention
from ca_core.services.review import Review
from ca_core.services.revocation import Revocation
from ca_core.services.sessions import Sessions
from ca_core.services.subject_rules import IdentifierRules
from ca_core.services.suite import Services
from ca_core.services.tokens import Tokens
from ca_core.services.verification import Recheck
from ca_core.storage import schema
from ca_core.storage.engine import engine_for
from ca_core.storage.refusals import translated
from ca_core.storage.repositories.counters import next_value
from ca_core.storage.transactions import Transactions
from ca_core.x509.extensions import check_extension_rule
from ca_core.x509.key_policy import read_known_weak
from crl.office import CrlOffice
from ocsp.responder import Responder
from pechatnik.config import Config
from pechatnik.plugin_registry import load_plugins
from pechatnik.rounds import Rounds

log = structlog.get_logger("audit")

SYMMETRIC_PURPOSES = ("audit", "documents", "account", "site")
"""What the installation has symmetric keys for; made at the first start."""
ABANDON_AFTER = timedelta(minutes=2)
"""No signature takes that long: an older intent belongs to a process that died."""


def now() -> datetime:
    """The production clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """What the enabled plugins bring."""

    identifier_rules: IdentifierRules
    evidence_checks: Sequence[EvidenceCheck]
    pack_folders: Sequence[Path]
    event_handlers: Mapping[str, Sequence[EventHandler]]


@dataclass(frozen=True, kw_only=True)
class Program:
    """Everything wired up, for one process."""

    config: Config
    engine: Engine
    transactions: Transactions
    keys: KeyStore
    services: Services
    crls: CrlOffice
    ocsp: Responder
    worker: Worker
    rounds: Rounds
    symmetric: SymmetricKeyStore
    clock: Clock
    owner: Actor = SYSTEM_ACTOR
    """Whoever owns the machine and the configuration (docs/adr/0007-machine-owner.md)."""

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
        """Make root, issuing authority and responder, and publish their first CRLs."""
        made = self.services.authorities.initialise(
            actor,
            organization=organization,
            country=country,
            root_algorithm=root_algorithm,
            issuing_algorithm=issuing_algorithm,
            responder_algorithm=responder_algorithm,
            partitions=partitions,
        )
        for name in ("root", "issuing"):
            self.crls.issue(actor, name)
        return made

    def work(self, *, once: bool) -> int:
        """Run jobs and rounds: until interrupted, or once through what is due; returns how many were done."""
        if once:
            return self.rounds.run_due() + self.worker.run_once()
        self.run_worker(threading.Event())
        return 0

    def run_worker(self, stop: threading.Event) -> None:
        """Run jobs and rounds until told to stop."""
        timer = threading.Thread(target=self.rounds.run, args=(stop,), name="rounds", daemon=True)
        timer.start()
        self.worker.run(stop)
        timer.join(timeout=10)

    def site_key(self) -> bytes:
        """Secret from which form tokens are made."""
        return self.symmetric.current("site")[1]

    def schema_differences(self) -> Sequence[str]:
        return schema.check(self.engine)

    def database_clock(self) -> datetime:
        """What the database takes for the present."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                seconds = connection.execute(text("SELECT (julianday('now') - 2440587.5) * 86400.0")).scalar_one()
                return datetime.fromtimestamp(seconds, UTC)
            moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            return moment.astimezone(UTC)

    def write(self) -> None:
        """Commit something, as every change has to; TryAgain while the database takes nothing."""
        with translated(), self.engine.begin() as connection:
            next_value(connection, "readiness")

    def free_space(self) -> int:
        """Octets left where the database (an embedded one) and the documents are, whichever has less."""
        places = [self.config.data]
        if self.engine.dialect.name == "sqlite":
            places.append(Path(self.engine.url.database or "").absolute().parent)
        return min(shutil.disk_usage(place).free for place in places)

    def counts(self, tx: Transaction) -> Mapping[str, Mapping[str, int]]:
        """How many there are of each kind, by state, for the metrics."""
        states = {state.value: tx.applications.count(seen_by=EVERYTHING, states=(state,)) for state in ApplicationState}
        return {"applications": states}

    def close(self) -> None:
        self.engine.dispose()


def engine_of(config: Config) -> Engine:
    """The engine that the configuration names."""
    if not config.data.is_dir():
        raise ConfigurationError(f"there is no directory {config.data} yet; run: pechatnik db upgrade")
    url = make_url(config.database_url)
    if config.database.password_file is not None:
        password = read_secret(file=config.database.password_file, variable=None, environment={})
        url = url.set(password=password.decode())
    return engine_for(url.render_as_string(hide_password=False), synchronous=config.database.synchronous)


def make_data_directory(config: Config) -> None:
    """The directory of keys, documents and the embedded database, for this user alone."""
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{config.data} cannot be made: {error.strerror}") from None


def contributions_of(config: Config) -> Contributions:
    """Load the enabled plugins and gather what they bring; ConfigurationError where two bring the same."""
    hook = load_plugins(config.plugins.enabled).hook
    rules: dict[str, object] = {}
    for brought in hook.ca_identifier_rules():
        if twice := rules.keys() & brought.keys():
            raise ConfigurationError(f"two plugins bring the identifier rule {sorted(twice)[0]!r}; enable one of them")
        rules |= brought
    checks = [check for brought in hook.ca_evidence_checks() for check in brought]
    for check in checks:
        if check.mode not in set(CheckMode):
            raise ConfigurationError(f"the check {check.name!r} of a plugin has the mode {check.mode!r}, which is none")
    names = [check.name for check in checks]
    if len(set(names)) != len(names):
        raise ConfigurationError("two plugins bring an evidence check of the same name; enable one of them")
    handlers: dict[str, list[EventHandler]] = {}
    for brought in hook.ca_event_handlers():
        for event, handler in brought.items():
            handlers.setdefault(event, []).append(handler)
    return Contributions(
        identifier_rules=rules,  # type: ignore[arg-type]  # pluggy's results are untyped
        evidence_checks=checks,
        pack_folders=[folder for brought in hook.ca_packs() for folder in brought],
        event_handlers=handlers,
    )


def packs_of(config: Config, contributions: Contributions) -> PackCatalogue:
    """The packs that the configuration names, checked."""
    shipped = {folder.name: folder for folder in shipped_packs()}
    for name in config.packs.shipped:
        if name not in shipped:
            raise ConfigurationError(f"packs.shipped names {name!r}; there is {', '.join(sorted(shipped))}")
    folders = [shipped[name] for name in config.packs.shipped]
    return load_packs(
        [*folders, *config.packs.directories, *contributions.pack_folders],
        environment=config.installation.environment,
        identifier_rules=contributions.identifier_rules.keys(),
        evidence_checks=[check.name for check in contributions.evidence_checks],
        check_extension=check_extension_rule,
    )


def check_configuration(config: Config) -> dict[str, Sequence[str]]:
    """Everything a start reads before it opens the database."""
    contributions = contributions_of(config)
    packs = packs_of(config, contributions)
    HolidayCalendars(packs.packs)
    read_known_weak(config.keys.weak_key_lists)
    _passphrase(config)()
    return {"packs": [pack.name for pack in packs.packs], "plugins": list(config.plugins.enabled)}


def build(
    config: Config,
    *,
    clock: Clock = now,
    monotonic: Callable[[], float] = time.monotonic,
    observe: Observer = lambda _: None,
) -> Program:
    """Wire up. ConfigurationError when something is missing or the database is not of this version.

    ``observe`` is told of each step of issuance as it is reached."""
    contributions = contributions_of(config)
    packs = packs_of(config, contributions)
    passphrase = _passphrase(config)
    folder = config.data / "keys" / "symmetric"
    symmetric = SymmetricKeyStore(folder, passphrase)
    keys = _key_store(config, passphrase)
    engine = engine_of(config)
    try:
        schema.require_current(engine)
        _make_missing(symmetric, folder, engine)
    except ConfigurationError:
        engine.dispose()
        raise
    entropy = secrets.token_bytes
    transactions = Transactions(engine, clock=clock, entropy=entropy, audit_keys=symmetric)
    decision_clock = DecisionClock(packs, HolidayCalendars(packs.packs))
    limits = UploadLimits(max_size=config.uploads.max_bytes, max_pages=config.uploads.max_pages)
    store = SealedStore(config.data / "documents", symmetric)
    documents = DocumentDesk(
        transactions,
        packs,
        inspector=Inspector(limits),
        renderer=Renderer(limits),
        scanner=_scanner(config),
        store=store,
    )
    authorities = AuthorityOffice(
        transactions,
        packs,
        keys,
        environment=config.installation.environment,
        base_url=config.server.public_url,
        entropy=entropy,
    )
    audit = Audit(transactions, keys=keys, symmetric=symmetric, last_seal=LastSealFile(config.data / LAST_SEAL))
    notices = Notices(transactions, mailer=_mailer(config), installation=config.installation.name)
    services = Services(
        acceptance=Acceptance(transactions, entropy=entropy),
        accounts=Accounts(
            transactions,
            hasher=Argon2Hasher(),
            keys=symmetric,
            entropy=entropy,
            installation=config.installation.name,
        ),
        audit=audit,
        authorities=authorities,
        certificates=CertificateDesk(transactions),
        deadlines=DeadlineWatch(transactions, decision_clock, open_for=timedelta(days=config.desk.open_days)),
        documents=documents,
        idempotency=Idempotency(transactions, keys=symmetric, entropy=entropy),
        intake=Intake(
            transactions,
            packs,
            decision_clock,
            identifier_rules=contributions.identifier_rules,
            evidence_checks=contributions.evidence_checks,
        ),
        issuance=Issuance(
            transactions,
            packs,
            keys,
            base_url=config.server.public_url,
            entropy=entropy,
            abandon_after=ABANDON_AFTER,
            observe=observe,
        ),
        jobs=JobDesk(transactions),
        notices=notices,
        profiles=packs,
        recheck=Recheck(transactions, packs, audit),
        reconciliation=Reconciliation(transactions, abandon_after=ABANDON_AFTER),
        replacement=Replacement(transactions, packs, documents, decision_clock),
        requests=RequestDesk(transactions, packs, known_weak=read_known_weak(config.keys.weak_key_lists)),
        retention=Retention(transactions, packs, store=store),
        review=Review(transactions, packs, decision_clock, claim_for=timedelta(minutes=config.desk.claim_minutes)),
        revocation=Revocation(transactions),
        sessions=Sessions(transactions, entropy=entropy),
        tokens=Tokens(transactions, entropy=entropy),
    )
    crls = CrlOffice(
        transactions,
        keys,
        base_url=config.server.public_url,
        lifetime=timedelta(days=config.status.crl_days),
        rebuild_after=timedelta(hours=config.status.crl_rebuild_hours),
    )
    ocsp = Responder(
        transactions,
        keys,
        validity=timedelta(minutes=config.status.ocsp_minutes),
        unknown_serial=config.status.unknown_serial,
    )
    handlers: dict[str, Handler] = {
        JobKind.NOTICE: notices.deliver,
        JobKind.EVENT: EventDispatch(transactions, contributions.event_handlers),
        JobKind.CRL: crls.refresh,
        JobKind.RECHECK: services.recheck.of_day,
        JobKind.RESPONDERS: authorities.renew_now,
    }
    return Program(
        config=config,
        engine=engine,
        transactions=transactions,
        keys=keys,
        services=services,
        crls=crls,
        ocsp=ocsp,
        worker=Worker(transactions, handlers, clock=clock),
        rounds=_rounds(services, crls, transactions, monotonic),
        symmetric=symmetric,
        clock=clock,
    )


def _passphrase(config: Config) -> Secret:
    return partial(
        read_secret,
        file=config.secrets.passphrase_file,
        variable=config.secrets.passphrase_variable,
        environment=os.environ,
    )


def _make_missing(symmetric: SymmetricKeyStore, folder: Path, engine: Engine) -> None:
    """New keys for a new installation. One with records has keys: without them the audit chain would go on under
    another one, and nothing that is sealed could be opened."""
    for purpose in SYMMETRIC_PURPOSES:
        try:
            symmetric.current(purpose)
        except KeyMissing:
            if purpose == "audit" and schema.has_records(engine):
                raise ConfigurationError(
                    f"the keys of this installation are not in {folder}: is the disk mounted? "
                    "Otherwise restore them from a backup"
                ) from None
            symmetric.create(purpose)


def _key_store(config: Config, passphrase: Secret) -> KeyStore:
    if config.keys.store == "software":
        return SoftwareKeyStore(config.data / "keys" / "signing", passphrase)
    from ca_core.keys.pkcs11 import Pkcs11KeyStore

    token = config.keys.pkcs11
    pin = partial(
        read_secret,
        file=token.pin_file,
        variable=token.pin_variable,
        environment=os.environ,
    )
    return Pkcs11KeyStore(token.module, label=token.token, pin=pin, max_sessions=token.sessions)


def _scanner(config: Config) -> ClamdScanner | None:
    address = config.uploads.clamd
    if not address:
        return None
    fail_closed = config.uploads.clamd_fail_closed
    if address.startswith("unix:"):
        return ClamdScanner(Path(address.removeprefix("unix:")), fail_closed=fail_closed)
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigurationError(f"uploads.clamd: {address!r} is neither unix:/path nor host:port")
    return ClamdScanner((host, int(port)), fail_closed=fail_closed)


def _mailer(config: Config) -> SmtpMailer | None:
    mail = config.mail
    if not mail.host:
        return None
    password = None
    if mail.password_file is not None:
        password = read_secret(file=mail.password_file, variable=None, environment={}).decode()
    return SmtpMailer(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        username=mail.username or None,
        password=password,
        sender=mail.sender,
    )


def _rounds(services: Services, crls: CrlOffice, transactions: Transactions, monotonic: Callable[[], float]) -> Rounds:
    def reach() -> None:
        with transactions.read(SYSTEM_ACTOR):
            pass

    def seal() -> None:
        checkpoint = services.audit.seal(SYSTEM_ACTOR)
        # A log collector keeps the chain's end where whoever has this machine cannot cut it off.
        log.info(
            "audit chain sealed",
            sequence=checkpoint.sequence,
            digest=checkpoint.digest.hex(),
            signature=checkpoint.signature.hex(),
            at=checkpoint.at.isoformat(),
        )

    def queue_recheck() -> None:
        with transactions.begin(SYSTEM_ACTOR) as tx:
            yesterday = (tx.now - timedelta(days=1)).date().isoformat()
            tx.jobs.enqueue(JobKind.RECHECK, {"day": yesterday}, dedupe_key=f"recheck:{yesterday}")

    def forget() -> object:
        with transactions.begin(SYSTEM_ACTOR) as tx:
            return (
                tx.accounts.delete_sessions(expired_at=tx.now)
                + tx.accounts.forget_before(tx.now - KEPT_FOR)
                + tx.log_ins.forget_quiet(counted_before=tx.now - HERE.within, known_before=tx.now - KNOWN_FOR)
            )

    return Rounds(
        monotonic=monotonic,
        reach=reach,
        rounds={
            "reconciliation": (timedelta(minutes=1), services.reconciliation.tick),
            "deadlines": (timedelta(minutes=1), services.deadlines.tick),
            "crl": (timedelta(minutes=1), crls.tick),
            "responders": (timedelta(hours=1), lambda: services.authorities.renew_responders(SYSTEM_ACTOR)),
            "audit-seal": (timedelta(hours=1), seal),
            "sessions and answers": (timedelta(hours=1), forget),
            "recheck": (timedelta(hours=1), queue_recheck),
            "retention": (timedelta(days=1), services.retention.tick),
            "interrupted uploads": (timedelta(days=1), services.retention.sweep),
        },
    )
