"""Batches: each row by itself, in its order, and the same again when it is run again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import (
    ApprovalNeeded,
    Conflict,
    MalformedDer,
    NotFound,
    NotPermitted,
    SelfApproval,
    WeakKey,
    WrongState,
)
from ca_core.services.batch import BatchRow
from ca_core.services.request_desk import Sent
from tests.integration.conftest import request_for


def row(application: Any, request: bytes | None = None) -> BatchRow:
    return BatchRow(application=application.id, request=request)


def issued(house: Any, *rows: BatchRow, by: Any = None) -> list[Any]:
    return list(house.services.batch.issue(by or house.subscriber, rows))


def test_requests_are_taken_and_certificates_issued_in_the_order_of_the_rows(house: Any) -> None:
    approved, ready = house.approved(), house.ready()
    request = request_for()
    first, second = issued(house, row(approved, request), BatchRow(application=ready.number))
    assert (first.application, second.application) == (approved.id, ready.id)
    assert house.current(approved).state.value == "issued"
    assert house.services.audit.verify(SYSTEM_ACTOR).ok


def test_run_again_the_same_rows_give_the_same_certificates(house: Any) -> None:
    rows = [row(house.approved(), request_for()), row(house.ready())]
    assert issued(house, *rows) == issued(house, *rows)


def test_a_certificate_over_another_key_is_not_what_the_row_asks_for(house: Any) -> None:
    application = house.approved()
    assert isinstance(issued(house, row(application, request_for()))[0], Certificate)
    assert isinstance(issued(house, row(application, request_for()))[0], Conflict)


def test_each_row_is_refused_by_itself(house: Any) -> None:
    good = house.ready()
    replaced = house.ready()
    rows = [
        row(house.submit(house.apply()), request_for()),
        BatchRow(application=UUID(int=1)),
        BatchRow(application="2000-000001"),
        row(house.approved(), b"no request"),
        row(house.approved()),
        row(good),
        row(replaced, request_for()),
    ]
    kinds = [type(one) for one in issued(house, *rows)]
    assert kinds == [ApprovalNeeded, NotFound, NotFound, MalformedDer, WrongState, Certificate, Certificate]
    assert [type(one) for one in issued(house, row(good), by=house.stranger)] == [NotFound]


def test_more_rows_than_share_a_transaction_are_all_answered(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ca_core.services.batch.TOGETHER", 2)
    applications = [house.ready() for _ in range(5)]
    outcomes = issued(house, *map(row, applications))
    assert [one.application for one in outcomes] == [one.id for one in applications]


def test_looking_changes_nothing(house: Any) -> None:
    application = house.ready()
    found, missing = house.services.batch.look(house.subscriber, [row(application), BatchRow(application="none")])
    assert found == house.current(application)
    assert isinstance(missing, NotFound)


def test_requests_sent_together_are_refused_each_by_itself(house: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    mine, second, approved_by_me = house.approved(), house.approved(), house.approved()

    def sent(application: Any, request: bytes, actor: Any = None) -> Sent:
        return Sent(
            actor=actor or house.subscriber, application=application.id, request=request, version=application.version
        )

    taken = house.services.requests.receive_all(
        [
            sent(mine, request_for(key)),
            sent(second, b"-"),
            sent(second, request_for(), house.stranger),
            sent(second, request_for(), house.support),
            sent(approved_by_me, request_for(), house.operator),
            sent(approved_by_me, request_for(key)),
        ]
    )
    kinds = [type(one).__name__ for one in taken]
    assert kinds[0] == kinds[5] == "Application", kinds
    assert [type(one) for one in taken[1:5]] == [MalformedDer, NotFound, NotPermitted, SelfApproval]
    assert house.services.audit.verify(SYSTEM_ACTOR).ok
    other = house.approve(house.submit(house.apply(by=house.stranger), house.stranger))
    assert isinstance(issued(house, row(mine))[0], Certificate)
    refused = house.services.requests.receive_all([sent(other, request_for(key), house.stranger)])
    assert isinstance(refused[0], WeakKey)
