"""Who is revoked is not valid, whoever tells it; and who tells it has to be the one who may."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl, x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509 import ocsp

from ca_core.domain.path_validation import EvidenceKind, OwnState, OwnStatus, Reason, RevocationChecking
from tests.unit.validation.conftest import DAY, NOW, Judge, certificate, der, key, revocation_list

R = x509.ReasonFlags
MIDDLE = certificate("middle", "root")
LEAF = certificate("leaf", "middle", ca=False)
GOOD = revocation_list("root"), revocation_list("middle", number=7)
HOUR = timedelta(hours=1)


def answer(
    one: x509.Certificate = LEAF,
    issuer: x509.Certificate = MIDDLE,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    responder: x509.Certificate | None = None,
    signing: Any = None,
    made: datetime = NOW - HOUR,
    until: datetime | None = NOW + HOUR,
    reason: x509.ReasonFlags | None = None,
) -> bytes:
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=one,
        issuer=issuer,
        algorithm=hashes.SHA1(),
        cert_status=status,
        this_update=made,
        next_update=until,
        revocation_time=NOW - DAY if revoked else None,
        revocation_reason=reason,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, responder or issuer)
    if responder is not None:
        builder = builder.certificates([responder])
    return der(builder.sign(signing or key("middle"), hashes.SHA256()))


def responder_of(issuer: str, *extensions: Any) -> x509.Certificate:
    signing = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING]), False
    return certificate("responder", issuer, signing, (x509.OCSPNoCheck(), False), *extensions, ca=False)


def test_lists_of_every_issuer_make_a_verdict(judge: Judge) -> None:
    verdict = judge(LEAF, MIDDLE, lists=GOOD)
    assert verdict.valid, verdict.sentence
    told = [(one.certificate, one.kind, one.number, one.next_update) for one in verdict.evidence]
    assert told == [(1, EvidenceKind.CRL, 1, NOW + DAY), (0, EvidenceKind.CRL, 7, NOW + DAY)]
    assert verdict.reusable_until == NOW + DAY


def test_a_verdict_is_not_reused_beyond_the_end_of_its_chain(judge: Judge) -> None:
    brief = certificate("leaf", "middle", ca=False, ends=NOW + HOUR)
    assert judge(brief, MIDDLE, lists=GOOD).reusable_until == NOW + HOUR


@pytest.mark.parametrize(("missing", "place"), [(0, 1), (1, 0)])
def test_a_status_that_nobody_tells_is_not_valid(judge: Judge, missing: int, place: int) -> None:
    lists = [one for at, one in enumerate(GOOD) if at != missing]
    verdict = judge(LEAF, MIDDLE, lists=lists)
    assert (verdict.reason, verdict.certificate) == (Reason.STATUS_UNKNOWN, place)


def test_softly_it_is_valid_and_the_verdict_says_what_is_not_known(judge: Judge) -> None:
    verdict = judge(LEAF, MIDDLE, lists=GOOD[:1], revocation=RevocationChecking.SOFT)
    assert verdict.valid
    assert verdict.unknown == ("CN=leaf has a status that nobody tells",)
    assert verdict.reusable_until is None


@pytest.mark.parametrize("checking", [RevocationChecking.HARD, RevocationChecking.SOFT])
def test_who_is_on_a_list_is_revoked(judge: Judge, checking: RevocationChecking) -> None:
    lists = [GOOD[0], revocation_list("middle", (LEAF, R.key_compromise, NOW - DAY))]
    verdict = judge(LEAF, MIDDLE, lists=lists, revocation=checking)
    assert (verdict.reason, verdict.certificate) == (Reason.REVOKED, 0)
    assert (verdict.revoked_at, verdict.revocation_reason) == (NOW - DAY, "keyCompromise")


def test_a_revoked_authority_takes_those_below_it_along(judge: Judge) -> None:
    lists = [revocation_list("root", (MIDDLE, R.ca_compromise, NOW - DAY)), GOOD[1]]
    verdict = judge(LEAF, MIDDLE, lists=lists)
    assert (verdict.reason, verdict.certificate, verdict.revocation_reason) == (Reason.REVOKED, 1, "cACompromise")


def test_nobody_is_asked_where_revocation_does_not_count(judge: Judge) -> None:
    lists = [GOOD[0], revocation_list("middle", (LEAF, R.key_compromise, NOW - DAY))]
    assert judge(LEAF, MIDDLE, lists=lists, revocation=RevocationChecking.NONE).valid


@pytest.mark.parametrize("counts", [True, False])
def test_a_hold_counts_where_the_asker_says_so(judge: Judge, counts: bool) -> None:
    lists = [GOOD[0], revocation_list("middle", (LEAF, R.certificate_hold, NOW - DAY))]
    verdict = judge(LEAF, MIDDLE, lists=lists, hold_is_revoked=counts)
    assert verdict.reason is (Reason.ON_HOLD if counts else Reason.VALID)


def test_what_was_revoked_later_was_valid_before(judge: Judge) -> None:
    lists = [
        revocation_list("root", made=NOW - 3 * DAY),
        revocation_list("middle", (LEAF, R.superseded, NOW - DAY), made=NOW - 3 * DAY),
    ]
    assert judge(LEAF, MIDDLE, lists=lists, at=NOW - 2 * DAY).valid
    assert judge(LEAF, MIDDLE, lists=lists, at=NOW).reason is Reason.REVOKED


def test_at_present_a_revocation_counts_whose_date_is_yet_to_come(judge: Judge) -> None:
    lists = [GOOD[0], revocation_list("middle", (LEAF, R.superseded, NOW + HOUR))]
    assert judge(LEAF, MIDDLE, lists=lists).reason is Reason.REVOKED


def test_a_list_past_its_next_update_tells_nothing(judge: Judge) -> None:
    lists = [GOOD[0], revocation_list("middle", until=NOW - HOUR)]
    assert judge(LEAF, MIDDLE, lists=lists).reason is Reason.STATUS_STALE


def test_a_list_older_than_asked_for_tells_nothing(judge: Judge) -> None:
    assert judge(LEAF, MIDDLE, lists=GOOD, freshness=2 * DAY).valid
    assert judge(LEAF, MIDDLE, lists=GOOD, freshness=HOUR).reason is Reason.STATUS_STALE


def test_an_answer_of_the_issuer_makes_a_verdict(judge: Judge) -> None:
    verdict = judge(LEAF, MIDDLE, lists=GOOD[:1], responses=[answer()])
    assert verdict.valid, verdict.sentence
    assert verdict.evidence[-1].kind is EvidenceKind.OCSP
    assert verdict.reusable_until == NOW + HOUR


def test_an_answer_of_a_delegated_responder_makes_a_verdict(judge: Judge) -> None:
    given = answer(responder=responder_of("middle"), signing=key("responder"))
    assert judge(LEAF, MIDDLE, lists=GOOD[:1], responses=[given]).valid


def test_an_answer_says_that_it_is_revoked(judge: Judge) -> None:
    given = answer(status=ocsp.OCSPCertStatus.REVOKED, reason=R.key_compromise)
    verdict = judge(LEAF, MIDDLE, lists=GOOD[:1], responses=[given])
    assert (verdict.reason, verdict.revocation_reason) == (Reason.REVOKED, "keyCompromise")


NOT_HEARD = {
    "an answer about another certificate": lambda: answer(certificate("other", "middle", ca=False)),
    "an answer that says unknown": lambda: answer(status=ocsp.OCSPCertStatus.UNKNOWN),
    "an answer past its nextUpdate": lambda: answer(until=NOW - HOUR / 2),
    "an answer with a changed signature": lambda: changed(answer()),
    "an answer of a responder of somebody else": lambda: answer(
        responder=responder_of("impostor"), signing=key("responder")
    ),
    "an answer of one who may not answer": lambda: answer(
        responder=certificate("responder", "middle", ca=False), signing=key("responder")
    ),
    "an answer of one who takes the issuer's name, number and signature": lambda: answer(
        responder=disguised(MIDDLE), signing=key("impostor")
    ),
}


def changed(encoded: bytes) -> bytes:
    return encoded[:-1] + bytes([encoded[-1] ^ 1])


def disguised(one: x509.Certificate) -> x509.Certificate:
    """Issuer, serial number and signature value of that certificate, and the key of an impostor."""
    changed = asn1_x509.Certificate.load(der(one))
    stranger = certificate("middle", "root", subject_key=key("impostor"))
    wanted = asn1_x509.Certificate.load(der(stranger))["tbs_certificate"]
    changed["tbs_certificate"]["subject_public_key_info"] = wanted["subject_public_key_info"].copy()
    return x509.load_der_x509_certificate(changed.dump(force=True))


@pytest.mark.parametrize("name", NOT_HEARD)
def test_of_others_nothing_is_taken(judge: Judge, name: str) -> None:
    verdict = judge(LEAF, MIDDLE, lists=GOOD[:1], responses=[NOT_HEARD[name]()])
    assert verdict.reason in (Reason.STATUS_UNKNOWN, Reason.STATUS_STALE), verdict.sentence


def test_a_list_signed_by_somebody_else_tells_nothing(judge: Judge) -> None:
    forged = revocation_list("middle", signing=key("impostor"))
    assert judge(LEAF, MIDDLE, lists=[GOOD[0], forged]).reason is Reason.STATUS_UNKNOWN


def test_a_list_of_one_who_took_over_the_signature_of_a_certificate_tells_nothing(judge: Judge) -> None:
    """The engine alone takes the impostor's certificate for the one above it that it has validated, and his list."""
    genuine = revocation_list("middle", (LEAF, R.key_compromise, NOW - DAY))
    forged = revocation_list("middle", number=8, made=NOW - HOUR, signing=key("impostor"))
    impostor = asn1_x509.Certificate.load(der(disguised(MIDDLE)))
    impostor["tbs_certificate"]["serial_number"] = MIDDLE.serial_number - 1
    stranger = certificate("middle", "root", subject_key=key("impostor"))
    impostor["tbs_certificate"]["extensions"] = asn1_x509.Certificate.load(der(stranger))["tbs_certificate"][
        "extensions"
    ].copy()
    crooked = x509.load_der_x509_certificate(impostor.dump(force=True))
    assert crooked.signature == MIDDLE.signature
    assert judge(LEAF, MIDDLE, crooked, lists=[GOOD[0], forged]).reason is Reason.STATUS_UNKNOWN
    assert judge(LEAF, MIDDLE, crooked, lists=[GOOD[0], genuine, forged]).reason is Reason.REVOKED


