"""Answers of one issuer's responder: composed, linted, signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ca_core.domain.authority import Authority
from ca_core.lint import OcspLintContext, lint_ocsp_response
from ca_core.services.ports import KeyStore
from ca_core.services.signing import signature_over
from ca_core.x509 import der
from ca_core.x509.algorithm import public_key_identifier
from ca_core.x509.ocsp import (
    BASIC_RESPONSE,
    NEVER_ISSUED,
    CertId,
    CertStatus,
    Revoked,
    response_data,
    single_response,
)
from ocsp.status import UNKNOWN, Status

UnknownSerial = Literal["unknown", "revoked", "unauthorized"]


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A signed answer without the certificates that go with each of a responder's answers."""

    der: bytes
    """ResponseData, AlgorithmIdentifier and signature BIT STRING, one after the other."""
    this_update: datetime
    next_update: datetime


class Composer:
    """Signs for one issuer with one responder's key.

    ``validity`` is from thisUpdate to nextUpdate; no answer outlives the responder's certificate."""

    def __init__(
        self,
        keys: KeyStore,
        *,
        issuer: Authority,
        responder: Authority,
        validity: timedelta,
        unknown_serial: UnknownSerial,
    ) -> None:
        self._signer = keys.signer(responder.key_reference, responder.signature_algorithm)
        self._key_hash = public_key_identifier(self._signer.public_key_info)
        self._context = OcspLintContext(
            issuer_certificate=issuer.certificate,
            responder_certificate=responder.certificate,
            signature_algorithm=self._signer.algorithm_identifier,
        )
        self._ends = responder.not_after
        self._validity = validity
        self._unknown_serial = unknown_serial

    def sign(
        self, statuses: Sequence[tuple[CertId, Status]], this_update: datetime, *, nonce: bytes | None = None
    ) -> Signed | None:
        """One answer for all of them; None when the responder's certificate ends before it could begin."""
        next_update = min(this_update + self._validity, self._ends)
        if next_update <= this_update:
            return None
        data = response_data(
            responder_key_hash=self._key_hash,
            produced_at=this_update,
            responses=[
                single_response(
                    cert_id, status=self._said(status, this_update), this_update=this_update, next_update=next_update
                )
                for cert_id, status in statuses
            ],
            nonce=nonce,
            extended_revoke=self._unknown_serial == "revoked",
        )
        linted = lint_ocsp_response(data, self._context)
        signature = signature_over(linted, self._signer)
        return Signed(
            der=linted.der + linted.signature_algorithm + der.bit_string(signature),
            this_update=this_update,
            next_update=next_update,
        )

    def _said(self, status: Status, this_update: datetime) -> CertStatus | Revoked:
        if status.revoked_at is not None:
            return Revoked(min(status.revoked_at, this_update), status.reason)
        if status is UNKNOWN:
            return NEVER_ISSUED if self._unknown_serial == "revoked" else CertStatus.UNKNOWN
        return CertStatus.GOOD


def tail_of(responder: Authority) -> bytes:
    """What goes behind a signed answer: the responder's certificate (RFC 6960 §4.2.1)."""
    return der.explicit(0, der.sequence(responder.certificate))


def enveloped(signed: bytes, tail: bytes) -> bytes:
    """The OCSPResponse around what :class:`~ocsp.composing.Signed` holds."""
    size = len(signed) + len(tail)
    head = _heads.get(size)
    if head is None:
        head = _heads[size] = _head(size)
    return head + signed + tail


def _head(size: int) -> bytes:
    """Everything of an OCSPResponse before a BasicOCSPResponse's content of that size."""
    whole = der.sequence(
        der.enumerated(0),
        der.explicit(0, der.sequence(der.oid(BASIC_RESPONSE), der.octet_string(der.sequence(bytes(size))))),
    )
    return whole[:-size]


_heads: dict[int, bytes] = {}
