"""Bytes that may be signed: only the lints of this module make them (invariant 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import NoReturn, TypeVar

from ca_core.domain.errors import CaError, IntegrityAlarm, LintFailed
from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.lint.context import LintContext, OcspLintContext, TimestampLintContext
from ca_core.lint.crl_subject import CrlSubject
from ca_core.lint.finding import Finding
from ca_core.lint.ocsp_subject import OcspSubject
from ca_core.lint.registry import CERTIFICATE_RULES, CRL_RULES, OCSP_RULES, TIMESTAMP_RULES
from ca_core.lint.timestamp_subject import TimestampSubject

_S = TypeVar("_S")
_SEAL = object()


class LintedTbs:
    """To-be-signed bytes without a finding, and the one key that may sign them. Not made by hand, not changed."""

    __slots__ = ("der", "signature_algorithm", "signer_key_sha256")

    der: bytes
    """Exactly what was linted and is to be signed."""
    signature_algorithm: bytes
    """DER AlgorithmIdentifier that goes beside the signature."""
    signer_key_sha256: bytes
    """SHA-256 over the SubjectPublicKeyInfo of the key that has to sign; the issuer's or responder's."""

    def __init__(self, seal: object, *, der: bytes, signature_algorithm: bytes, signer_key_info: bytes) -> None:
        if seal is not _SEAL:
            raise IntegrityAlarm("bytes that no lint has passed were to be signed")
        object.__setattr__(self, "der", der)
        object.__setattr__(self, "signature_algorithm", signature_algorithm)
        object.__setattr__(self, "signer_key_sha256", hashlib.sha256(signer_key_info).digest())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise IntegrityAlarm("linted bytes were to be changed")

    def __reduce__(self) -> NoReturn:
        raise IntegrityAlarm("linted bytes do not travel; lint them where they are signed")

    @property
    def sha256(self) -> bytes:
        """32 octets over the bytes, as the intent records them (invariant 3)."""
        return hashlib.sha256(self.der).digest()

    def check_signer(self, public_key_info: bytes) -> None:
        """Return if that key is the one that has to sign; :class:`IntegrityAlarm` otherwise."""
        if hashlib.sha256(public_key_info).digest() != self.signer_key_sha256:
            raise IntegrityAlarm("the bytes were linted for another signing key")


def lint_certificate(tbs: bytes, context: LintContext) -> LintedTbs:
    """Run every certificate rule over a DER TBSCertificate; :class:`LintFailed` lists what they found."""
    subject = _passed("rfc5280_4_1_certificate", lambda: CertificateSubject(tbs, context), CERTIFICATE_RULES)
    own_key = subject.tbs.public_key_info.raw
    return LintedTbs(
        _SEAL,
        der=tbs,
        signature_algorithm=subject.tbs.signature_algorithm.raw,
        signer_key_info=own_key if subject.issuer is None else subject.issuer.public_key_info,
    )


def lint_crl(tbs: bytes, context: LintContext) -> LintedTbs:
    """Run every CRL rule over a DER TBSCertList; :class:`LintFailed` lists what they found."""
    subject = _passed("rfc5280_5_1_crl", lambda: CrlSubject(tbs, context), CRL_RULES)
    return LintedTbs(
        _SEAL,
        der=tbs,
        signature_algorithm=subject.crl.signature_algorithm,
        signer_key_info=subject.issuer.public_key_info,
    )


def lint_ocsp_response(data: bytes, context: OcspLintContext) -> LintedTbs:
    """Run every OCSP rule over DER ResponseData; :class:`LintFailed` lists what they found."""
    subject = _passed("rfc6960_4_2_1_response_data", lambda: OcspSubject(data, context), OCSP_RULES)
    return LintedTbs(
        _SEAL,
        der=data,
        signature_algorithm=context.signature_algorithm,
        signer_key_info=subject.responder.public_key_info,
    )


def lint_timestamp(attributes: bytes, content: bytes, context: TimestampLintContext) -> LintedTbs:
    """Run every time-stamp rule over DER TSTInfo and the SET of signed attributes over it, which is what is signed;
    :class:`LintFailed` lists what they found."""
    subject = _passed("rfc3161_2_4_2_token", lambda: TimestampSubject(attributes, content, context), TIMESTAMP_RULES)
    return LintedTbs(
        _SEAL,
        der=attributes,
        signature_algorithm=context.signature_algorithm,
        signer_key_info=subject.tsa.public_key_info,
    )


def findings(subject: _S, rules: Iterable[tuple[str, Callable[[_S], Iterable[str]]]]) -> list[Finding]:
    """What the rules find, in their order. A structure that a rule cannot read is that rule's finding."""
    found: list[Finding] = []
    for name, check in rules:
        try:
            found += [Finding(name, detail) for detail in check(subject)]
        except CaError as fault:
            found.append(Finding(name, fault.detail))
    return found


def _passed(form: str, read: Callable[[], _S], rules: Iterable[tuple[str, Callable[[_S], Iterable[str]]]]) -> _S:
    try:
        subject = read()
    except CaError as fault:
        raise lint_failed([Finding(form, fault.detail)]) from None
    if found := findings(subject, rules):
        raise lint_failed(found)
    return subject


def lint_failed(found: Iterable[Finding]) -> LintFailed:
    """The error that names every rule in its sentence and explains each in ``fields``."""
    by_rule: dict[str, str] = {}
    for finding in found:
        by_rule[finding.rule] = "; ".join(filter(None, (by_rule.get(finding.rule), finding.detail)))
    return LintFailed(f"the lint stopped the signature: {', '.join(by_rule)}", fields=by_rule)
