"""Documents are kept as long as their pack says; then their keys are gone and the record of them stays."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from ca_core.documents.sealed_store import SealedStore
from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.application import snapshot_digest
from ca_core.domain.document import DocumentState
from ca_core.domain.errors import NotFound

KEPT_FOR = timedelta(days=731)
"""The private pack's."""


def documents(house: Any, application: Any) -> Any:
    return house.services.intake.get(SYSTEM_ACTOR, application.id).documents


def files(house: Any) -> list[Path]:
    return [path for path in (house.program.config.data / "documents").rglob("*") if path.is_file()]


def test_documents_outlive_the_certificate_by_the_time_of_the_pack(house: Any, clock: Any) -> None:
    application = house.ready(house.signing())
    certificate = house.services.issuance.issue(house.subscriber, application.id)
    clock.advance(certificate.not_after + KEPT_FOR - clock() - timedelta(minutes=1))
    assert house.services.retention.tick() == 0
    clock.advance(timedelta(minutes=2))
    assert house.services.retention.tick() == 2
    assert house.services.retention.tick() == 0
    for document in documents(house, application):
        assert document.state is DocumentState.ACCEPTED, "the verdict stays"
        assert document.wrapped_key is None
        assert len(document.sha256) == 32
        [record] = [
            one
            for one in house.services.audit.list(house.auditor, object_id=str(document.id))
            if one.action == "document.destroyed"
        ]
        assert record.details["sha256"] == document.sha256.hex()
        with pytest.raises(NotFound, match="destroyed"):
            house.services.documents.page(house.operator, document.id, 1)
    assert files(house) == []
    view = house.services.intake.get(SYSTEM_ACTOR, application.id)
    counted = [one for one in view.documents if one.counts]
    assert snapshot_digest(view.application, counted, view.checks) == certificate.approval_digest


def test_without_a_certificate_the_time_counts_from_the_application(house: Any, clock: Any) -> None:
    rejected = house.submit(house.apply(house.signing()))
    house.services.review.claim(house.operator, rejected.id)
    house.services.review.reject(
        house.operator, rejected.id, version=house.current(rejected).version, note="nobody of that name"
    )
    clock.advance(KEPT_FOR + timedelta(days=1))
    assert house.services.retention.tick() == 2


def test_an_open_application_keeps_its_documents(house: Any, clock: Any) -> None:
    house.submit(house.apply(house.signing()))
    clock.advance(KEPT_FOR * 3)
    assert house.services.retention.tick() == 0
    assert len(files(house)) == 2


def test_a_destroyed_document_gets_no_key_again(house: Any, clock: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.intake.withdraw(house.subscriber, application.id, version=house.current(application).version)
    clock.advance(KEPT_FOR + timedelta(days=1))
    assert house.services.retention.tick() == 2
    with pytest.raises(Exception, match="immutable"), house.program.engine.begin() as connection:
        connection.execute(text("UPDATE documents SET wrapped_key = sha256"))


def test_what_an_interrupted_upload_left_is_swept_after_a_day(house: Any, clock: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    kept = files(house)
    store = SealedStore(house.program.config.data / "documents", house.program.symmetric, entropy=secrets.token_bytes)
    store.put(UUID("0198c0de-0000-7000-8000-000000000000"), house.subscriber.id, b"no row ever knew its key")
    clock.advance(timedelta(hours=2))
    assert house.services.retention.sweep() == 0
    clock.advance(timedelta(days=2))
    assert house.services.retention.sweep() == 1
    assert files(house) == kept
    assert all(one.wrapped_key for one in documents(house, application))
