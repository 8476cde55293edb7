"""An upload that is refused leaves nothing behind, whenever it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ca_core.domain.errors import DocumentRejected, WrongState


def files(house: Any) -> list[Path]:
    return [path for path in (house.program.config.data / "documents").rglob("*") if path.is_file()]


def test_the_file_that_was_refused_is_not_kept_again(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.review.claim(house.operator, application.id)
    document = next(
        one
        for one in house.services.review.snapshot(house.operator, application.id).documents
        if one.kind == "request-form"
    )
    house.services.documents.page(house.operator, document.id, 1)
    house.services.review.refuse_document(
        house.operator, document.id, version=document.version, reason="not-signed", note=""
    )
    kept = files(house)
    monkeypatch.setattr(house.services.documents._inspector, "inspect", lambda *_, **__: pytest.fail("looked at"))
    with pytest.raises(DocumentRejected, match="the file that was refused"):
        house.attach(application, "request-form")
    assert files(house) == kept


def test_what_is_refused_after_it_was_stored_is_destroyed(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application = house.apply(house.signing())
    desk = house.services.documents
    put = desk._store.put

    def put_and_withdraw(*arguments: Any) -> Any:
        stored = put(*arguments)
        assert len(files(house)) == 1
        house.services.intake.withdraw(house.subscriber, application.id, version=house.current(application).version)
        return stored

    monkeypatch.setattr(desk._store, "put", put_and_withdraw)
    with pytest.raises(WrongState):
        house.attach(application, "request-form")
    assert files(house) == []
    assert house.services.intake.get(house.subscriber, application.id).documents == []
