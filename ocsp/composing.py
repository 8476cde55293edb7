"""Answers of one issuer's responder: composed, linted, signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from ca_core.domain.authority import Authority
from ca_core.lint import OcspLintContext, lint_ocsp_response
from ca_core.services.ports import KeyStore
from ca_core.services.signing import signature_over
from ca_core.x509 import der
from ca_core.x509.algorithm import public_key_identifier
from ca_core.x509.ocsp import (
    NEVER_ISSUED,
    CertId,
    CertStatus,
    ResponseStatus,
    Revoked,
    certificates_part,
    ocsp_response,
    response_data,
    signed_part,
    single_response,
)
from ocsp.status import UNKNOWN, Status

UnknownSerial = Literal["unknown", "revoked", "unauthorized"]
UnknownIssuer = Literal["unauthorized", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A signed answer without the certificates that go with each of a responder's answers."""

    der: bytes
    """ResponseData, AlgorithmIdentifier and signature BIT STRING, one after the other."""
    this_update: datetime
    next_update: datetime


class Composer:
    """Signs for one issuer with one responder's key.

    ``validity`` is from thisUpdate to nextUpdate; no answer outlives the responder's certificate. ``archive`` says for
    how long before each answer the status of what has expired is vouched for (RFC 6960 §4.4.4), never from before
    the issuer began; None leaves that out."""

    def __init__(
        self,
        keys: KeyStore,
        *,
        issuer: Authority,
        responder: Authority,
        validity: timedelta,
        unknown_serial: UnknownSerial,
        archive: timedelta | None = None,
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
        self._archive = archive
        self._begins = issuer.not_before

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
                    cert_id,
                    status=self._said(status, this_update),
                    this_update=this_update,
                    next_update=next_update,
                    archive_cutoff=self._cutoff(this_update),
                )
                for cert_id, status in statuses
            ],
            nonce=nonce,
            extended_revoke=self._unknown_serial == "revoked",
        )
        linted = lint_ocsp_response(data, self._context)
        return Signed(
            der=signed_part(
                linted.der,
                signature_algorithm=linted.signature_algorithm,
                signature=signature_over(linted, self._signer),
            ),
            this_update=this_update,
            next_update=next_update,
        )

    def _said(self, status: Status, this_update: datetime) -> CertStatus | Revoked:
        if status.revoked_at is not None:
            return Revoked(min(status.revoked_at, this_update), status.reason)
        if status.status == "unknown":
            never_issued = status is UNKNOWN and self._unknown_serial == "revoked"
            return NEVER_ISSUED if never_issued else CertStatus.UNKNOWN
        return CertStatus.GOOD

    def _cutoff(self, produced_at: datetime) -> datetime | None:
        if self._archive is None:
            return None
        # The subtraction would leave the calendar for "since the issuer began", written as very many days.
        age = produced_at - self._begins
        return produced_at - min(self._archive, age)


def tail_of(responder: Authority) -> bytes:
    """What goes behind a signed answer: the responder's certificate (RFC 6960 §4.2.1)."""
    return certificates_part([responder.certificate])


def enveloped(signed: bytes, tail: bytes) -> bytes:
    """The OCSPResponse around what :class:`~ocsp.composing.Signed` holds."""
    return _head(len(signed) + len(tail)) + signed + tail


@cache
def _head(size: int) -> bytes:
    """Everything of an OCSPResponse before a BasicOCSPResponse's content of that size; there are few sizes."""
    return ocsp_response(ResponseStatus.SUCCESSFUL, der.sequence(bytes(size)))[:-size]
