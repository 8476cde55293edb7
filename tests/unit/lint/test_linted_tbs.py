"""Invariant 2: what is signed is what was linted, byte for byte, and nothing else can be signed."""

from __future__ import annotations

import copy
import hashlib
import pickle
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ca_core.domain.algorithms import KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import IntegrityAlarm, LintFailed
from ca_core.keys.software import SoftwareKeyStore, SoftwareSigner
from ca_core.lint import LintContext, LintedTbs, lint_certificate, lint_crl
from ca_core.services.signing import sign_certificate, signature_over
from ca_core.x509 import der, extension_values as oids
from ca_core.x509.algorithm import public_key_identifier
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.signature import verify_signature


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> SoftwareSigner:
    store = SoftwareKeyStore(
        tmp_path_factory.mktemp("keys") / "keys", lambda: b"only for tests", entropy=secrets.token_bytes
    )
    store.generate("issuing", KeyAlgorithm.EC_P256)
    store.generate("another", KeyAlgorithm.EC_P256)
    return store.signer("issuing", SignatureAlgorithm.ECDSA_SHA256)


@pytest.fixture(scope="module")
def issuer(world: Any, signer: SoftwareSigner) -> SignedCertificate:
    """The issuing authority's certificate, for the key that really signs."""
    own = public_key_identifier(signer.public_key_info)
    draft = world.issuing.change(public_key_info=signer.public_key_info)
    return SignedCertificate.parse(draft.swap(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(own)).signed)


@pytest.fixture
def linted(world: Any, issuer: SignedCertificate) -> LintedTbs:
    assert issuer.subject_key_identifier is not None
    draft = world.server.swap(oids.AUTHORITY_KEY_IDENTIFIER, world.aki(issuer.subject_key_identifier))
    return lint_certificate(draft.tbs, LintContext(issuer_certificate=issuer.der))


def test_invariant_2_the_signed_bytes_are_the_linted_bytes(linted: LintedTbs, signer: SoftwareSigner) -> None:
    before = linted.der
    signed = SignedCertificate.parse(sign_certificate(linted, signer))
    assert signed.tbs == before == linted.der
    assert hashlib.sha256(signed.tbs).digest() == linted.sha256
    verify_signature(signer.public_key_info, signed.signature_algorithm, signed.tbs, signed.signature)


def test_invariant_2_what_a_rule_stops_cannot_be_signed(world: Any, issuer: SignedCertificate) -> None:
    with pytest.raises(LintFailed):
        lint_certificate(world.server.change(serial=der.integer(0)).tbs, LintContext(issuer_certificate=issuer.der))


@pytest.mark.parametrize("seal", [None, object(), True, "seal"], ids=["none", "object", "true", "text"])
def test_invariant_2_linted_bytes_are_not_made_by_hand(seal: object) -> None:
    with pytest.raises(IntegrityAlarm):
        LintedTbs(seal, der=b"0\x00", signature_algorithm=b"0\x00", signer_key_info=b"")


FORGERIES: dict[str, Callable[[LintedTbs], object]] = {
    "other-bytes": lambda one: setattr(one, "der", b"0\x00"),
    "other-algorithm": lambda one: setattr(one, "signature_algorithm", b"0\x00"),
    "other-key": lambda one: setattr(one, "signer_key_sha256", bytes(32)),
    "new-attribute": lambda one: setattr(one, "extra", 1),
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deep-copy": copy.deepcopy,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_invariant_2_linted_bytes_are_neither_changed_nor_carried_away(
    linted: LintedTbs, forge: Callable[[LintedTbs], object]
) -> None:
    before = (linted.der, linted.signature_algorithm, linted.signer_key_sha256)
    with pytest.raises(IntegrityAlarm):
        forge(linted)
    assert (linted.der, linted.signature_algorithm, linted.signer_key_sha256) == before


def test_invariant_2_another_key_does_not_sign_what_was_linted_for_this_one(
    world: Any, linted: LintedTbs, signer: SoftwareSigner, tmp_path: Path
) -> None:
    store = SoftwareKeyStore(tmp_path / "keys", lambda: b"only for tests", entropy=secrets.token_bytes)
    store.generate("another", KeyAlgorithm.EC_P256)
    with pytest.raises(IntegrityAlarm, match="another signing key"):
        signature_over(linted, store.signer("another", SignatureAlgorithm.ECDSA_SHA256))
    of_the_world = lint_crl(world.crl.tbs, LintContext(issuer_certificate=world.issuing.signed))
    with pytest.raises(IntegrityAlarm, match="another signing key"):
        signature_over(of_the_world, signer)


def test_invariant_4_a_signature_that_does_not_verify_is_not_handed_out(
    linted: LintedTbs, signer: SoftwareSigner
) -> None:
    class Faulty:
        """A key whose hardware makes a mistake."""

        algorithm = signer.algorithm
        algorithm_identifier = signer.algorithm_identifier
        public_key_info = signer.public_key_info

        def sign(self, data: bytes) -> bytes:
            return signer.sign(data + b"\x00")

    with pytest.raises(IntegrityAlarm, match="does not verify"):
        sign_certificate(linted, Faulty())


def test_a_root_is_signed_by_its_own_key(world: Any) -> None:
    linted = lint_certificate(world.root.tbs, LintContext(issuer_certificate=None))
    linted.check_signer(world.key(1))
    with pytest.raises(IntegrityAlarm):
        linted.check_signer(world.key(2))
