"""The audit trail as a file of JSON lines: first a heading, then the checkpoints, then the records in their order.

Written by whoever has the database, read by whoever doubts it: reading needs neither database nor configuration.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from ca_core.domain.audit import AuditCheckpoint, AuditRecord
from ca_core.domain.errors import InvalidInput
from ca_core.services.audit_chain import AuditChain, AuditReport

FORMAT = "pechatnik-audit-1"
T = TypeVar("T")

_BYTES = ("previous", "digest", "mac", "public_key_info", "signature")
_HEADING = frozenset({"format", "sequence", "digest"})
_RECORD = frozenset(AuditRecord.__dataclass_fields__)
_CHECKPOINT = frozenset(AuditCheckpoint.__dataclass_fields__)


def heading_line(*, sequence: int, digest: bytes) -> str:
    """How far the file goes, so that a broken transfer shows."""
    return _line("heading", {"format": FORMAT, "sequence": sequence, "digest": digest.hex()})


def checkpoint_line(checkpoint: AuditCheckpoint) -> str:
    return _line("checkpoint", {name: _written(getattr(checkpoint, name)) for name in _CHECKPOINT})


def record_line(record: AuditRecord) -> str:
    return _line("record", {name: _written(getattr(record, name)) for name in _RECORD})


def read_checkpoint(line: str) -> AuditCheckpoint:
    """What :func:`checkpoint_line` wrote; InvalidInput for anything else."""
    kind, fields = _parsed(line, 1)
    if kind != "checkpoint":
        raise InvalidInput(f"this is a {kind[:20]} of an audit export, not a checkpoint")
    return _read(1, _checkpoint, fields, _CHECKPOINT)


def verify_export(lines: Iterable[str], *, trusted_public_keys: Collection[bytes]) -> AuditReport:
    """Check a whole export, line by line, in constant memory but for the checkpoints.

    With ``trusted_public_keys`` (DER SubjectPublicKeyInfo) a checkpoint by any other key breaks the chain, and so does
    the lack of any; without them the checkpoints only show that the file agrees with itself. InvalidInput when it is
    not an export at all."""
    parts = ((number, _parsed(line, number)) for number, line in enumerate(lines, 1) if line.strip())
    first, (kind, fields) = next(parts, (1, ("", {})))
    if kind != "heading" or fields.get("format") != FORMAT:
        raise InvalidInput(f"this is not an audit export: its first line has to say {FORMAT}")
    end = _read(first, _heading, fields, _HEADING)
    trusted = frozenset(trusted_public_keys) or None
    checkpoints: list[AuditCheckpoint] = []
    chain: AuditChain | None = None
    for number, (kind, fields) in parts:
        if kind == "checkpoint" and chain is None:
            checkpoints.append(_read(number, _checkpoint, fields, _CHECKPOINT))
        elif kind == "record":
            chain = chain or _chain(checkpoints, trusted)
            chain.feed(_read(number, _record, fields, _RECORD))
        else:
            raise InvalidInput(f"line {number} of the audit export is out of its place")
    chain = chain or _chain(checkpoints, trusted)
    chain.expect_end(*end)
    return chain.report()


def _chain(checkpoints: Iterable[AuditCheckpoint], trusted: frozenset[bytes] | None) -> AuditChain:
    return AuditChain(checkpoints, trusted_keys=trusted, must_be_sealed=trusted is not None)


def _line(kind: str, fields: Mapping[str, object]) -> str:
    return json.dumps({"kind": kind, **fields}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _written(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _parsed(line: str, number: int) -> tuple[str, dict[str, object]]:
    try:
        fields = json.loads(line, object_pairs_hook=_once_each, parse_constant=_refuse)
        return str(fields.pop("kind")), fields
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise InvalidInput(f"line {number} of the audit export is not one JSON object with a kind") from None


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of a name given twice, two readers may take different values."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name is given twice")
    return fields


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _read(number: int, make: Callable[[dict[str, object]], T], fields: dict[str, object], names: frozenset[str]) -> T:
    if fields.keys() != names:
        raise InvalidInput(f"line {number} of the audit export has other fields than it should")
    try:
        return make({name: bytes.fromhex(str(fields[name])) if name in _BYTES else fields[name] for name in fields})
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(f"line {number} of the audit export has a field of the wrong form") from None


def _heading(fields: dict[str, object]) -> tuple[int, bytes]:
    sequence, digest = fields["sequence"], fields["digest"]
    if not isinstance(sequence, int) or not isinstance(digest, bytes):
        raise TypeError("a sequence is a number")
    return sequence, digest


def _record(fields: dict[str, object]) -> AuditRecord:
    details = fields["details"]
    if not isinstance(details, dict) or not isinstance(fields["sequence"], int):
        raise TypeError("details are an object and a sequence is a number")
    texts = {name: str(fields[name]) for name in ("actor_name", "action", "object_kind", "object_id", "key_id")}
    return AuditRecord(
        **{**fields, **texts, "at": _moment(fields["at"]), "actor": UUID(str(fields["actor"])), "details": details}  # type: ignore[arg-type]  # the names were compared, the rest is bytes
    )


def _checkpoint(fields: dict[str, object]) -> AuditCheckpoint:
    if not isinstance(fields["sequence"], int) or not 0 < fields["sequence"] < 1 << 63:
        raise TypeError("a sequence is a positive number")
    return AuditCheckpoint(
        **{**fields, "at": _moment(fields["at"]), "key_reference": str(fields["key_reference"])}  # type: ignore[arg-type]  # the names were compared, the rest is bytes
    )


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
