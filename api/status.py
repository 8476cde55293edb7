"""For status nodes: the answers that stand ready, and the lists that are published (ADR 16)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.authentication import caller
from api.blueprint import blueprint as group, crls, feed
from ca_core.domain.authority import Authority, PublishedHead
from ca_core.services.certificate_content import urls_of
from ocsp.feed import AnswerCopy, Changes, Stretch

MOST = 5_000
"""Answers of one page, about 600 octets of JSON each."""

ShelfName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:sha(1|256)$")]
Hexadecimal = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})*$", max_length=512)]

blueprint = group("status", "What a status node follows")


class Binary(BaseModel):
    """Octets go as base64 with ``-`` and ``_`` (RFC 4648 §5)."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", from_attributes=True)


class AnswerOut(Binary):
    shelf: ShelfName
    key: bytes = Field(description="the serial as it stands in a CertID")
    record: bytes | None = Field(description="none when the answer is not to be given any more")


class ChangesOut(Binary):
    epoch: str
    number: int = Field(description="what to ask after next time, with the link")
    link: bytes
    anew: bool = Field(description="fetch all answers, then what changed after `number`")
    more: bool
    shelves: dict[Hexadecimal, ShelfName] = Field(description="by the beginning of a CertID")
    tails: dict[int, bytes]
    emptied: list[ShelfName]
    answers: list[AnswerOut]

    @classmethod
    def of(cls, changes: Changes) -> ChangesOut:
        shelves = {prefix.hex(): name for prefix, name in changes.shelves.items()}
        answers = [AnswerOut.model_validate(one) for one in changes.answers]
        fields = {name: getattr(changes, name) for name in cls.model_fields}
        return cls(**{**fields, "shelves": shelves, "answers": answers})

    def changes(self) -> Changes:
        """As they were sent."""
        return Changes(
            epoch=self.epoch,
            number=self.number,
            link=self.link,
            anew=self.anew,
            more=self.more,
            shelves={bytes.fromhex(prefix): name for prefix, name in self.shelves.items()},
            tails=self.tails,
            emptied=self.emptied,
            answers=_copies(self.answers),
        )


class StretchOut(Binary):
    answers: list[AnswerOut]
    more: bool
    tails: dict[int, bytes]

    def stretch(self) -> Stretch:
        """As it was sent."""
        return Stretch(answers=_copies(self.answers), more=self.more, tails=self.tails)


class ListOut(BaseModel):
    path: str = Field(description="of its address")
    sha256: str
    this_update: datetime
    next_update: datetime


class IssuerOut(Binary):
    path: str
    certificate: bytes
    created_at: datetime
    lists: list[ListOut]

    @classmethod
    def of(cls, issuer: Authority, heads: Iterable[PublishedHead]) -> IssuerOut:
        key = issuer.key_identifier
        lists = [
            ListOut(
                path=urls_of(key, base="", partition=one.partition)["crl" if one.base is None else "freshest_crl"],
                sha256=one.sha256.hex(),
                this_update=one.this_update,
                next_update=one.next_update,
            )
            for one in heads
        ]
        path = urls_of(key, base="", partition=0)["ca_issuers"]
        return cls(path=path, certificate=issuer.certificate, created_at=issuer.created_at, lists=lists)


class PublishedOut(Binary):
    issuers: list[IssuerOut]


class ChangesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    epoch: Hexadecimal | None = None
    after: int = Field(default=0, ge=0, le=2**62)
    link: Hexadecimal = Field(default="", description="of that number, as hexadecimal")
    limit: int = Field(default=2_000, ge=1, le=MOST)


class StretchQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    shelf: ShelfName
    after: Hexadecimal = Field(default="", description="key of the last answer before, as hexadecimal")
    limit: int = Field(default=2_000, ge=1, le=MOST)


@blueprint.get("/status/changes", responses={200: ChangesOut})
def changes(query: ChangesQuery) -> Response:
    """Answers that changed after a number of an epoch, as they are now."""
    found = feed().changes(
        caller(), epoch=query.epoch, after=query.after, link=bytes.fromhex(query.link), limit=query.limit
    )
    return _json(ChangesOut.of(found))


@blueprint.get("/status/answers", responses={200: StretchOut})
def answers(query: StretchQuery) -> Response:
    """All answers of one shelf, in the order of their keys."""
    found = feed().stretch(caller(), shelf=query.shelf, after=bytes.fromhex(query.after), limit=query.limit)
    return _json(StretchOut.model_validate(found))


@blueprint.get("/status/published", responses={200: PublishedOut})
def published() -> Response:
    """Every issuer, and the lists of it that lie at their addresses."""
    offered = crls().offered(caller())
    return _json(PublishedOut(issuers=[IssuerOut.of(issuer, heads) for issuer, heads in offered]))


def _json(page: BaseModel) -> Response:
    return Response(page.model_dump_json(), content_type="application/json")


def _copies(answers: list[AnswerOut]) -> list[AnswerCopy]:
    return [AnswerCopy(shelf=one.shelf, key=one.key, record=one.record) for one in answers]
