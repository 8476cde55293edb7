"""The last seal of the audit chain beside the keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ca_core.domain.audit import AuditCheckpoint
from ca_core.domain.errors import AuditBroken, ConfigurationError
from ca_core.keys.last_seal import NAME, LastSealFile
from ca_core.services.audit_file import heading_line
from ca_core.services.ports import LastSeal

SEAL = AuditCheckpoint(
    sequence=5,
    digest=bytes(range(32)),
    at=datetime(2026, 3, 2, 9, 30, 1, 250, tzinfo=UTC),
    key_reference="audit",
    public_key_info=b"key",
    signature=b"signature",
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "audit"


def test_there_is_none_before_the_first(directory: Path) -> None:
    port: LastSeal = LastSealFile(directory)
    assert port.read() is None


def test_what_was_kept_is_read_in_the_next_process_and_by_nobody_else(directory: Path) -> None:
    LastSealFile(directory).keep(SEAL)
    assert LastSealFile(directory).read() == SEAL
    assert (directory / NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in directory.iterdir()] == [NAME], "nothing half-written stays"


def test_a_seal_over_a_later_record_stays(directory: Path) -> None:
    file = LastSealFile(directory)
    for sequence in (5, 9, 7):
        file.keep(replace(SEAL, sequence=sequence))
    kept = file.read()
    assert kept is not None
    assert kept.sequence == 9


def test_of_many_writers_at_once_the_latest_seal_stays(directory: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: LastSealFile(directory).keep(replace(SEAL, sequence=n * 37 % 64 + 1)), range(64)))
    kept = LastSealFile(directory).read()
    assert kept is not None
    assert kept.sequence == 64


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"{}", b'{"kind": "checkpoint"}', heading_line(sequence=5, digest=bytes(32)).encode()],
    ids=["empty", "no text", "nothing in it", "half of it", "another line"],
)
def test_a_file_that_holds_no_seal_is_neither_read_nor_replaced(directory: Path, content: bytes) -> None:
    file = LastSealFile(directory)
    file.keep(SEAL)
    (directory / NAME).write_bytes(content)
    with pytest.raises(AuditBroken):
        file.read()
    with pytest.raises(AuditBroken):
        file.keep(SEAL)
    assert (directory / NAME).read_bytes() == content


def test_a_file_that_others_may_write_is_refused(directory: Path) -> None:
    file = LastSealFile(directory)
    file.keep(SEAL)
    (directory / NAME).chmod(0o666)
    with pytest.raises(ConfigurationError):
        file.read()
