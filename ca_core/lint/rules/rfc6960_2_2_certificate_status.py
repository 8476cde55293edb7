"""RFC 6960 §2.2, §4.1.1, invariant 11: good and revoked are said of this CA's certificates only, each once."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.ocsp_subject import OcspSubject
from ca_core.x509.crl_entries import REASONS
from ca_core.x509.ocsp import DIGESTS, CertStatus, Revoked, issuer_hashes


def check(subject: OcspSubject) -> Iterable[str]:
    answers = subject.data.answers
    if len({answer.cert_id.der for answer in answers}) != len(answers):
        yield "a certificate is answered for twice"
    for answer in answers:
        if answer.status is CertStatus.UNKNOWN:
            continue
        digest = DIGESTS.get(answer.cert_id.hash_algorithm)
        named = (answer.cert_id.issuer_name_hash, answer.cert_id.issuer_key_hash)
        if digest is None or named != issuer_hashes(subject.issuer.subject, subject.issuer.public_key_info, digest):
            yield "good or revoked is said of another CA's certificate"
        # 0 is left out, and 8 belongs to delta CRLs (RFC 5280 §5.3.1).
        if isinstance(answer.status, Revoked) and answer.status.reason not in (REASONS - {0, 8}) | {None}:
            yield "a revocation reason may not stand in an answer"
