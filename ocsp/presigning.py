"""Signs answers before anybody asks, and again long before they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.authority import Authority
from ca_core.domain.certificate import CertificateStatus
from ca_core.domain.errors import WrongState
from ca_core.domain.identifiers import Serial
from ca_core.domain.work import Job, JobKind
from ca_core.services.known_at import known_at
from ca_core.services.ports import KeyStore, Transaction, Transactions
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId
from ocsp.answers import AnswerStore, Shelf
from ocsp.composing import Composer, Signed, UnknownSerial, tail_of
from ocsp.responder import compromise_of
from ocsp.status import Status, status_of

STRETCH = 20_000
"""Certificates that one job goes through; jobs are spread over workers."""
TURNS = 8
"""How often all are looked through while an answer lasts."""
BATCH = 500
"""Certificates that are held unchanged at once while their answers are put in the store."""


@dataclass(frozen=True, kw_only=True)
class _Post:
    """What one stretch is signed with."""

    issuer: Authority
    composer: Composer
    compromised: Status | None
    tail: int
    cert_ids: Mapping[str, CertId]
    """By digest, with any serial."""
    certificates: dict[UUID, int]
    authorities: Mapping[UUID, int]
    """Whose versions all of it was read from."""


class Presigner:
    """Keeps the store filled.

    An answer is made again when between half and three quarters of its time are gone; which moment in between, the
    certificate's serial says, so that answers made together do not come due together."""

    def __init__(
        self,
        transactions: Transactions,
        keys: KeyStore,
        store: AnswerStore,
        *,
        validity: timedelta,
        unknown_serial: UnknownSerial,
        digests: Sequence[str],
        archive: timedelta | None = None,
    ) -> None:
        """``validity`` is from thisUpdate to nextUpdate, ``archive`` as for :class:`~ocsp.composing.Composer`."""
        self._transactions = transactions
        self._keys = keys
        self._store = store
        self._validity = validity
        self._unknown_serial = unknown_serial
        self._digests = digests
        self._archive = archive

    def tick(self) -> None:
        """Queue every stretch of every issuer, once in each eighth of an answer's time."""
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            turn = int(tx.now.timestamp() / (self._validity.total_seconds() / TURNS))
            for issuer in tx.authorities.issuers():
                if tx.authorities.responder_for(issuer.id, tx.now) is None:
                    continue
                for after, until in _stretches(tx.certificates.boundaries(issuer.id, every=STRETCH)):
                    ends = {"after": after and after.hex, "until": until and until.hex}
                    key = f"{JobKind.PRESIGN}:{turn}:{issuer.id}:{ends['after']}"
                    tx.jobs.enqueue(JobKind.PRESIGN, {"issuer": str(issuer.id), **ends}, dedupe_key=key)

    def do(self, job: Job) -> None:
        """Go through the stretch that a job names. Fresh answers stay, so one that was killed goes on where it was."""
        after, until = (_serial(job.arguments[name]) for name in ("after", "until"))
        self.sign(UUID(str(job.arguments["issuer"])), after=after, until=until)

    def fill(
        self,
        actor: Actor,
        authority_name: str,
        *,
        anew: bool = False,
        progress: Callable[[int, int], None] = lambda seen, signed: None,
    ) -> int:
        """Sign now what is missing or comes due, of all certificates of an authority; with ``anew`` forget its answers
        first, until then they are signed when somebody asks. Returns how many answers were made.

        NotFound for an authority that does not exist, WrongState for one without a responder."""
        actor.require(Permission.CRL_ISSUE)
        with self._transactions.read(actor) as tx:
            issuer = tx.authorities.by_name(authority_name)
            if tx.authorities.responder_for(issuer.id, tx.now) is None:
                raise WrongState(f"{issuer.name} has no OCSP responder, so nothing is answered for it")
        if anew:
            self._store.forget((), [issuer.id])
        return self.sign(issuer.id, progress=progress)

    def sign(
        self,
        issuer: UUID,
        *,
        after: Serial | None = None,
        until: Serial | None = None,
        progress: Callable[[int, int], None] = lambda seen, signed: None,
    ) -> int:
        """Sign what is missing or comes due between two serials; returns how many answers were made.

        ``progress`` is told how many certificates of a batch were looked at, and how many answers made."""
        made = 0
        while True:
            with self._transactions.read(SYSTEM_ACTOR) as tx:
                now = tx.now
                post = self._post(tx, issuer)
                rows = tx.certificates.statuses(issuer, after=after, until=until, limit=BATCH)
            if post is None or not rows:
                return made
            after = rows[-1].serial
            signed = sum(self._batch(post, rows, digest, now) for digest in self._digests)
            made += signed
            progress(len(rows), signed)

    def _post(self, tx: Transaction, issuer: UUID) -> _Post | None:
        authority = tx.authorities.get(issuer, seen_by=EVERYTHING)
        responder = tx.authorities.responder_for(issuer, tx.now)
        if responder is None:
            return None
        own = tx.certificates.get(authority.certificate_id, seen_by=EVERYTHING)
        signed_by = SignedCertificate.parse(authority.certificate)
        composer = Composer(
            self._keys,
            issuer=authority,
            responder=responder,
            validity=self._validity,
            unknown_serial=self._unknown_serial,
            archive=self._archive,
        )
        return _Post(
            issuer=authority,
            composer=composer,
            compromised=compromise_of(tx, authority),
            tail=self._store.tail(tail_of(responder)),
            cert_ids={
                digest: CertId.make(
                    issuer=signed_by.subject,
                    issuer_public_key_info=signed_by.public_key_info,
                    serial=1,
                    digest=digest,
                )
                for digest in self._digests
            },
            certificates={own.id: own.version},
            authorities={authority.id: authority.version, responder.id: responder.version},
        )

    def _batch(self, post: _Post, rows: Sequence[CertificateStatus], digest: str, now: datetime) -> int:
        shelf = Shelf(issuer=post.issuer.id, digest=digest)
        cert_id = post.cert_ids[digest]
        self._store.add_shelf(shelf, cert_id.before_serial)
        signed = {
            row: answer
            for row in self._due(shelf, rows, now)
            if row.not_after > now and (answer := _answer(post, cert_id.of_serial(row.serial.value), row, now))
        }
        if not signed:
            return 0
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            kept = tx.certificates.unchanged({row.id: row.version for row in signed} | post.certificates)
            if (
                tx.authorities.unchanged(post.authorities) == post.authorities.keys()
                and kept >= post.certificates.keys()
            ):
                answers = [(row.serial, answer) for row, answer in signed.items() if row.id in kept]
                self._store.put(shelf, answers, tail=post.tail)
                return len(answers)
        return 0

    def _due(self, shelf: Shelf, rows: Sequence[CertificateStatus], now: datetime) -> Iterator[CertificateStatus]:
        updated = self._store.updated(shelf, [row.serial for row in rows])
        for row, this_update in zip(rows, updated, strict=True):
            spread = row.serial.value % 256 / 1024
            if this_update is None or now - this_update >= self._validity * (0.5 + spread):
                yield row


def _answer(post: _Post, cert_id: CertId, row: CertificateStatus, now: datetime) -> Signed | None:
    status = post.compromised or status_of(row)
    this_update = known_at(now, () if status.revoked_at is None else (status.revoked_at,))
    return post.composer.sign([(cert_id, status)], this_update)


def _serial(hexadecimal: object) -> Serial | None:
    return None if hexadecimal is None else Serial(int(str(hexadecimal), 16))


def _stretches(boundaries: Sequence[Serial]) -> Iterator[tuple[Serial | None, Serial | None]]:
    yield from zip([None, *boundaries], [*boundaries, None], strict=True)
