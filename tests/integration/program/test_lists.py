"""Lists: whole where a program reads them, one line for each row on a terminal, identifiers never broken."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from pechatnik.cli import output


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes standard output a terminal of that width; returns where its text arrives."""

    def of(width: int) -> io.StringIO:
        text = io.StringIO()
        made = Console(file=text, force_terminal=True, color_system=None, width=width, soft_wrap=True)
        monkeypatch.setattr(output, "stdout", made)
        return text

    return of


def test_a_list_in_a_pipe_is_neither_wrapped_nor_cut(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    known = call("cert", "list", "--json").document["items"]
    heading, *lines = call("cert", "list").out.splitlines()
    assert heading.split()[:3] == ["serial", "state", "subject"]
    assert len(lines) == len(known)
    for line, one in zip(lines, known, strict=True):
        for field in ("serial", "subject", "not_after", "profile"):
            assert one[field] in line


@pytest.mark.parametrize("width", [20, 80, 100, 300])
def test_on_a_terminal_each_row_has_one_line_and_its_whole_serial(call: Any, terminal: Any, width: int) -> None:
    known = call("cert", "list", "--json").document["items"]
    text = terminal(width)
    call("cert", "list")
    lines = text.getvalue().splitlines()[1:]
    assert [line.split()[0] for line in lines] == [one["serial"] for one in known]
    if width >= 80:
        assert max(map(len, lines)) <= width
    assert ("…" in text.getvalue()) == (width < 300)


def test_names_to_be_typed_are_whole_on_a_terminal(call: Any, terminal: Any) -> None:
    text = terminal(60)
    call("ca", "show")
    assert [line.split()[0] for line in text.getvalue().splitlines()[1:]] == ["root", "issuing", "ocsp-1"]


def test_the_record_is_listed_from_its_end_and_says_how_to_see_the_rest(call: Any) -> None:
    everything = call("audit", "list", "--limit", "1000", "--json").document["items"]
    answer = call("audit", "list", "--limit", "2")
    assert [line.split()[0] for line in answer.out.splitlines()[1:]] == [
        str(one["sequence"]) for one in everything[-2:]
    ]
    assert "--after 0" in answer.err
    answer = call("audit", "list", "--limit", "2", "--after", "0")
    assert [line.split()[0] for line in answer.out.splitlines()[1:]] == ["1", "2"]
    assert "more: --after 2" in answer.err
    assert not call("audit", "list", "--limit", "1000").err


def test_a_sentence_in_a_pipe_is_not_wrapped(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    answer = call("application", "new", "--profile", "no/such-profile-anywhere-in-any-pack-that-is-loaded")
    assert answer.err.count("\n") == 1
