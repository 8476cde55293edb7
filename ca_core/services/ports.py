"""What the services need from the outside: storage, keys, packs, documents, mail. Small Protocols, one per need.

Adapters live in ``ca_core.storage``, ``keys``, ``packs``, ``documents``, ``mail``; ``pechatnik.bootstrap`` joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from ca_core.domain.access import Actor, Role, Visibility
from ca_core.domain.account import Account, AccountChange, ApiToken, Centre, LogInFailures, WebSession
from ca_core.domain.algorithms import KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.application import Application, Approval, CheckMode, CheckResult, CheckVerdict
from ca_core.domain.audit import AuditCheckpoint, AuditRecord
from ca_core.domain.authority import Authority, PublishedCrl
from ca_core.domain.certificate import Certificate
from ca_core.domain.document import Document
from ca_core.domain.identifiers import Serial
from ca_core.domain.profile import Pack, Pinned, Profile
from ca_core.domain.work import Job, JobKind, Notice, RememberedAnswer

T = TypeVar("T")
Clock = Callable[[], datetime]
"""The present, aware, UTC."""


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list; ``next_cursor`` is opaque and None at the end."""

    items: Sequence[T]
    next_cursor: str | None


class Rows(Protocol[T]):
    """Rows of one kind. Every read names who looks (invariant 13); every change names the version it saw."""

    def get(self, id: UUID, *, seen_by: Visibility) -> T:
        """The row, or NotFound: also when the caller may not see it."""
        ...

    def add(self, row: T) -> None:
        """Insert; Duplicate where a unique constraint says so."""
        ...

    def replace(self, row: T) -> T:
        """Compare-and-set: write the row if its ``version`` is still the stored one, else StaleVersion.

        Returns it with the version it has now (one more)."""
        ...


class Applications(Rows[Application], Protocol):
    def find(
        self,
        *,
        seen_by: Visibility,
        states: Iterable[str] = (),
        claimed_by: UUID | None = None,
        text: str = "",
        cursor: str | None = None,
        limit: int = 50,
        order: str = "created",
    ) -> Page[Application]:
        """``order``: ``created`` (newest first) or ``due`` (earliest deadline first). ``text`` matches number,
        subject values and applicant's e-mail."""
        ...

    def next_number(self, year: int) -> str:
        """``2026-000042``: one more than the last, without gaps only if nothing rolls back."""
        ...

    def by_number(self, number: str, *, seen_by: Visibility) -> Application: ...

    def running_clocks(self) -> Sequence[Application]:
        """All applications whose clock runs."""
        ...

    def expired_claims(self, now: datetime) -> Sequence[Application]: ...

    def unmoved_since(self, moment: datetime, *, states: Iterable[str], limit: int) -> Sequence[Application]:
        """Those that came into their state before the moment, oldest first."""
        ...

    def count(self, *, seen_by: Visibility, states: Iterable[str] = (), claimed_by: UUID | None = None) -> int: ...

    def open_replacement_of(self, certificate: UUID) -> Application | None:
        """The application for its replacement that is neither issued nor ended."""
        ...

    def add_editor(self, application: UUID, account: UUID) -> None:
        """Record that this account entered or changed something; it may not approve (invariant 12)."""
        ...

    def editors(self, application: UUID) -> frozenset[UUID]: ...

    def add_approval(self, approval: Approval) -> None:
        """Insert; the database itself refuses an editor or the owner, and a second one by the same person
        in the same round (SelfApproval, Duplicate)."""
        ...

    def approvals(self, application: UUID, round: int) -> Sequence[Approval]: ...

    def add_check(self, check: CheckResult) -> None: ...

    def checks(self, application: UUID, round: int) -> Sequence[CheckResult]: ...


class Documents(Rows[Document], Protocol):
    """Visibility of a document is that of its application."""

    def of(self, application: UUID) -> Sequence[Document]:
        """All, oldest first, superseded ones too."""
        ...

    def outlived(self, pack: str, *, before: datetime, limit: int) -> Sequence[Document]:
        """Documents with a data key whose application is closed and whose certificate ended before the moment; where
        none was issued, the application was made before it."""
        ...

    def add_view(self, document: UUID, account: UUID, page: int, sha256: bytes, at: datetime) -> None:
        """Record that the account was shown this page of these bytes; repeated views keep the first."""
        ...

    def pages_viewed(self, document: UUID, account: UUID) -> frozenset[int]:
        """Pages (from 1) that the account was shown."""
        ...

    def viewed_by(self, application: UUID, account: UUID) -> frozenset[UUID]:
        """Documents of the application of which the account was shown every page."""
        ...


