"""The responder: reads a request, looks at the rows it asks about, signs what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import structlog

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import CaError, InvalidInput, MalformedDer, NotFound, TryAgain
from ca_core.domain.identifiers import Serial
from ca_core.lint import OcspLintContext, lint_ocsp_response
from ca_core.services.known_at import known_at
from ca_core.services.ports import KeyStore, Transaction, Transactions
from ca_core.services.signing import signature_over
from ca_core.x509.algorithm import public_key_identifier
from ca_core.x509.ocsp import (
    NEVER_ISSUED,
    CertId,
    CertStatus,
    OcspRequest,
    ResponseStatus,
    Revoked,
    basic_response,
    ocsp_response,
    response_data,
    single_response,
)
from ocsp.issuers import Issuers
from ocsp.status import UNKNOWN, Status, status_of

UnknownSerial = Literal["unknown", "revoked", "unauthorized"]

log = structlog.get_logger("ocsp")


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How long an answer may be kept."""

    this_update: datetime
    next_update: datetime
    max_age: int
    """Seconds that HTTP caches may keep it: half of its time, so that clients always get one with time left."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back to the client."""

    body: bytes
    """A DER OCSPResponse, whatever the request was."""
    freshness: Freshness | None = None
    """None for what must not be kept: errors, answers to a nonce, and unknown (invariant 11)."""


