"""Messages between the sandbox and its parent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from ca_core.documents.envelope import pack, unpack


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()), st.binary())
@settings(deadline=None)
def test_a_message_comes_out_as_it_went_in(header: dict[str, object], body: bytes) -> None:
    assert unpack(pack(header, body)) == (header, body)


GOOD = pack({"a": 1}, b"body")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        GOOD[:7],
        GOOD[:-1],
        GOOD + b"x",
        pack({}, b"").replace(b"{}", b"[]"),
        pack({}, b"").replace(b"{}", b"\xff{"),
    ],
    ids=["empty", "no-lengths", "short", "long", "not-an-object", "not-text"],
)
def test_a_broken_message_is_a_value_error(message: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - UnicodeDecodeError and JSONDecodeError are among them
        unpack(message)


@given(st.binary(max_size=64))
@settings(deadline=None)
def test_random_bytes_never_raise_anything_else(message: bytes) -> None:
    try:
        unpack(message)
    except ValueError:
        return
