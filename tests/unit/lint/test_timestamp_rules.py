"""Every rule for time-stamp tokens stops exactly what it is there for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.errors import LintFailed
from ca_core.domain.identifiers import Serial
from ca_core.lint import TIMESTAMP_RULES, TimestampLintContext, lint_timestamp
from ca_core.x509 import der, extension_values as oids
from ca_core.x509.algorithm import signature_algorithm_identifier
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.signed_data import (
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    attribute,
    signed_attributes,
    signing_certificate,
)
from ca_core.x509.timestamp import MessageImprint, TimestampRequest
from ca_core.x509.tst_info import TST_INFO, TstInfo

START = datetime(2026, 1, 1, tzinfo=UTC)
TIME_STAMPING, CLIENT_AUTH = "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.2"
IMPRINT = MessageImprint.make("sha256", bytes(32))
OTHER = MessageImprint.make("sha256", b"\1" * 32)


def certificate(
    world: Any, *purposes: str, critical: bool = True, key_ends: timedelta | None = None
) -> SignedCertificate:
    draft = world.server.without(oids.SUBJECT_ALTERNATIVE_NAME).swap(
        oids.EXTENDED_KEY_USAGE, world.purposes(*(purposes or (TIME_STAMPING,))), critical=critical
    )
    if key_ends is not None:
        end = der.implicit(1, der.generalized_time(START + key_ends))
        draft = draft.plus(oids.PRIVATE_KEY_USAGE_PERIOD, der.sequence(end))
    return SignedCertificate.parse(draft.signed)


@dataclass(frozen=True, kw_only=True)
class Token:
    """The parts of a token, before its signature."""

    tsa: SignedCertificate
    info: TstInfo
    request: TimestampRequest = field(default=TimestampRequest(IMPRINT, "1.2.3", 7, True))
    attributes: bytes | None = None
    signature: SignatureAlgorithm = SignatureAlgorithm.ECDSA_SHA256

    def fired(self) -> set[str]:
        content = self.info.der
        attributes = self.attributes or signed_attributes(TST_INFO, content, "sha256", signing_certificate(self.tsa))
        context = TimestampLintContext(
            request=self.request,
            tsa_certificate=self.tsa.der,
            digest="sha256",
            signature_algorithm=signature_algorithm_identifier(self.signature),
        )
        try:
            assert lint_timestamp(attributes, content, context).der == attributes
        except LintFailed as failed:
            return set(failed.fields)
        return set()


def token(world: Any, signer: SignedCertificate | None = None, **changed: Any) -> Token:
    signer = signer or certificate(world)
    told: dict[str, Any] = {
        "policy": "1.2.3",
        "imprint": IMPRINT,
        "serial": Serial(9),
        "gen_time": START + timedelta(days=1),
        "accuracy": timedelta(seconds=1),
        "nonce": 7,
        "tsa": signer.subject,
    }
    return Token(tsa=signer, info=TstInfo(**{**told, **changed}))


def said(world: Any, *more: bytes, content_type: str = TST_INFO, digest: bytes | None = None) -> Token:
    """A token with other signed attributes."""
    made = token(world)
    digest = hashlib.sha256(made.info.der).digest() if digest is None else digest
    attributes = der.set_of(
        attribute(CONTENT_TYPE, der.oid(content_type)),
        attribute(MESSAGE_DIGEST, der.octet_string(digest)),
        *more,
    )
    return replace(made, attributes=attributes)


def own(world: Any) -> bytes:
    return signing_certificate(certificate(world))


SIGNING_TIME = attribute("1.2.840.113549.1.9.5", der.utc_time(START))
CASES: dict[str, tuple[str, Callable[[Any], Token]]] = {
    "other-purpose": ("rfc3161_2_3_authority", lambda w: token(w, certificate(w, CLIENT_AUTH))),
    "more-purposes": ("rfc3161_2_3_authority", lambda w: token(w, certificate(w, TIME_STAMPING, CLIENT_AUTH))),
    "purpose-not-critical": ("rfc3161_2_3_authority", lambda w: token(w, certificate(w, critical=False))),
    "signature-of-another-key": (
        "rfc3161_2_3_authority",
        lambda w: replace(token(w), signature=SignatureAlgorithm.RSA_PKCS1_SHA256),
    ),
    "another-name": ("rfc3161_2_3_authority", lambda w: token(w, tsa=w.root.subject)),
    "no-name": ("rfc3161_2_3_authority", lambda w: token(w, tsa=None)),
    "another-imprint": ("rfc3161_2_4_2_request", lambda w: token(w, imprint=OTHER)),
    "another-nonce": ("rfc3161_2_4_2_request", lambda w: token(w, nonce=8)),
    "no-nonce": ("rfc3161_2_4_2_request", lambda w: token(w, nonce=None)),
    "another-policy": ("rfc3161_2_4_2_request", lambda w: token(w, policy="1.2.4")),
    "no-accuracy": ("rfc3161_2_4_2_times", lambda w: token(w, accuracy=None)),
    "before-the-certificate": ("rfc3161_2_4_2_times", lambda w: token(w, gen_time=START - timedelta(seconds=1))),
    "after-the-certificate": ("rfc3161_2_4_2_times", lambda w: token(w, gen_time=START + timedelta(days=91))),
    "after-the-key": (
        "rfc3161_2_4_2_times",
        lambda w: token(w, certificate(w, key_ends=timedelta(days=2)), gen_time=START + timedelta(days=3)),
    ),
    "signing-time": ("rfc5652_11_signed_attributes", lambda w: said(w, own(w), SIGNING_TIME)),
    "another-content": ("rfc5652_11_signed_attributes", lambda w: said(w, own(w), content_type="1.2.3")),
    "another-digest": ("rfc5652_11_signed_attributes", lambda w: said(w, own(w), digest=bytes(32))),
    "another-certificate": (
        "rfc5816_2_2_1_signing_certificate",
        lambda w: said(w, signing_certificate(SignedCertificate.parse(w.issuing.signed))),
    ),
}  # fmt: skip


def test_a_token_without_fault_passes(world: Any) -> None:
    assert token(world).fired() == set()
    assert replace(token(world), request=TimestampRequest(IMPRINT, None, 7, False)).fired() == set()


@pytest.mark.parametrize(("rule", "made"), CASES.values(), ids=CASES.keys())
def test_a_token_is_stopped_by_exactly_its_rule(world: Any, rule: str, made: Callable[[Any], Token]) -> None:
    assert made(world).fired() == {rule}


def test_a_token_that_names_no_certificate_is_stopped_by_both_rules_about_that(world: Any) -> None:
    assert said(world).fired() == {"rfc5652_11_signed_attributes", "rfc5816_2_2_1_signing_certificate"}


@pytest.mark.parametrize("attributes", [b"\x31\x00", b"0\x00", der.set_of(*[SIGNING_TIME] * 2)])
def test_what_is_no_set_of_attributes_is_stopped_by_its_form(world: Any, attributes: bytes) -> None:
    assert replace(token(world), attributes=attributes).fired() == {"rfc3161_2_4_2_token"}


def test_every_rule_has_a_case() -> None:
    assert {rule for rule, _ in CASES.values()} == {rule for rule, _ in TIMESTAMP_RULES}