class Certificates(Rows[Certificate], Protocol):
    def by_serial(self, serial: Serial, *, seen_by: Visibility, issuer: UUID | None = None) -> Certificate: ...

    def find(
        self,
        *,
        seen_by: Visibility,
        states: Iterable[str] = (),
        application: UUID | None = None,
        text: str = "",
        expires_before: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Certificate]:
        """Newest first. ``text`` matches serial (hex), subject, SHA-256 fingerprint (hex)."""
        ...

    def lookup(self, issuer: UUID, serial: Serial) -> Certificate | None:
        """For status answers: no visibility, since status is public."""
        ...

    def revoked(self, issuer: UUID, partition: int | None, *, unexpired_at: datetime) -> Iterator[Certificate]:
        """Held, revoked and abandoned certificates whose notAfter has not passed, by serial; streamed.

        ``partition`` None means all of the issuer's."""
        ...

    def by_report_code(self, sha256: bytes) -> Certificate | None:
        """The certificate whose loss this code reports; the code itself is the authorisation."""
        ...

    def among(self, ids: Collection[UUID]) -> Sequence[Certificate]:
        """Those of these that there are, for checks of the authority itself; at most a few hundred at once."""
        ...

    def stale_intents(self, created_before: datetime, *, limit: int) -> Sequence[Certificate]: ...

    def intent_of(self, application: UUID) -> Certificate | None:
        """The open intent of that application."""
        ...

    def issued_between(self, start: datetime, end: datetime) -> Iterator[Certificate]: ...

    def all_ids(self) -> Iterator[UUID]: ...

    def key_in_use(self, spki_sha256: bytes, *, other_than_owner: UUID) -> bool:
        """Whether somebody else's certificate carries this key."""
        ...

    def with_key(self, spki_sha256: bytes) -> Sequence[Certificate]:
        """Every certificate over this key, oldest first."""
        ...

    def block_key(self, spki_sha256: bytes, reason: str, at: datetime) -> bool:
        """Add to the block list of compromised keys; False when it was there already."""
        ...

    def is_blocked(self, spki_sha256: bytes) -> bool: ...


class Authorities(Rows[Authority], Protocol):
    def by_name(self, name: str) -> Authority: ...

    def all(self) -> Sequence[Authority]: ...

    def issuers(self) -> Sequence[Authority]:
        """Roots and issuing authorities, retired ones too: they go on answering for what they signed."""
        ...

    def responder_for(self, issuer: UUID, now: datetime) -> Authority | None:
        """The active OCSP responder under the issuer with the latest notAfter."""
        ...

    def next_crl_number(self, authority: UUID, partition: int) -> int:
        """One more than the last; the row lock is held to the end of the transaction (invariant 8)."""
        ...

    def publish_crl(self, crl: PublishedCrl) -> None:
        """Insert; the database refuses a number that is not higher than every earlier one of this list."""
        ...

    def current_crl(self, authority: UUID, partition: int) -> PublishedCrl | None: ...


class Accounts(Rows[Account], Protocol):
    def by_email(self, email: str) -> Account | None: ...

    def find(self, *, text: str = "", cursor: str | None = None, limit: int = 50) -> Page[Account]: ...

    def with_role(self, role: Role, *, centre: UUID | None = None) -> Sequence[Account]:
        """Active accounts that have the role, and that service centre if one is named."""
        ...

    def add_centre(self, centre: Centre) -> None: ...

    def replace_centre(self, centre: Centre) -> Centre: ...

    def centre(self, id: UUID) -> Centre: ...

    def centre_by_code(self, code: str) -> Centre: ...

    def centres(self) -> Sequence[Centre]: ...

    def add_token(self, token: ApiToken) -> None: ...

    def token_by_digest(self, sha256: bytes) -> ApiToken | None: ...

    def tokens_of(self, account: UUID) -> Sequence[ApiToken]: ...

    def replace_token(self, token: ApiToken) -> ApiToken: ...

    def save_session(self, session: WebSession) -> None:
        """Insert or update by id."""
        ...

    def session_by_digest(self, sha256: bytes) -> WebSession | None: ...

    def delete_sessions(
        self, *, account: UUID | None = None, id: UUID | None = None, expired_at: datetime | None = None
    ) -> int: ...

    def remember(self, answer: RememberedAnswer) -> RememberedAnswer | None:
        """Insert, or return the one that is there under (account, key)."""
        ...

    def update_remembered(self, answer: RememberedAnswer) -> None: ...

    def forget(self, account: UUID, key: str) -> None: ...

    def forget_before(self, moment: datetime) -> int:
        """Drop answers remembered before the moment; returns how many."""
        ...


