"""Walking the audit chain: is each record what it was, and where it was? Without database, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hmac import compare_digest

from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.audit import (
    GENESIS,
    AuditCheckpoint,
    AuditEvent,
    AuditRecord,
    Fault,
    checkpoint_message,
    record_digest,
)
from ca_core.domain.errors import CaError
from ca_core.x509.algorithm import signature_algorithm_identifier
from ca_core.x509.signature import verify_signature

SIGNATURE = SignatureAlgorithm.ECDSA_SHA384
"""Of checkpoints."""
MAX_REASONS = 20
MAX_FAULTS = 1000


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """The outcome of a verification."""

    ok: bool
    records: int
    """How many were looked at."""
    sealed_up_to: int
    """The last record that a good checkpoint covers; what comes after could have been cut off unseen."""
    first_broken: int | None
    """Sequence of the first record that is not what it has to be, or that a row contradicts."""
    reasons: tuple[str, ...]
    """In words, the first of them."""
    faults: tuple[Fault, ...] = ()
    """Where rows are not what the record says, the first :data:`MAX_FAULTS`; empty for a chain without a database."""


@dataclass
class AuditChain:
    """Feed it the records in their order, then ask for the :attr:`report`."""

    checkpoints: Iterable[AuditCheckpoint]
    trusted_keys: frozenset[bytes] | None
    """SubjectPublicKeyInfo of the keys whose checkpoints count; None takes each checkpoint's own word for its key."""
    check_mac: Callable[[AuditRecord], bool] | None = None
    """Whether the record's MAC is right, where the keys are at hand."""
    must_be_sealed: bool = False
    """Whether a chain without any good checkpoint counts as broken."""
    sequence: int = 0
    """Of the last record fed."""
    digest: bytes = GENESIS
    _records: int = 0
    _sealed: int = 0
    _first_broken: int | None = None
    _reasons: list[str] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _waiting: dict[int, list[AuditCheckpoint]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for checkpoint in self.checkpoints:
            self._waiting.setdefault(checkpoint.sequence, []).append(checkpoint)

    def feed(self, record: AuditRecord) -> bool:
        """The next record; whether it reads as it was written."""
        genuine = False
        self._records += 1
        due = self.sequence + 1
        if record.sequence != due:
            self._broken(due, f"record {due} is missing or out of its place: {record.sequence} follows")
        elif not compare_digest(record.previous, self.digest):
            self._broken(record.sequence, f"record {record.sequence} does not point to the one before it")
        if not compare_digest(record.digest, digest_of(record)):
            self._broken(record.sequence, f"record {record.sequence} was changed: its digest does not fit")
        elif self.check_mac is not None and not self.check_mac(record):
            self._broken(record.sequence, f"record {record.sequence} was not written with the audit key")
        else:
            genuine = True
        self.sequence, self.digest = record.sequence, record.digest
        for checkpoint in self._waiting.pop(record.sequence, ()):
            self._judge(checkpoint, record.digest)
        return genuine

    def expect_end(self, sequence: int, digest: bytes) -> None:
        """Where the chain has to end now."""
        if sequence != self.sequence:
            at = min(sequence, self.sequence) + 1
            self._broken(at, f"the chain ends with record {self.sequence}; it should end with {sequence}")
        elif not compare_digest(digest, self.digest):
            self._broken(sequence, f"record {sequence} is not the one that the chain ends with")

    def contradicted(self, fault: Fault) -> None:
        """The record stands, and what it tells of does not."""
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(fault)
        if fault.record is None:
            self._because(str(fault))
        else:
            self._broken(fault.record, str(fault))

    def report(self) -> AuditReport:
        """After the last record: checkpoints over records that did not come show a tail cut off."""
        for sequence in sorted(self._waiting):
            self._broken(self.sequence + 1, f"a checkpoint covers record {sequence}, which is missing")
        self._waiting.clear()
        if self.must_be_sealed and self._records and not self._sealed and self._first_broken is None:
            self._broken(1, "no checkpoint of a trusted key covers any of these records")
        return AuditReport(
            ok=self._first_broken is None and not self._faults,
            records=self._records,
            sealed_up_to=self._sealed,
            first_broken=self._first_broken,
            reasons=tuple(self._reasons),
            faults=tuple(self._faults),
        )

    def _judge(self, checkpoint: AuditCheckpoint, digest: bytes) -> None:
        at = checkpoint.sequence
        if not compare_digest(checkpoint.digest, digest):
            self._broken(at, f"the checkpoint over record {at} has another digest: the chain up to it was rewritten")
        elif self.trusted_keys is not None and checkpoint.public_key_info not in self.trusted_keys:
            self._broken(at, f"the checkpoint over record {at} is signed by a key that is not trusted")
        elif not is_signed(checkpoint):
            self._broken(at, f"the signature of the checkpoint over record {at} does not verify")
        elif self._first_broken is None:
            self._sealed = at

    def _broken(self, sequence: int, reason: str) -> None:
        if self._first_broken is None or sequence < self._first_broken:
            self._first_broken = sequence
        self._because(reason)

    def _because(self, reason: str) -> None:
        if len(self._reasons) < MAX_REASONS:
            self._reasons.append(reason)


def digest_of(record: AuditRecord) -> bytes:
    """What the record's digest has to be."""
    event = AuditEvent(
        at=record.at,
        actor=record.actor,
        actor_name=record.actor_name,
        action=record.action,
        object_kind=record.object_kind,
        object_id=record.object_id,
        details=record.details,
    )
    return record_digest(event, sequence=record.sequence, previous=record.previous, key_id=record.key_id)


def is_signed(checkpoint: AuditCheckpoint) -> bool:
    """Whether the checkpoint's signature verifies under the key it carries."""
    try:
        verify_signature(
            checkpoint.public_key_info,
            signature_algorithm_identifier(SIGNATURE),
            checkpoint_message(checkpoint.sequence, checkpoint.digest),
            checkpoint.signature,
        )
    except CaError:
        return False
    return True
