"""RFC 5280 §4.1.1.2, §4.1.2.3: a signature algorithm that the signing key can make; SHA-1 and MD5 are none."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509.algorithm import fits, key_algorithm_of, signature_algorithm_of


def check(subject: CertificateSubject) -> Iterable[str]:
    algorithm = signature_algorithm_of(subject.tbs.signature_algorithm.raw)
    signer = subject.tbs.public_key_info.raw if subject.issuer is None else subject.issuer.public_key_info
    if not fits(key_algorithm_of(signer), algorithm):
        yield "the issuer's key cannot make a signature of this algorithm"
