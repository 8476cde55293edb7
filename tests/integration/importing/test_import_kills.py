"""SIGKILL of the importing process before and after every commit: the next run takes in the rest, and nothing twice."""

from __future__ import annotations

import itertools
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine.default import DefaultDialect

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.services import certificate_import
from pechatnik.cli import program as command_line
from tests.integration.kills import dying_commit

COUNT, STRETCH = 5, 2
IMPORTED = "SELECT count(*) FROM certificates WHERE import_id IS NOT NULL"


def importing(home: Path, point: int) -> int:
    """A process that runs the command, and is killed at the n-th moment before or after a commit; how it ended."""
    child = os.fork()
    if child == 0:
        try:
            DefaultDialect.do_commit = dying_commit(point)  # type: ignore[method-assign]
            bundle, crl, refused, configuration = (
                str(home / name) for name in ("bundle.pem", "crl.der", "refused.jsonl", "pechatnik.toml")
            )
            arguments = ["cert", "import", bundle, "--issuer", "former", "--crl", crl, "--refused", refused]
            os._exit(command_line.run([*arguments, "--processes", "1", "-q", "-c", configuration]))
        except BaseException:
            traceback.print_exc(file=sys.stderr)
            os._exit(99)
    return os.waitpid(child, 0)[1]


def test_what_a_killed_import_left_out_the_next_one_takes_in(
    house: Any, taken_over: Any, former: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate_import, "STRETCH", STRETCH)
    monkeypatch.delenv("PECHATNIK_TOKEN", raising=False)
    (tmp_path / "crl.der").write_bytes(former.crl())
    house.program.engine.dispose()
    before = 0
    for point in itertools.count(1):
        (tmp_path / "bundle.pem").write_bytes(former.bundle(*(former.issue(f"{point}") for _ in range(COUNT))))
        ended = importing(tmp_path, point)
        if not os.WIFSIGNALED(ended):
            break
        assert os.waitstatus_to_exitcode(importing(tmp_path, 0)) == 0
        house.program.engine.dispose()
        with house.program.engine.connect() as connection:
            rows = connection.execute(
                text("SELECT count(*) FROM certificates WHERE import_id IS NOT NULL")
            ).scalar_one()
        assert rows - before in (COUNT, COUNT + 2), "the two authorities are among the first"
        before = rows
    assert os.waitstatus_to_exitcode(ended) == 0
    assert point > 2 * COUNT // STRETCH
    assert house.services.audit.verify(house.auditor).faults == ()
    records = house.services.audit.list(SYSTEM_ACTOR, limit=1000)
    counted = sum(int(one.details["count"]) for one in records if one.action == "certificates.imported")
    assert counted == before + COUNT
