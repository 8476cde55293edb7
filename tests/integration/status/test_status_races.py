"""Invariant 10 under load: who asks after the commit of a revocation hears of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography import x509

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, CertStatus, ResponseStatus, Revoked, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer

ROUNDS = 6
ASKERS = 6


def asking(world: Any, row: Any) -> bytes:
    issuer = SignedCertificate.parse(world.issuing.certificate)
    return ocsp_request(
        [CertId.make(issuer=issuer.subject, issuer_public_key_info=issuer.public_key_info, serial=row.serial.value)]
    )


def status_now(world: Any, request: bytes) -> CertStatus | Revoked:
    answer = OcspAnswer.parse(world.ocsp.answer(request).body)
    assert answer.status is ResponseStatus.SUCCESSFUL
    assert answer.data is not None
    return answer.data.answers[0].status


@pytest.mark.parametrize("change", ["revoke", "hold"])
def test_invariant_10_no_good_answer_after_the_commit(world: Any, change: str) -> None:
    """Threads ask all the time; each notes before it asks whether the commit had returned."""
    for _ in range(ROUNDS):
        row = world.certificate()
        request = asking(world, row)
        started = threading.Barrier(ASKERS + 1)
        committed = threading.Event()

        def ask(request: bytes = request, started: Any = started, committed: Any = committed) -> list[Any]:
            seen = []
            started.wait()
            while True:
                after = committed.is_set()
                seen.append((after, status_now(world, request)))
                if after:
                    return seen

        with ThreadPoolExecutor(ASKERS) as pool:
            asked = [pool.submit(ask) for _ in range(ASKERS)]
            started.wait()
            (world.revoke if change == "revoke" else world.hold)(row)
            committed.set()
            answers = [pair for one in asked for pair in one.result()]
        assert all(isinstance(status, Revoked) for after, status in answers if after)
        assert any(after for after, _ in answers)
        for one in asked:
            revoked = [isinstance(status, Revoked) for _, status in one.result()]
            assert revoked == sorted(revoked), "once revoked, never good again"


def test_invariant_10_a_lifted_hold_is_good_at_once_and_a_revocation_is_for_good(world: Any) -> None:
    row = world.certificate()
    request = asking(world, row)
    for _ in range(3):
        world.hold(row)
        assert status_now(world, request).reason is not None  # type: ignore[union-attr]
        world.unhold(row)
        assert status_now(world, request) is CertStatus.GOOD
    world.revoke(row, RevocationReason.KEY_COMPROMISE)
    assert status_now(world, request).reason == RevocationReason.KEY_COMPROMISE  # type: ignore[union-attr]


def test_ocsp_and_the_list_agree(world: Any) -> None:
    rows = [world.certificate(), world.hold(world.certificate()), world.revoke(world.certificate()), world.abandoned()]
    (crl,) = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=0)
    listed = x509.load_der_x509_crl(crl.der)
    for row in rows:
        status = status_now(world, asking(world, row))
        entry = listed.get_revoked_certificate_by_serial_number(row.serial.value)
        assert (entry is not None) is isinstance(status, Revoked)
        if entry is not None and isinstance(status, Revoked):
            assert entry.revocation_date_utc == status.revoked_at
