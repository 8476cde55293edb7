"""The responder: reads a request, looks at the rows it asks about, signs what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import CaError, InvalidInput, MalformedDer, NotFound, TryAgain
from ca_core.domain.identifiers import Serial
from ca_core.services.known_at import known_at
from ca_core.services.ports import KeyStore, Transaction, Transactions
from ca_core.x509.ocsp import CertId, OcspRequest, ResponseStatus, ocsp_response
from ocsp.composing import Composer, UnknownIssuer, UnknownSerial, enveloped, tail_of
from ocsp.issuers import Issuers
from ocsp.status import NOT_OURS, UNKNOWN, Status, status_of

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
    of it (RFC 6960 §2.3, RFC 9919 §3.2.3). What of them all no issuer is ours may be answered ``unknown`` instead, as
    RFC 6960 §2.2 has it, signed by the responder of our first issuer.
    """

    def __init__(
        self,
        transactions: Transactions,
        keys: KeyStore,
        *,
        validity: timedelta,
        unknown_serial: UnknownSerial,
        unknown_issuer: UnknownIssuer = "unauthorized",
        archive: timedelta | None = None,
    ) -> None:
        """``validity`` is from thisUpdate to nextUpdate, ``archive`` as for :class:`~ocsp.composing.Composer`.
        ``unknown_serial`` is the answer for a serial that was never issued; ``revoked`` is the extended definition of
        RFC 6960 §2.2. ``unknown_issuer`` is the answer about issuers that are not ours."""
        self._transactions = transactions
        self._keys = keys
        self._validity = validity
        self._unknown_serial = unknown_serial
        self._unknown_issuer = unknown_issuer
        self._archive = archive
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
        if self._unknown_issuer == "unknown" and not any(issuers):
            return self._not_ours(tx, asked)
        if issuer is None or any(other is None or other.id != issuer.id for other in issuers):
            return REFUSALS[ResponseStatus.UNAUTHORIZED]
        responder = tx.authorities.responder_for(issuer.id, tx.now)
        if responder is None:
            # A root has none by design; an issuing authority's is being renewed.
            without = ResponseStatus.UNAUTHORIZED if issuer.kind is AuthorityKind.ROOT else ResponseStatus.TRY_LATER
            return REFUSALS[without]
        compromised = compromise_of(tx, issuer)
        statuses = [(cert_id, compromised or _status(tx, issuer, cert_id)) for cert_id in _once(asked)]
        if self._unknown_serial == "unauthorized" and any(status is UNKNOWN for _, status in statuses):
            return REFUSALS[ResponseStatus.UNAUTHORIZED]
        revocations = (status.revoked_at for _, status in statuses if status.revoked_at is not None)
        return _Facts(issuer=issuer, responder=responder, statuses=statuses, this_update=known_at(tx.now, revocations))

    def _not_ours(self, tx: Transaction, asked: OcspRequest) -> _Facts | Answer:
        for issuer in tx.authorities.issuers():
            responder = tx.authorities.responder_for(issuer.id, tx.now)
            if responder is not None:
                statuses = [(cert_id, NOT_OURS) for cert_id in _once(asked)]
                return _Facts(issuer=issuer, responder=responder, statuses=statuses, this_update=known_at(tx.now, ()))
        return REFUSALS[ResponseStatus.UNAUTHORIZED]

    def _sign(self, facts: _Facts, nonce: bytes | None) -> Answer:
        composer = Composer(
            self._keys,
            issuer=facts.issuer,
            responder=facts.responder,
            validity=self._validity,
            unknown_serial=self._unknown_serial,
            archive=self._archive,
        )
        signed = composer.sign(facts.statuses, facts.this_update, nonce=nonce)
        if signed is None:
            return REFUSALS[ResponseStatus.TRY_LATER]
        keep = nonce is None and all(status.status != "unknown" for _, status in facts.statuses)
        return Answer(
            body=enveloped(signed.der, tail_of(facts.responder)),
            freshness=Freshness(
                this_update=signed.this_update,
                next_update=signed.next_update,
                max_age=int((signed.next_update - signed.this_update).total_seconds()) // 2,
            )
            if keep
            else None,
        )


def _once(asked: OcspRequest) -> Iterable[CertId]:
    """A certificate that is asked about twice is answered for once."""
    return {cert_id.der: cert_id for cert_id in asked.cert_ids}.values()


def compromise_of(tx: Transaction, issuer: Authority) -> Status | None:
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