def test_a_list_with_the_signature_of_another_tells_nothing(judge: Judge) -> None:
    """The engine alone takes it for the one whose signature it has verified."""
    only_user = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    about_authorities = asn1_crl.CertificateList.load(
        der(
            x509.CertificateRevocationListBuilder()
            .issuer_name(MIDDLE.subject)
            .last_update(NOW - HOUR)
            .next_update(NOW + DAY)
            .add_extension(only_user, critical=True)
            .sign(key("middle"), hashes.SHA256())
        )
    )
    forged = asn1_crl.CertificateList.load(revocation_list("middle", number=9, made=NOW - 2 * HOUR))
    forged["signature"] = about_authorities["signature"]
    lists = [GOOD[0], about_authorities.dump(), forged.dump(force=True)]
    assert judge(LEAF, MIDDLE, lists=lists).reason is Reason.STATUS_UNKNOWN


def test_a_list_signed_with_sha1_tells_nothing(judge: Judge) -> None:
    weak = asn1_crl.CertificateList.load(GOOD[1])
    weak["tbs_cert_list"]["signature"] = weak["signature_algorithm"] = {"algorithm": "sha1_ecdsa"}
    digest = hashlib.sha1(weak["tbs_cert_list"].dump()).digest()
    weak["signature"] = key("middle").sign(digest, ec.ECDSA(Prehashed(hashes.SHA1())))
    assert judge(LEAF, MIDDLE, lists=[GOOD[0], weak.dump()]).reason is Reason.STATUS_UNKNOWN


