"""What every group of endpoints shares: services, rendering, and the row version in ``ETag`` and ``If-Match``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, current_app, jsonify, request
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field, create_model

from ca_core.domain.errors import InvalidInput, PreconditionRequired
from ca_core.services.ports import Page
from ca_core.services.suite import Services
from crl.office import CrlOffice
from ocsp.feed import StatusFeed

T = TypeVar("T")


class ById(BaseModel):
    """The object in the path."""

    id: UUID


class IfMatch(BaseModel):
    """The row version that the caller saw, as the ETag of the last answer: ``"3"``."""

    if_match: str | None = Field(default=None, alias="If-Match")

    @classmethod
    @cache
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:  # type: ignore[override]
        """Kept, since the framework asks for it with every request."""
        return super().model_json_schema(*args, **options)


def blueprint(name: str, description: str, *, tag: str | None = None, open: bool = False) -> APIBlueprint:
    """A group of endpoints; ``open`` to those without a token."""
    return APIBlueprint(
        name,
        __name__,
        url_prefix="/api/v1",
        abp_tags=[Tag(name=tag or name, description=description)],
        abp_security=None if open else [{"token": []}],
        operation_id_callback=_operation_id,
    )


def _operation_id(*, bp_name: str, name: str, path: str, method: str) -> str:
    """``applications.submit``: the name that generated clients give the call."""
    return f"{bp_name}.{name}"


def services() -> Services:
    found: Services = current_app.config["SERVICES"]
    return found


def crls() -> CrlOffice:
    found: CrlOffice = current_app.config["CRLS"]
    return found


def feed() -> StatusFeed:
    found: StatusFeed = current_app.config["FEED"]
    return found


def seen_version() -> int:
    """The version named by ``If-Match``; 428 without it, so that no decision is made on a stale page."""
    value = request.headers.get("If-Match")
    if value is None:
        raise PreconditionRequired('send the version that you saw: If-Match: "N", from the ETag or the field version')
    version = version_in(value)
    if version is None:
        raise InvalidInput('If-Match is one version, such as "3"', fields={"If-Match": "not a version"})
    return version


def version_in(if_match: str) -> int | None:
    """The version that the header names; None when it is not one."""
    match = re.fullmatch(r'(?:W/)?"?([0-9]{1,9})"?', if_match.strip())
    return None if match is None else int(match[1])


def render(model: BaseModel, status: int = 200) -> Response:
    """A model as JSON; its version, where it has one, becomes the ETag."""
    response = jsonify(model.model_dump(mode="json"))
    response.status_code = status
    version = getattr(model, "version", None)
    if isinstance(version, int):
        response.headers["ETag"] = f'"{version}"'
    return response


def render_page(page: Page[T], shape: Callable[[T], BaseModel]) -> Response:
    return jsonify(
        {"items": [shape(one).model_dump(mode="json") for one in page.items], "next_cursor": page.next_cursor}
    )


def render_list(items: Sequence[T], shape: Callable[[T], BaseModel]) -> Response:
    return jsonify({"items": [shape(one).model_dump(mode="json") for one in items], "next_cursor": None})


def listing(item: type[BaseModel]) -> type[BaseModel]:
    """The schema of a page of items."""
    fields: dict[str, Any] = {"items": (list[item], ...), "next_cursor": (str | None, None)}  # type: ignore[valid-type]
    return create_model(f"{item.__name__}Page", **fields)


def binary(*content_types: str) -> dict[str, Any]:
    """The OpenAPI response of a file, in one of these types."""
    body = {"schema": {"type": "string", "format": "binary"}}
    return {"description": "the file", "content": dict.fromkeys(content_types, body)}
