"""RFC 6960 §4.2.2.1: nothing is known before it is answered, and the responder's certificate is valid then."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.ocsp_subject import OcspSubject
from ca_core.x509.ocsp import Revoked


def check(subject: OcspSubject) -> Iterable[str]:
    produced_at = subject.data.produced_at
    if not subject.responder.not_before <= produced_at <= subject.responder.not_after:
        yield "the responder's certificate is not valid when the answer is produced"
    for answer in subject.data.answers:
        if answer.this_update > produced_at:
            yield "thisUpdate is later than producedAt"
        if answer.next_update is not None and answer.next_update <= answer.this_update:
            yield "nextUpdate is not later than thisUpdate"
        if isinstance(answer.status, Revoked) and answer.status.revoked_at > answer.this_update:
            yield "a certificate is revoked later than its status was known"