class AccountChanges(Rows[AccountChange], Protocol):
    def waiting(self, account: UUID | None = None) -> Sequence[AccountChange]:
        """Those that nobody decided, oldest first."""
        ...


class LogIns(Protocol):
    def lock(self, account: UUID) -> None:
        """Count one failure of this account after the other, to the end of the transaction."""
        ...

    def get(self, account: UUID, source_sha256: bytes) -> LogInFailures:
        """The count; a new one where there is none."""
        ...

    def save(self, row: LogInFailures) -> None: ...

    def forget(self, account: UUID) -> None: ...

    def forget_quiet(self, *, counted_before: datetime, known_before: datetime) -> int:
        """Drop counts begun before the one moment with no success since the other; returns how many."""
        ...


class JobQueue(Protocol):
    def enqueue(
        self,
        kind: JobKind,
        arguments: Mapping[str, object],
        *,
        dedupe_key: str | None = None,
        run_at: datetime | None = None,
        max_attempts: int = 10,
    ) -> None:
        """Queue in this transaction (invariant 15); with a dedupe key that is known already, nothing happens."""
        ...

    def lease(self, worker: str, *, seconds: int) -> Job | None:
        """Take the next job that is due, or whose lease ran out."""
        ...

    def extend(self, job: Job, *, seconds: int) -> bool:
        """Heartbeat; False when the lease was lost."""
        ...

    def finish(self, job: Job) -> None: ...

    def fail(self, job: Job, error: str, *, retry_at: datetime) -> None:
        """Back to the queue, or dead when out of attempts."""
        ...

    def get(self, id: UUID) -> Job: ...

    def find(self, *, states: Iterable[str] = (), cursor: str | None = None, limit: int = 50) -> Page[Job]: ...

    def revive(self, id: UUID) -> None:
        """Give a dead job new attempts."""
        ...

    def oldest_due(self) -> datetime | None:
        """When the longest-waiting due job should have run."""
        ...

    def add_notice(self, notice: Notice) -> None: ...

    def notice(self, id: UUID) -> Notice: ...

    def mark_sent(self, id: UUID, at: datetime) -> None: ...

    def notices_of(self, account: UUID, *, limit: int = 50) -> Sequence[Notice]: ...

    def notices_about(self, application: UUID) -> Sequence[Notice]:
        """Oldest first."""
        ...


class AuditTrail(Protocol):
    def record(self, action: str, object_kind: str, object_id: object, **details: object) -> None:
        """Record in this transaction (invariant 7): chained and keyed at commit; if that fails, nothing commits.

        ``details`` are JSON values: identifiers and digests (hex), no personal data."""
        ...

    def records(
        self, *, after: int | None = 0, limit: int = 1000, object_id: str | None = None
    ) -> Sequence[AuditRecord]:
        """In their order: those after that sequence, or with None the newest."""
        ...

    def head(self) -> tuple[int, bytes]:
        """Sequence and digest of the last record; (0, GENESIS) when there is none."""
        ...

    def add_checkpoint(self, checkpoint: AuditCheckpoint) -> None: ...

    def checkpoints(self) -> Sequence[AuditCheckpoint]: ...


class LastSeal(Protocol):
    """The last checkpoint of the audit chain, kept outside the database: it tells when the chain's end is cut off."""

    def read(self) -> AuditCheckpoint | None:
        """None before the first seal; AuditBroken when what is kept is no checkpoint."""
        ...

    def keep(self, seal: AuditCheckpoint) -> None:
        """Durably; a seal over a later record stays."""
        ...


class Transaction(Protocol):
    """One database transaction of one caller. Leaving the ``with`` block commits; an exception rolls back."""

    actor: Actor
    now: datetime
    """The moment that every row of the transaction carries."""

    @property
    def applications(self) -> Applications: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def authorities(self) -> Authorities: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def account_changes(self) -> AccountChanges: ...
    @property
    def log_ins(self) -> LogIns: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def audit(self) -> AuditTrail: ...

    def new_id(self) -> UUID: ...