@pytest.fixture
def ours(judge: Judge) -> Judge:
    """Everything is ours and good."""
    for one in (LEAF, MIDDLE, *judge.anchors):
        judge.own[der(one)] = OwnStatus(state=OwnState.GOOD)
    return judge


def test_of_our_own_our_store_tells(ours: Judge) -> None:
    verdict = ours(LEAF, MIDDLE)
    assert verdict.valid
    assert {one.kind for one in verdict.evidence} == {EvidenceKind.STORE}
    assert verdict.reusable_until is None


STORE = {
    "revoked": (OwnStatus(state=OwnState.REVOKED, since=NOW - DAY, reason="superseded"), Reason.REVOKED),
    "held": (OwnStatus(state=OwnState.HELD, since=NOW - DAY), Reason.ON_HOLD),
    "never issued": (OwnStatus(state=OwnState.NEVER_ISSUED), Reason.NEVER_ISSUED),
}


@pytest.mark.parametrize("name", STORE)
@pytest.mark.parametrize("place", [0, 1])
def test_what_our_store_says_against_it_counts(ours: Judge, name: str, place: int) -> None:
    status, reason = STORE[name]
    ours.own[der((LEAF, MIDDLE)[place])] = status
    verdict = ours(LEAF, MIDDLE, lists=GOOD)
    assert (verdict.reason, verdict.certificate) == (reason, place)


