"""The status of others is fetched where their certificates say, kept until its nextUpdate, never trusted for that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from ca_core.domain.errors import TryAgain
from ca_core.domain.path_validation import EvidenceKind, Reason, RevocationChecking, ValidationLimits
from ca_core.validation.fetched import FetchedStatus
from tests.unit.validation.conftest import DAY, NOW, Judge, certificate, key, revocation_list
from tests.unit.validation.test_revocation import answer

HOUR = timedelta(hours=1)
LIST = "http://ca.example/middle.crl"
RESPONDER = "http://ca.example/ocsp"


@dataclass
class Reply:
    body: bytes
    status: int = 200


@dataclass
class Peers:
    """What lies at which address; what is not there does not answer."""

    at: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    def get(self, url: str, *, most: int) -> Reply:
        self.asked.append(url)
        if url not in self.at:
            raise TryAgain("nobody is there")
        return self.at[url]

    def post(self, url: str, body: bytes, *, most: int, headers: dict[str, str]) -> Reply:
        self.requests.append(body)
        return self.get(url, most=most)


def crl_at(*urls: str) -> tuple[x509.ExtensionType, bool]:
    points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls]
    return x509.CRLDistributionPoints(points), False


def ocsp_at(url: str) -> tuple[x509.ExtensionType, bool]:
    name = x509.UniformResourceIdentifier(url)
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, name)]), False


LEAF = certificate("leaf", "root", crl_at(LIST), ca=False)
ANSWERED = certificate("answered", "root", crl_at(LIST), ocsp_at(RESPONDER), ca=False)


@pytest.fixture
def peers() -> Peers:
    return Peers({LIST: Reply(revocation_list("root", number=5))})


@pytest.fixture
def asking(root: x509.Certificate, peers: Peers) -> Judge:
    return Judge(anchors=[root], fetched=FetchedStatus(peers, most_list=1 << 20))


def test_a_list_is_fetched_where_the_certificate_says(asking: Judge, peers: Peers) -> None:
    verdict = asking(LEAF)
    assert (verdict.valid, peers.asked) == (True, [LIST])
    assert [one.number for one in verdict.evidence] == [5]


def test_an_answer_is_asked_for_before_a_list(asking: Judge, peers: Peers, root: x509.Certificate) -> None:
    peers.at[RESPONDER] = Reply(answer(ANSWERED, root, signing=key("root")))
    verdict = asking(ANSWERED)
    assert (verdict.valid, peers.asked) == (True, [RESPONDER])
    assert [one.kind for one in verdict.evidence] == [EvidenceKind.OCSP]
    asked = ocsp.load_der_ocsp_request(peers.requests[0])
    assert asked.serial_number == ANSWERED.serial_number


def test_where_the_responder_is_silent_the_list_tells(asking: Judge, peers: Peers) -> None:
    assert asking(ANSWERED).valid
    assert peers.asked == [RESPONDER, LIST]


def test_what_was_fetched_is_kept_until_its_next_update(asking: Judge, peers: Peers) -> None:
    for now in (NOW, NOW + HOUR, NOW + DAY - HOUR):
        assert asking(LEAF, now=now).valid
    assert peers.asked == [LIST]
    peers.at[LIST] = Reply(revocation_list("root", (LEAF, x509.ReasonFlags.superseded, NOW), until=NOW + 3 * DAY))
    assert asking(LEAF, now=NOW + DAY + HOUR).reason is Reason.REVOKED
    assert peers.asked == [LIST, LIST]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"nonsense"),
        Reply(revocation_list("root"), status=404),
        Reply(revocation_list("root", signing=key("impostor"))),
        Reply(revocation_list("root", until=NOW - HOUR)),
    ],
    ids=["nonsense", "not there", "signed by somebody else", "past its nextUpdate"],
)
def test_what_is_no_list_of_the_issuer_tells_nothing(asking: Judge, peers: Peers, reply: Reply) -> None:
    peers.at[LIST] = reply
    assert asking(LEAF).reason in (Reason.STATUS_UNKNOWN, Reason.STATUS_STALE)
    softly = asking(LEAF, revocation=RevocationChecking.SOFT)
    assert (softly.valid, len(softly.unknown)) == (True, 1)


def test_nobody_is_asked_unless_the_configuration_says_so(root: x509.Certificate, peers: Peers) -> None:
    assert Judge(anchors=[root])(LEAF).reason is Reason.STATUS_UNKNOWN
    assert peers.asked == []


def test_nobody_is_asked_where_revocation_does_not_count(asking: Judge, peers: Peers) -> None:
    assert asking(LEAF, revocation=RevocationChecking.NONE).valid
    assert peers.asked == []


def test_no_more_addresses_are_asked_than_the_limit(root: x509.Certificate, peers: Peers) -> None:
    judge = Judge(anchors=[root], fetched=FetchedStatus(peers, most_list=1 << 20), limits=ValidationLimits(fetches=3))
    many = certificate("many", "root", crl_at(*(f"http://ca{place}.example/" for place in range(9))), ca=False)
    assert judge(many).reason is Reason.STATUS_UNKNOWN
    assert len(peers.asked) == 3


def test_the_limit_is_for_all_paths_of_a_verdict_together(root: x509.Certificate, peers: Peers) -> None:
    judge = Judge(anchors=[root], fetched=FetchedStatus(peers, most_list=1 << 20), limits=ValidationLimits(fetches=3))
    above = [certificate("middle", "root", crl_at(f"http://ca{place}.example/")) for place in range(9)]
    assert judge(certificate("leaf", "middle", ca=False), *above).reason is Reason.STATUS_UNKNOWN
    assert len(peers.asked) == 3


def test_other_schemes_are_not_asked(root: x509.Certificate, asking: Judge, peers: Peers) -> None:
    elsewhere = certificate("elsewhere", "root", crl_at("ldap://ca.example/", "file:///etc/passwd"), ca=False)
    assert asking(elsewhere).reason is Reason.STATUS_UNKNOWN
    assert peers.asked == []
