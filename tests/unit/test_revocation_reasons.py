"""The names of RFC 5280 for why a certificate is revoked."""

from __future__ import annotations

from cryptography import x509

from ca_core.domain.certificate import FinalReason, RevocationReason


def test_reasons_have_the_names_of_the_standard() -> None:
    assert {one: one.label for one in RevocationReason} == {
        one: x509.ReasonFlags[one.name.lower()].value for one in RevocationReason
    }


def test_every_reason_but_a_hold_revokes_for_good_under_its_own_name() -> None:
    assert {one.reason: one.value for one in FinalReason} == {
        one: one.label for one in RevocationReason if one is not RevocationReason.CERTIFICATE_HOLD
    }
