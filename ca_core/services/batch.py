"""Batches: the certificates of many approved applications, with their requests, row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from ca_core.domain.access import Actor
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import CaError, Conflict
from ca_core.services.gathering import TOGETHER
from ca_core.services.issuance import Issuance
from ca_core.services.issuance_order import Wanted
from ca_core.services.ports import Transaction, Transactions
from ca_core.services.request_desk import RequestDesk, Sent
from ca_core.services.row import application_by
from ca_core.services.together import Case, still_open, together
from ca_core.x509.request import CertificationRequest

TAKES_REQUEST = frozenset({ApplicationState.AWAITING_KEY, ApplicationState.REQUEST_RECEIVED})


@dataclass(frozen=True, kw_only=True)
class BatchRow:
    """One certificate that is asked for."""

    application: UUID | str
    """Identifier or number."""
    request: bytes | None = None
    """PKCS #10, PEM or DER; None where the application has its request."""


class _RowCase(Case[Certificate]):
    application: Application

    def __init__(self, row: BatchRow) -> None:
        self.row = row


class Batch:
    """Safe to run again over the same rows: what was issued is given once more, for the same key only."""

    def __init__(self, transactions: Transactions, requests: RequestDesk, issuance: Issuance) -> None:
        self._transactions = transactions
        self._requests = requests
        self._issuance = issuance

    def issue(self, actor: Actor, rows: Iterable[BatchRow]) -> Iterator[Certificate | CaError]:
        """For each row in turn its certificate, or why there is none; some rows at a time, and what was given is
        durable."""
        remaining = iter(rows)
        while stretch := list(islice(remaining, TOGETHER)):
            yield from self._issue(actor, stretch)

    def _issue(self, actor: Actor, rows: Sequence[BatchRow]) -> Sequence[Certificate | CaError]:
        cases = self._looked_up(actor, rows)
        self._send_requests(actor, [case for case in still_open(cases) if _lacks_request(case)])
        waiting = still_open(cases)
        wanted = [
            Wanted(actor=actor, application=one.application.id, version=one.application.version) for one in waiting
        ]
        for case, outcome in zip(waiting, self._issuance.issue_all(wanted), strict=True):
            case.outcome = outcome
            if isinstance(outcome, Certificate) and case.row.request is not None:
                with case.step():
                    _require_key(case.row.request, outcome)
        outcomes = [case.outcome for case in cases if case.outcome is not None]
        return [one if isinstance(one, Certificate) else _refusal(one) for one in outcomes]

    def look(self, actor: Actor, rows: Iterable[BatchRow]) -> Iterator[Application | CaError]:
        """For each row in turn the application that it names, or why there is none; nothing is changed."""
        remaining = iter(rows)
        while stretch := list(islice(remaining, TOGETHER)):
            for case in self._looked_up(actor, stretch):
                yield _refusal(case.outcome) if isinstance(case.outcome, Exception) else case.application

    def _looked_up(self, actor: Actor, rows: Sequence[BatchRow]) -> Sequence[_RowCase]:
        def look(tx: Transaction, cases: Sequence[_RowCase]) -> None:
            for case in cases:
                with case.step():
                    case.application = application_by(tx, actor, case.row.application)

        cases = [_RowCase(row) for row in rows]
        together(self._transactions.read, cases, look)
        return cases

    def _send_requests(self, actor: Actor, cases: Sequence[_RowCase]) -> None:
        sent = [
            Sent(actor=actor, application=one.application.id, request=one.row.request, version=one.application.version)
            for one in cases
            if one.row.request is not None
        ]
        for case, outcome in zip(cases, self._requests.receive_all(sent), strict=True):
            if isinstance(outcome, Exception):
                case.outcome = outcome
            else:
                case.application = outcome


def _refusal(failure: Exception) -> CaError:
    """A fault of the program, which is no refusal, ends the batch; run again, it goes on."""
    if not isinstance(failure, CaError):
        raise failure
    return failure


def _lacks_request(case: _RowCase) -> bool:
    """Whether the row's request has to be handed in: it is another than the application has, or the first."""
    application, request = case.application, case.row.request
    if request is None or application.state not in TAKES_REQUEST:
        return False
    with case.step():
        return CertificationRequest.parse(request).der != application.request_der
    return False


def _require_key(request: bytes, certificate: Certificate) -> None:
    """Conflict unless the certificate is over the key of the row's request."""
    key = hashlib.sha256(CertificationRequest.parse(request).public_key_info).digest()
    if key != certificate.spki_sha256:
        raise Conflict("this application's certificate was issued for another key; take the request out of the row")
