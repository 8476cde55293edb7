"""Numbers that only grow, with several writers at once (invariant 8), and what a list's repository answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState, PublishedCrl
from ca_core.domain.errors import CaError, Conflict, Duplicate, NotFound
from ca_core.domain.profile import Environment


def authority(shelf: Any, name: str, **changes: Any) -> Authority:
    certificate = shelf.issued()
    filler = name.encode().ljust(32, b"\0")
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        row = Authority(
            id=tx.new_id(),
            name=name,
            kind=AuthorityKind.ISSUING,
            parent=None,
            environment=Environment.PRODUCTION,
            key_reference=name,
            signature_algorithm=SignatureAlgorithm.ECDSA_SHA256,
            certificate=b"der",
            certificate_id=certificate.id,
            key_identifier=filler[:20],
            not_before=tx.now,
            not_after=tx.now + timedelta(days=365),
            created_at=tx.now,
        )
        row = replace(row, **changes)
        tx.authorities.add(row)
    return row


def crl(tx: Any, authority: UUID, number: int, partition: int = 0) -> PublishedCrl:
    return PublishedCrl(
        id=tx.new_id(),
        authority=authority,
        partition=partition,
        number=number,
        this_update=tx.now,
        next_update=tx.now + timedelta(days=1),
        entries=0,
        der=b"der",
        sha256=bytes(32),
    )


def at_once(work: Callable[[], None], writers: int) -> list[BaseException]:
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_invariant_8_writers_at_once_get_different_numbers_without_gaps(shelf: Any) -> None:
    issuer = authority(shelf, "issuing").id
    numbers: list[int] = []

    def take() -> None:
        for _ in range(8):
            with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
                number = tx.authorities.next_crl_number(issuer, 0)
                tx.authorities.publish_crl(crl(tx, issuer, number))
            numbers.append(number)

    assert at_once(take, writers=4) == []
    assert sorted(numbers) == list(range(1, 33))
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.authorities.current_crl(issuer, 0).number == 32


def test_invariant_8_a_lower_number_that_waited_for_a_higher_one_is_refused(shelf: Any) -> None:
    issuer = authority(shelf, "issuing").id
    begun = threading.Event()
    verdicts: list[str] = []

    def late() -> None:
        begun.set()
        try:
            with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
                tx.authorities.publish_crl(crl(tx, issuer, 4))
            verdicts.append("stored")
        except CaError as error:
            verdicts.append(error.code)

    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.authorities.publish_crl(crl(tx, issuer, 5))
        other = threading.Thread(target=late)
        other.start()
        begun.wait()
        other.join(0.5)  # it has to wait for our commit: without the lock it would be stored by now
    other.join()
    assert verdicts == [Conflict.code]


def test_a_number_that_was_rolled_back_is_given_again(shelf: Any) -> None:
    def given_up() -> None:
        with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            assert tx.applications.next_number(2026) == "2026-000001"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        given_up()
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.applications.next_number(2026) == "2026-000001"
        assert tx.applications.next_number(2026) == "2026-000002"
        assert tx.applications.next_number(2027) == "2027-000001", "each year counts for itself"


def test_partitions_and_authorities_count_for_themselves(shelf: Any) -> None:
    one, two = authority(shelf, "one").id, authority(shelf, "two").id
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        assert [tx.authorities.next_crl_number(one, 0), tx.authorities.next_crl_number(one, 0)] == [1, 2]
        assert [tx.authorities.next_crl_number(one, 1), tx.authorities.next_crl_number(two, 0)] == [1, 1]
        tx.authorities.publish_crl(crl(tx, one, 7))
        tx.authorities.publish_crl(crl(tx, one, 3, partition=1))
        tx.authorities.publish_crl(crl(tx, two, 1))
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.authorities.current_crl(one, 0).number == 7
        assert tx.authorities.current_crl(one, 1).number == 3
        assert tx.authorities.current_crl(one, 2) is None


def test_authorities_by_name_kind_and_latest_responder(shelf: Any, clock: Any) -> None:
    root = authority(shelf, "root", kind=AuthorityKind.ROOT)
    issuing = authority(shelf, "issuing", parent=root.id, state=AuthorityState.RETIRED)
    responder = {"kind": AuthorityKind.OCSP_RESPONDER, "parent": issuing.id}
    authority(shelf, "short", **responder, not_after=clock() + timedelta(days=5))
    long = authority(shelf, "long", **responder, not_after=clock() + timedelta(days=9))
    authority(shelf, "retired", **responder, state=AuthorityState.RETIRED)
    authority(shelf, "early", **responder, not_before=clock() + timedelta(days=20))
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.authorities.by_name("issuing") == issuing
        assert [one.name for one in tx.authorities.issuers()] == ["root", "issuing"], "retired ones go on answering"
        assert len(tx.authorities.all()) == 6
        assert tx.authorities.responder_for(issuing.id, clock()) == long
        assert tx.authorities.responder_for(issuing.id, clock() + timedelta(days=10)) is None
        assert tx.authorities.responder_for(root.id, clock()) is None
        with pytest.raises(NotFound):
            tx.authorities.by_name("nobody")
    with pytest.raises(Duplicate):
        authority(shelf, "root", key_reference="other", key_identifier=bytes(20))
