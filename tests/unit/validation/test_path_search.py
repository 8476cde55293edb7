"""The search for paths ends, whatever came along."""

from __future__ import annotations

import itertools

import pytest
from cryptography import x509

from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.domain.path_validation import Reason, RevocationChecking, ValidationLimits
from tests.unit.validation.conftest import Judge, certificate, der, key

WITHOUT = {"revocation": RevocationChecking.NONE}


def ladder(count: int) -> list[x509.Certificate]:
    """Authorities one under the other; the first is under the root."""
    names = ["root", *(f"authority {place}" for place in range(count))]
    return [
        certificate(lower, upper, issuer_key=None if upper == "root" else key("shared"), subject_key=key("shared"))
        for upper, lower in itertools.pairwise(names)
    ]


def test_authorities_that_certify_each_other_lead_nowhere(judge: Judge) -> None:
    circle = [certificate("one", "two"), certificate("two", "three"), certificate("three", "one")]
    verdict = judge(certificate("leaf", "one", ca=False), *circle, **WITHOUT)
    assert verdict.reason is Reason.NO_PATH


def test_authorities_that_certify_each_other_do_not_hide_the_way_out(judge: Judge) -> None:
    circle = [certificate("one", "two"), certificate("two", "one"), certificate("two", "root")]
    verdict = judge(certificate("leaf", "one", ca=False), *circle, **WITHOUT)
    assert [link.subject for link in verdict.chain] == ["CN=leaf", "CN=one", "CN=two", "CN=root"]
    assert verdict.valid


def test_of_a_thousand_certificates_the_right_ones_are_found(judge: Judge) -> None:
    crowd = [certificate("middle", "root", issuer_key=key("impostor"), subject_key=key("middle")) for _ in range(500)]
    crowd += [certificate(f"other {place}", "root", subject_key=key("shared")) for place in range(500)]
    crowd.insert(700, certificate("middle", "root"))
    assert judge(certificate("leaf", "middle", ca=False), *crowd, **WITHOUT).valid


def test_a_thousand_authorities_one_under_the_other_are_too_many(judge: Judge) -> None:
    above = ladder(1_000)
    leaf = certificate("leaf", "authority 999", ca=False, issuer_key=key("shared"))
    assert judge(leaf, *above, **WITHOUT).reason is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize(("longest", "valid"), [(5, False), (6, True)])
def test_a_chain_may_be_as_long_as_the_limit(root: x509.Certificate, longest: int, valid: bool) -> None:
    judge = Judge(anchors=[root], limits=ValidationLimits(chain=longest))
    leaf = certificate("leaf", "authority 3", ca=False, issuer_key=key("shared"))
    verdict = judge(leaf, *ladder(4), **WITHOUT)
    assert (verdict.valid, len(verdict.chain) if valid else verdict.reason) == (
        valid,
        6 if valid else Reason.LIMIT_EXCEEDED,
    )


def mesh(size: int) -> list[x509.Certificate]:
    """Each certifies each other: more paths than anybody can walk, and none to the root."""
    names = [f"peer {place}" for place in range(size)]
    return [certificate(lower, upper) for lower in names for upper in names if lower != upper]


def test_more_steps_than_the_limit_end_the_search(root: x509.Certificate) -> None:
    judge = Judge(anchors=[root], limits=ValidationLimits(steps=500))
    verdict = judge(certificate("leaf", "peer 0", ca=False), *mesh(8), **WITHOUT)
    assert verdict.reason is Reason.LIMIT_EXCEEDED
    assert "500" in verdict.sentence


def test_when_the_time_is_up_the_search_ends(root: x509.Certificate) -> None:
    ticks = itertools.count()
    judge = Judge(anchors=[root], limits=ValidationLimits(seconds=50), monotonic=lambda: float(next(ticks)))
    verdict = judge(certificate("leaf", "peer 0", ca=False), *mesh(5), **WITHOUT)
    assert verdict.reason is Reason.LIMIT_EXCEEDED
    assert "time" in verdict.sentence


@pytest.mark.parametrize(("most", "valid"), [(5, False), (6, True)])
def test_no_more_paths_are_tried_than_the_limit(root: x509.Certificate, most: int, valid: bool) -> None:
    judge = Judge(anchors=[root], limits=ValidationLimits(paths=most))
    above = [*(certificate("middle", "root", path_length=0) for _ in range(5)), certificate("middle", "root")]
    verdict = judge(certificate("leaf", "lower", ca=False), certificate("lower", "middle"), *above, **WITHOUT)
    assert verdict.valid is valid
    assert valid or verdict.reason is Reason.PATH_LENGTH, "the first thing that was found wrong is told"


def test_more_certificates_than_the_limit_are_refused(root: x509.Certificate) -> None:
    judge = Judge(anchors=[root], limits=ValidationLimits(candidates=1))
    with pytest.raises(InvalidInput, match="more than 1"):
        judge(certificate("leaf", "root", ca=False), *ladder(2), **WITHOUT)


@pytest.mark.parametrize("data", [b"", b"\x30\x03\x02\x01\x01", b"\x30\x80\x00\x00", b"text", b"\x30" * 70_000])
def test_what_is_no_certificate_is_refused(judge: Judge, data: bytes) -> None:
    with pytest.raises(MalformedDer):
        judge(data, **WITHOUT)


def test_a_certificate_with_an_octet_behind_it_is_refused(judge: Judge) -> None:
    with pytest.raises(MalformedDer):
        judge(der(certificate("leaf", "root", ca=False)) + b"\0", **WITHOUT)
