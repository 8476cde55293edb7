"""Whatever stands in a certificate, list or answer, there is a verdict or a refusal, and nothing else."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from ca_core.domain.errors import MalformedDer
from tests.unit.validation.conftest import Judge, certificate, der
from tests.unit.validation.test_path_rules import POLICY, constraint, dns, policies
from tests.unit.validation.test_revocation import GOOD, LEAF, MIDDLE, answer

FULL = certificate(
    "leaf", "middle", constraint(permitted="example.com"), dns("www.example.com"), policies(POLICY), ca=False
)
DRAWS = 400
"""Changes of each kind of bytes; the same in each run."""


def changes(encoded: bytes) -> list[bytes]:
    draw = random.Random(len(encoded))
    found = []
    for _ in range(DRAWS):
        at = draw.randrange(len(encoded))
        kind = draw.randrange(3)
        if kind == 0:
            found.append(encoded[:at] + bytes([draw.randrange(256)]) + encoded[at + 1 :])
        elif kind == 1:
            found.append(encoded[:at])
        else:
            found.append(encoded[:at] + encoded[at + draw.randrange(1, 9) :])
    return found


KINDS: dict[str, tuple[bytes, Callable[[Judge, bytes], bool]]] = {
    "certificate": (der(LEAF), lambda judge, data: judge(data, MIDDLE, lists=GOOD).valid),
    "certificate with more in it": (der(FULL), lambda judge, data: judge(data, MIDDLE, lists=GOOD).valid),
    "list": (GOOD[1], lambda judge, data: judge(LEAF, MIDDLE, lists=[GOOD[0], data]).valid),
    "answer": (answer(), lambda judge, data: judge(LEAF, MIDDLE, lists=GOOD[:1], responses=[data]).valid),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_structure_is_refused_or_not_valid(judge: Judge, kind: str) -> None:
    genuine, ask = KINDS[kind]
    assert ask(judge, genuine)
    for data in changes(genuine):
        if data == genuine:
            continue
        with contextlib.suppress(MalformedDer):
            assert not ask(judge, data), data.hex()


def test_an_unsigned_change_of_a_certificate_is_no_other_certificate(judge: Judge) -> None:
    encoded = der(LEAF)
    at = encoded.rindex(bytes.fromhex("06082a8648ce3d040302"))
    changed = encoded[:at] + bytes.fromhex("06082a8648ce3d040303") + encoded[at + 10 :]
    with pytest.raises(MalformedDer, match="two signature algorithms"):
        judge(changed, MIDDLE)