class Transactions(Protocol):
    """Opens transactions. A conflict with another writer (SQLSTATE 40001, 40P01, SQLite busy) is TryAgain."""

    def begin(self, actor: Actor) -> AbstractContextManager[Transaction]: ...

    def read(self, actor: Actor) -> AbstractContextManager[Transaction]:
        """A transaction that cannot write."""
        ...


class Signer(Protocol):
    """A private key we may use but never see. Thread-safe."""

    @property
    def algorithm(self) -> SignatureAlgorithm: ...
    @property
    def algorithm_identifier(self) -> bytes:
        """DER AlgorithmIdentifier."""
        ...

    @property
    def public_key_info(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature value; KeyUnavailable when the key cannot be used."""
        ...


class KeyStore(Protocol):
    def generate(self, reference: str, algorithm: KeyAlgorithm) -> bytes:
        """Make a key; returns its SubjectPublicKeyInfo. Duplicate when the reference is taken."""
        ...

    def signer(self, reference: str, algorithm: SignatureAlgorithm) -> Signer: ...

    def references(self) -> Sequence[str]: ...


class SymmetricKeys(Protocol):
    """Named symmetric keys (32 octets) with identifiers, for document envelopes, audit and account secrets."""

    def current(self, purpose: str) -> tuple[str, bytes]: ...

    def get(self, key_id: str) -> bytes: ...


class Profiles(Protocol):
    """Pack data, loaded and checked at start."""

    def profile(self, key: str, *, on: date) -> Profile:
        """The version in force that day; NotFound."""
        ...

    def pinned(self, by: Pinned) -> Profile:
        """Exactly the version that it names; NotFound when it is not loaded any more."""
        ...

    def profiles(self, on: date) -> Sequence[Profile]: ...

    def pack(self, name: str) -> Pack: ...

    @property
    def packs(self) -> Sequence[Pack]: ...


class WorkingTime(Protocol):
    """Calendars of the packs."""

    def calendar_for(self, pack: str) -> Calendar: ...


class Calendar(Protocol):
    def add_working_time(self, start: datetime, amount: timedelta) -> datetime: ...

    def working_time_between(self, start: datetime, end: datetime) -> timedelta: ...


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What an upload turned out to be."""

    media_type: str
    filename: str
    """Made safe to show and store."""
    pages: int


class DocumentInspector(Protocol):
    def inspect(self, data: bytes, *, filename: str) -> Inspection:
        """Type by content, full parse in a separate process; DocumentRejected."""
        ...


class PageRenderer(Protocol):
    def render(self, data: bytes, *, media_type: str, page: int) -> bytes:
        """One page (from 1) as PNG, drawn anew in a separate process."""
        ...


class MalwareScanner(Protocol):
    def scan(self, data: bytes) -> None:
        """DocumentRejected when infected; TryAgain when it cannot say and has to fail closed."""
        ...


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """Where and under which key the sealed bytes lie."""

    size: int
    sha256: bytes
    wrapped_key: bytes
    key_id: str


class ObjectStore(Protocol):
    """Write-once, encrypted."""

    def put(self, object_id: UUID, owner: UUID, data: bytes) -> StoredObject: ...

    def get(self, object_id: UUID, owner: UUID, *, wrapped_key: bytes, key_id: str) -> bytes: ...

    def destroy(self, object_id: UUID) -> None: ...

    def orphans(self, known: Callable[[UUID], bool], *, before: datetime) -> Iterable[UUID]:
        """Objects written before the moment that are not ``known``."""
        ...


class PasswordHasher(Protocol):
    def hash(self, password: str) -> str: ...

    def verify(self, hash: str, password: str) -> bool: ...

    def needs_rehash(self, hash: str) -> bool: ...


class Mailer(Protocol):
    def send(self, *, to: str, subject: str, text: str, message_id: str) -> None:
        """Hand over to the mail system; TryAgain when it cannot take it now."""
        ...


@dataclass(frozen=True, kw_only=True)
class CheckOutcome:
    """What an evidence check says."""

    verdict: CheckVerdict
    detail: str
    extra: Mapping[str, str] | None = None


class EvidenceCheck(Protocol):
    """A counterparty or register check that a plugin brings."""

    @property
    def name(self) -> str: ...
    @property
    def mode(self) -> CheckMode: ...

    def run(self, subject: Mapping[str, str]) -> CheckOutcome: ...


class EventHandler(Protocol):
    def __call__(self, event: Mapping[str, object]) -> None: ...
