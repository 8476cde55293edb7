"""The only wiring: joins adapters, services, status and plugins into one running program."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from ca_core.documents.inspection import Inspector
from ca_core.documents.limits import UploadLimits
from ca_core.documents.rendering import Renderer
from ca_core.documents.sealed_store import SealedStore
from ca_core.domain.errors import ConfigurationError
from ca_core.domain.work import JobKind
from ca_core.keys.last_seal import FOLDER as LAST_SEAL, LastSealFile
from ca_core.keys.password_hash import Argon2Hasher
from ca_core.keys.vault_key import SymmetricKeyStore
from ca_core.packs import shipped_packs
from ca_core.packs.catalogue import PackCatalogue
from ca_core.packs.holiday_calendar import HolidayCalendars
from ca_core.packs.loader import load_packs
from ca_core.services.acceptance import Acceptance
from ca_core.services.accounts import Accounts
from ca_core.services.addresses import Addresses
from ca_core.services.audit import Audit
from ca_core.services.authorities import AuthorityOffice
from ca_core.services.authority_import import AuthorityImport
from ca_core.services.batch import Batch
from ca_core.services.certificate_import import CertificateImport
from ca_core.services.certificates import CertificateDesk
from ca_core.services.clock import DecisionClock
from ca_core.services.deadlines import DeadlineWatch
from ca_core.services.documents import DocumentDesk
from ca_core.services.founding import Founding
from ca_core.services.idempotency import Idempotency
from ca_core.services.intake import Intake
from ca_core.services.issuance import Issuance, Observer
from ca_core.services.jobs import EventDispatch, Handler, JobDesk, Worker
from ca_core.services.journeys import Journeys
from ca_core.services.mass_revocation import MassRevocationOffice
from ca_core.services.notices import Notices
from ca_core.services.path_validation import PathValidation
from ca_core.services.ports import Clock
from ca_core.services.reconciliation import Reconciliation
from ca_core.services.replacement import Replacement
from ca_core.services.request_desk import RequestDesk
from ca_core.services.retention import Retention
from ca_core.services.review import Review
from ca_core.services.revocation import Revocation
from ca_core.services.sealed_documents import SealedDocuments
from ca_core.services.sealing import Sealing
from ca_core.services.sessions import Sessions
from ca_core.services.suite import Services
from ca_core.services.time_stamping_units import TimeStampingUnits
from ca_core.services.timestamp_archive import TimestampArchive
from ca_core.services.timestamping import Terms, Timestamping
from ca_core.services.tokens import Tokens
from ca_core.services.verification import Recheck
from ca_core.storage import schema
from ca_core.storage.transactions import Transactions
from ca_core.x509.extensions import check_extension_rule
from ca_core.x509.key_policy import read_known_weak
from crl.office import CrlOffice
from ocsp.answers import FOLDER as ANSWERS, AnswerStore
from ocsp.feed import StatusFeed
from ocsp.presigning import Presigner
from ocsp.ready import ReadyAnswers
from ocsp.responder import Responder
from pechatnik.adapters import (
    anchors_of,
    engine_of,
    key_store_of,
    mailer_of,
    make_missing_keys,
    passphrase_of,
    path_validator_of,
    scanner_of,
)
from pechatnik.config import Config
from pechatnik.contributions import Contributions, contributions_of
from pechatnik.program import Program
from pechatnik.timetable import rounds_of

ABANDON_AFTER = timedelta(minutes=2)
"""No signature takes that long: an older intent belongs to a process that died."""


def now() -> datetime:
    """The production clock."""
    return datetime.now(UTC)


def packs_of(config: Config, contributions: Contributions) -> PackCatalogue:
    """The packs that the configuration names, checked."""
    shipped = {folder.name: folder for folder in shipped_packs()}
    for name in config.packs.shipped:
        if name not in shipped:
            raise ConfigurationError(f"packs.shipped names {name!r}; there is {', '.join(sorted(shipped))}")
    folders = [shipped[name] for name in config.packs.shipped]
    packs = load_packs(
        [*folders, *config.packs.directories, *contributions.pack_folders],
        environment=config.installation.environment,
        identifier_rules=contributions.identifier_rules.keys(),
        evidence_checks=[check.name for check in contributions.evidence_checks],
        check_extension=check_extension_rule,
    )
    for profile in (one for pack in packs.packs for one in pack.profiles):
        if not config.status.crl_delta_hours and any(rule.kind == "freshest_crl" for rule in profile.extensions):
            raise ConfigurationError(
                f"profile {profile.key} names delta lists (freshest_crl), and status.crl_delta_hours makes none"
            )
    return packs


def check_configuration(config: Config) -> dict[str, Sequence[str]]:
    """Everything a start reads before it opens the database."""
    contributions = contributions_of(config)
    packs = packs_of(config, contributions)
    HolidayCalendars(packs.packs)
    read_known_weak(config.keys.weak_key_lists)
    passphrase_of(config)()
    anchors_of(config)
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
    passphrase = passphrase_of(config)
    entropy = secrets.token_bytes
    folder = config.data / "keys" / "symmetric"
    symmetric = SymmetricKeyStore(folder, passphrase, entropy=entropy)
    keys = key_store_of(config, passphrase, entropy)
    engine = engine_of(config)
    try:
        schema.require_current(engine)
        make_missing_keys(symmetric, folder, engine)
    except ConfigurationError:
        engine.dispose()
        raise
    answers = AnswerStore(config.data / ANSWERS)
    if not config.presigns:  # or what stands there would be given when it is switched on again
        answers.clear()
    transactions = Transactions(engine, clock=clock, entropy=entropy, audit_keys=symmetric, answers=answers)
    decision_clock = DecisionClock(packs, HolidayCalendars(packs.packs))
    limits = UploadLimits(max_size=config.uploads.max_bytes, max_pages=config.uploads.max_pages)
    store = SealedStore(config.data / "documents", symmetric, entropy=entropy)
    documents = DocumentDesk(
        transactions,
        packs,
        inspector=Inspector(limits),
        renderer=Renderer(limits),
        scanner=scanner_of(config),
        store=store,
    )
    founding = Founding(
        transactions,
        packs,
        keys,
        environment=config.installation.environment,
        base_url=config.server.public_url,
        entropy=entropy,
    )
    authorities = AuthorityOffice(transactions, founding)
    audit = Audit(transactions, keys=keys, symmetric=symmetric, last_seal=LastSealFile(config.data / LAST_SEAL))
    mailer = mailer_of(config, clock)
    notices = Notices(transactions, mailer=mailer, installation=config.installation.name)
    addresses = Addresses(
        transactions,
        sealing=Sealing(symmetric, entropy=entropy),
        mailer=mailer,
        public_url=config.server.public_url,
        installation=config.installation.name,
    )
    requests = RequestDesk(transactions, packs, known_weak=read_known_weak(config.keys.weak_key_lists))
    issuance = Issuance(
        transactions,
        packs,
        keys,
        base_url=config.server.public_url,
        entropy=entropy,
        abandon_after=ABANDON_AFTER,
        observe=observe,
    )
    services = Services(
        acceptance=Acceptance(transactions, entropy=entropy),
        accounts=Accounts(
            transactions,
            hasher=Argon2Hasher(),
            keys=symmetric,
            entropy=entropy,
            addresses=addresses,
            installation=config.installation.name,
        ),
        addresses=addresses,
        audit=audit,
        authorities=authorities,
        authority_import=AuthorityImport(transactions, keys, environment=config.installation.environment),
        batch=Batch(transactions, requests, issuance),
        certificate_import=CertificateImport(transactions),
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
            addresses=addresses,
        ),
        issuance=issuance,
        jobs=JobDesk(transactions),
        journeys=Journeys(transactions),
        mass_revocations=MassRevocationOffice(transactions, cap=config.revocation.cap),
        notices=notices,
        path_validation=PathValidation(
            transactions,
            path_validator_of(config, monotonic),
            anchors=anchors_of(config),
            policy=config.validation.policy,
        ),
        profiles=packs,
        recheck=Recheck(transactions, packs, audit, SealedDocuments(transactions, store=store)),
        reconciliation=Reconciliation(transactions, abandon_after=ABANDON_AFTER),
        replacement=Replacement(transactions, packs, documents, decision_clock),
        requests=requests,
        retention=Retention(transactions, packs, store=store),
        review=Review(transactions, packs, decision_clock, claim_for=timedelta(minutes=config.desk.claim_minutes)),
        revocation=Revocation(transactions),
        sessions=Sessions(transactions, entropy=entropy),
        time_stamping_units=TimeStampingUnits(transactions, founding, packs),
        timestamp_archive=TimestampArchive(transactions),
        timestamping=Timestamping(
            transactions,
            packs,
            keys,
            terms=Terms(
                accuracy=timedelta(milliseconds=config.timestamps.accuracy_ms),
                ordering=config.timestamps.ordering,
                policies=config.timestamps.policies,
            ),
            clock=clock,
            entropy=entropy,
        ),
        tokens=Tokens(transactions, entropy=entropy),
    )
    crls = CrlOffice(
        transactions,
        keys,
        base_url=config.server.public_url,
        lifetime=timedelta(days=config.status.crl_days),
        rebuild_after=timedelta(hours=config.status.crl_rebuild_hours),
        delta_lifetime=timedelta(hours=config.status.crl_delta_hours),
    )
    ocsp = Responder(
        transactions,
        keys,
        validity=timedelta(minutes=config.status.ocsp_minutes),
        unknown_serial=config.status.unknown_serial,
        unknown_issuer=config.status.unknown_issuer,
        archive=config.status.archive,
    )
    presigner = Presigner(
        transactions,
        keys,
        answers,
        validity=timedelta(hours=config.status.presigned_hours),
        unknown_serial=config.status.unknown_serial,
        digests=config.status.presigned_digests,
        archive=config.status.archive,
    )
    handlers: dict[str, Handler] = {
        JobKind.NOTICE: notices.deliver,
        JobKind.LETTER: addresses.deliver,
        JobKind.PRESIGN: presigner.do,
        JobKind.EVENT: EventDispatch(transactions, contributions.event_handlers),
        JobKind.CRL: crls.refresh,
        JobKind.REVOKE_MANY: services.mass_revocations.work,
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
        ready=ReadyAnswers(
            answers,
            max_age=timedelta(minutes=config.status.ocsp_minutes),
            clock=lambda: clock().timestamp(),
        )
        if config.presigns
        else None,
        answers=answers,
        feed=StatusFeed(answers if config.presigns else None, entropy=entropy),
        presigner=presigner,
        worker=Worker(transactions, handlers, clock=clock),
        rounds=rounds_of(services, crls, presigner if config.presigns else None, transactions, monotonic),
        symmetric=symmetric,
        clock=clock,
    )