REFUSALS: Mapping[ResponseStatus, Answer] = {
    status: Answer(body=ocsp_response(status)) for status in ResponseStatus if status is not ResponseStatus.SUCCESSFUL
}


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What one transaction read for one request."""

    issuer: Authority
    responder: Authority
    statuses: Sequence[tuple[CertId, Status]]
    this_update: datetime


class Responder:
    """Answers for every issuer that has a responder of its own.

    Each question reads the certificate's row, in one transaction and with no cache between, so the first answer after
    the commit of a revocation tells of it (invariant 10).

    One signature speaks for one issuer. A request about certificates of an issuer that is not ours, of one without a
    responder (the root), or of several issuers at once is answered ``unauthorized``: we are not authoritative for all
    of it (RFC 6960 §2.3, RFC 9919 §3.2.3).
    """

    def __init__(
        self, transactions: Transactions, keys: KeyStore, *, validity: timedelta, unknown_serial: UnknownSerial
    ) -> None:
        """``validity`` is from thisUpdate to nextUpdate. ``unknown_serial`` is the answer for a serial that was never
        issued; ``revoked`` is the extended definition of RFC 6960 §2.2."""
        self._transactions = transactions
        self._keys = keys
        self._validity = validity
        self._unknown_serial = unknown_serial
        self._issuers = Issuers()

    def answer(self, request: bytes) -> Answer:
        """The answer to a DER OCSPRequest; there is one for all bytes, and no error leaves."""
        try:
            asked = OcspRequest.parse(request)
        except MalformedDer:
            return REFUSALS[ResponseStatus.MALFORMED_REQUEST]
        try:
            with self._transactions.read(SYSTEM_ACTOR) as tx:
                facts = self._look_up(tx, asked)
            return facts if isinstance(facts, Answer) else self._sign(facts, asked.nonce)
        except (TryAgain, NotFound) as trouble:  # the database is busy; the key is not there
            log.warning("cannot answer now", error=trouble.code, detail=trouble.detail)
            return REFUSALS[ResponseStatus.TRY_LATER]
        except CaError as trouble:
            log.error("cannot answer", error=trouble.code, detail=trouble.detail)
            return REFUSALS[ResponseStatus.INTERNAL_ERROR]

    def status(self, issuer: UUID, serial: Serial) -> Status:
        """What an answer about that certificate would say; ``unknown`` for what was never issued."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return status_of(tx.certificates.lookup(issuer, serial))

    def _look_up(self, tx: Transaction, asked: OcspRequest) -> _Facts | Answer:
        issuers = [self._issuers.of(tx, cert_id) for cert_id in asked.cert_ids]
        issuer = issuers[0]
        if issuer is None or any(other is None or other.id != issuer.id for other in issuers):
            return REFUSALS[ResponseStatus.UNAUTHORIZED]
        responder = tx.authorities.responder_for(issuer.id, tx.now)
        if responder is None:
            # A root has none by design; an issuing authority's is being renewed.
            without = ResponseStatus.UNAUTHORIZED if issuer.kind is AuthorityKind.ROOT else ResponseStatus.TRY_LATER
            return REFUSALS[without]
        # A certificate that is asked about twice is answered for once.
        asked_once = {cert_id.der: cert_id for cert_id in asked.cert_ids}.values()
        compromised = _compromise(tx, issuer)
        statuses = [(cert_id, compromised or _status(tx, issuer, cert_id)) for cert_id in asked_once]
        if self._unknown_serial == "unauthorized" and any(status is UNKNOWN for _, status in statuses):
            return REFUSALS[ResponseStatus.UNAUTHORIZED]
        revocations = (status.revoked_at for _, status in statuses if status.revoked_at is not None)
        return _Facts(issuer=issuer, responder=responder, statuses=statuses, this_update=known_at(tx.now, revocations))

    def _sign(self, facts: _Facts, nonce: bytes | None) -> Answer:
        this_update = facts.this_update
        next_update = min(this_update + self._validity, facts.responder.not_after)
        if next_update <= this_update:
            return REFUSALS[ResponseStatus.TRY_LATER]
        responder = facts.responder
        signer = self._keys.signer(responder.key_reference, responder.signature_algorithm)
        data = response_data(
            responder_key_hash=public_key_identifier(signer.public_key_info),
            produced_at=this_update,
            responses=[
                single_response(
                    cert_id,
                    status=self._said(status, this_update),
                    this_update=this_update,
                    next_update=next_update,
                )
                for cert_id, status in facts.statuses
            ],
            nonce=nonce,
            extended_revoke=self._unknown_serial == "revoked",
        )
        context = OcspLintContext(
            issuer_certificate=facts.issuer.certificate,
            responder_certificate=responder.certificate,
            signature_algorithm=signer.algorithm_identifier,
        )
        linted = lint_ocsp_response(data, context)
        basic = basic_response(
            linted.der,
            signature_algorithm=linted.signature_algorithm,
            signature=signature_over(linted, signer),
            certificates=[responder.certificate],
        )
        keep = nonce is None and all(status is not UNKNOWN for _, status in facts.statuses)
        return Answer(
            body=ocsp_response(ResponseStatus.SUCCESSFUL, basic),
            freshness=Freshness(
                this_update=this_update,
                next_update=next_update,
                max_age=int((next_update - this_update).total_seconds()) // 2,
            )
            if keep
            else None,
        )

    def _said(self, status: Status, this_update: datetime) -> CertStatus | Revoked:
        if status.revoked_at is not None:
            return Revoked(min(status.revoked_at, this_update), status.reason)
        if status is UNKNOWN:
            return NEVER_ISSUED if self._unknown_serial == "revoked" else CertStatus.UNKNOWN
        return CertStatus.GOOD


def _compromise(tx: Transaction, issuer: Authority) -> Status | None:
    """What is said of every certificate of an issuer whose key is compromised (RFC 6960 §2.7); None of any other."""
    if tx.authorities.get(issuer.id, seen_by=EVERYTHING).state is not AuthorityState.REVOKED:
        return None
    own = tx.certificates.get(issuer.certificate_id, seen_by=EVERYTHING)
    if own.reason not in (RevocationReason.KEY_COMPROMISE, RevocationReason.CA_COMPROMISE):
        return None
    return Status(status="revoked", reason=RevocationReason.CA_COMPROMISE, revoked_at=own.revoked_at)


def _status(tx: Transaction, issuer: Authority, cert_id: CertId) -> Status:
    try:
        serial = Serial(cert_id.serial)
    except InvalidInput:  # no certificate can have such a number
        return UNKNOWN
    return status_of(tx.certificates.lookup(issuer.id, serial))