def test_invariant_10_a_revocation_between_two_verdicts_is_seen_though_the_chain_is_reused(
    ours: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ours(LEAF, MIDDLE).valid
    monkeypatch.setattr("ca_core.validation.chain_rules.check_path", None)  # the rules are not gone through again
    assert ours(LEAF, MIDDLE).valid
    ours.own[der(LEAF)] = OwnStatus(state=OwnState.HELD, since=NOW)
    monkeypatch.undo()
    assert ours(LEAF, MIDDLE).reason is Reason.ON_HOLD
    ours.own[der(LEAF)] = OwnStatus(state=OwnState.GOOD)
    assert ours(LEAF, MIDDLE).valid


def test_a_chain_is_not_reused_beyond_its_time_nor_under_another_policy(ours: Judge) -> None:
    assert ours(LEAF, MIDDLE).valid
    assert ours(LEAF, MIDDLE, now=NOW + 11 * DAY).reason is Reason.EXPIRED
    assert ours(LEAF, MIDDLE, explicit_policy=True).reason is Reason.CERTIFICATE_POLICY
    assert ours(LEAF, MIDDLE, anchors=[]).reason is Reason.NO_PATH


def test_what_our_store_learned_later_was_good_before(ours: Judge) -> None:
    ours.own[der(LEAF)] = OwnStatus(state=OwnState.REVOKED, since=NOW, reason="superseded")
    assert ours(LEAF, MIDDLE, at=NOW - HOUR).valid
    assert ours(LEAF, MIDDLE, at=NOW).reason is Reason.REVOKED


def test_what_never_was_issued_is_not_valid_even_where_revocation_does_not_count(ours: Judge) -> None:
    ours.own[der(LEAF)] = OwnStatus(state=OwnState.NEVER_ISSUED)
    assert ours(LEAF, MIDDLE, revocation=RevocationChecking.NONE).reason is Reason.NEVER_ISSUED
