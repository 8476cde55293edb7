"""docs/errors.md says what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ca_core.domain import errors
from pechatnik.cli.exit_codes import exit_code_of
from web.status import status_of

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def leaves(kind: type[errors.CaError]) -> Iterator[type[errors.CaError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from leaves(child)


def test_the_page_lists_every_code_with_its_status_and_exit_code() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| (\d+) \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {code: (int(status), int(exit_code)) for code, status, exit_code in rows}
    present = {one.code: (status_of(one("x")), exit_code_of(one("x"))) for one in leaves(errors.CaError)}
    assert documented == present


def test_no_code_is_used_twice() -> None:
    codes = [one.code for one in leaves(errors.CaError)]
    assert len(codes) == len(set(codes))
