"""The page of errors lists exactly the codes of the tree, each with its HTTP status and exit code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.exceptions import default_exceptions

from ca_core.domain.errors import CaError
from ca_core.domain.path_validation import Reason
from pechatnik.cli.exit_codes import exit_code_of
from web.status import status_of

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")


def below(kind: type[CaError]) -> Iterator[type[CaError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


TREE = [kind for kind in below(CaError) if kind.__module__ == CaError.__module__]
ROWS = {
    code: (int(status), int(leaving))
    for code, status, leaving in re.findall(r"^\| `([a-z-]+)` \| .+ \| (\d{3}) \| (\d+) \|$", PAGE, re.MULTILINE)
}
TRANSPORT = {
    code: int(status) for code, status in re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (\d{3}) \|$", PAGE, re.MULTILINE)
}


def test_every_code_is_on_the_page_and_no_other() -> None:
    codes = [kind.code for kind in TREE]
    assert sorted(codes) == sorted(set(codes)), "two errors share a code"
    assert set(ROWS) == set(codes)


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.code)
def test_the_page_tells_status_and_exit_code(kind: type[CaError]) -> None:
    error = kind("a sentence")
    assert ROWS[kind.code] == (status_of(error), exit_code_of(error))


@pytest.mark.parametrize("code", TRANSPORT)
def test_codes_of_http_itself_have_the_status_of_their_name(code: str) -> None:
    status = TRANSPORT[code]
    assert code not in ROWS
    assert default_exceptions[status]().name.lower().replace(" ", "-") == code


def test_the_page_lists_codes_of_http_itself() -> None:
    assert set(TRANSPORT.values()) == {400, 405, 413, 415, 500}


def test_the_page_lists_every_reason_of_a_verdict_and_no_other() -> None:
    _, _, reasons = PAGE.partition("## Reasons of a verdict")
    assert re.findall(r"^\| `([a-z-]+)` \|", reasons, re.MULTILINE) == [reason.value for reason in Reason]
