"""RFC 6960 §4.2.2.2: the CA itself or its delegate signs, named by the hash of its key, with an algorithm that fits."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.ocsp_subject import OcspSubject
from ca_core.x509.algorithm import fits, key_algorithm_of, public_key_identifier, signature_algorithm_of
from ca_core.x509.key_usage import OCSP_SIGNING


def check(subject: OcspSubject) -> Iterable[str]:
    responder = subject.responder
    if subject.data.responder_key_hash != public_key_identifier(responder.public_key_info):
        yield "the answer does not name the key that signs it"
    if not fits(key_algorithm_of(responder.public_key_info), signature_algorithm_of(subject.signature_algorithm)):
        yield "the responder's key cannot make a signature of this algorithm"
    if responder.key_usage is not None and "digitalSignature" not in responder.key_usage:
        yield "the responder's key usage lacks digitalSignature"
    if responder.der != subject.issuer.der:
        if OCSP_SIGNING not in responder.extended_key_usage:
            yield "the responder lacks the purpose OCSPSigning"
        if responder.issuer != subject.issuer.subject:
            yield "the responder's certificate was not issued by the CA that it answers for"
