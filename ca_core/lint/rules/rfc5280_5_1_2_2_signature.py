"""RFC 5280 §5.1.2.2: a signature algorithm that the issuer's key can make; SHA-1 and MD5 are none."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509.algorithm import fits, key_algorithm_of, signature_algorithm_of


def check(subject: CrlSubject) -> Iterable[str]:
    if not fits(
        key_algorithm_of(subject.issuer.public_key_info), signature_algorithm_of(subject.crl.signature_algorithm)
    ):
        yield "the issuer's key cannot make a signature of this algorithm"
