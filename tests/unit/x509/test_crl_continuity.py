"""What of a former list is missing from the next: the same answer as by sets, however the two are cut and differ."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from ca_core.x509 import crl_entries
from ca_core.x509.crl_entries import encode_entries
from crl.continuity import missing

SERIALS = st.sets(st.sampled_from([f"{number:04x}" for number in (*range(0x0100, 0x0180), *range(0x8000, 0x8010))]))


def entries(serials: Iterable[str], reason: int = 1) -> bytes:
    return encode_entries([(serial, 0, reason, None) for serial in sorted(serials)])


@pytest.mark.parametrize("chunk", [64, 1 << 16], ids=["taken apart two by two", "at once"])
@given(former=SERIALS, now=SERIALS, cuts=st.sets(st.integers(1, 150), max_size=20), same=st.booleans())
@settings(deadline=None, max_examples=200)
def test_what_is_missing_is_found_and_nothing_else(
    chunk: int, former: set[str], now: set[str], cuts: set[int], same: bool
) -> None:
    listed = sorted(now | former if same else now)
    places = sorted({0, len(listed), *(cut for cut in cuts if cut < len(listed))})
    runs = [entries(listed[start:end]) for start, end in pairwise(places)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crl_entries, "_CHUNK", chunk)
        found = list(missing(memoryview(entries(former)), runs))
    assert found == [bytes.fromhex(one) for one in sorted(former - set(listed))]


def test_an_entry_that_says_something_else_is_there() -> None:
    assert list(missing(entries(["0101", "0102"]), [entries(["0101"], reason=6), entries(["0102"])])) == []
