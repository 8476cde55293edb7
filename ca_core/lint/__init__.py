"""Lints over the exact bytes to be signed; any finding blocks (invariant 2).

:func:`lint_certificate`, :func:`lint_crl`, :func:`lint_ocsp_response` and :func:`lint_timestamp` are the only source
of :class:`LintedTbs`, which is the only thing a signer signs.
"""

from __future__ import annotations

from ca_core.lint.context import LintContext, OcspLintContext, TimestampLintContext
from ca_core.lint.finding import Finding
from ca_core.lint.linted import LintedTbs, lint_certificate, lint_crl, lint_failed, lint_ocsp_response, lint_timestamp
from ca_core.lint.registry import CERTIFICATE_RULES, CRL_RULES, OCSP_RULES, TIMESTAMP_RULES

__all__ = [
    "CERTIFICATE_RULES",
    "CRL_RULES",
    "OCSP_RULES",
    "TIMESTAMP_RULES",
    "Finding",
    "LintContext",
    "LintedTbs",
    "OcspLintContext",
    "TimestampLintContext",
    "lint_certificate",
    "lint_crl",
    "lint_failed",
    "lint_ocsp_response",
    "lint_timestamp",
]
