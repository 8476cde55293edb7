"""The caller's own account and API tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from api.authentication import caller
from api.blueprint import ById, blueprint as group, listing, render, render_list, services
from api.shapes import Body, Token
from ca_core.domain.access import Permission
from ca_core.domain.account import ApiToken

blueprint = group("account", "The caller's account and tokens")


class MeOut(BaseModel):
    id: UUID
    name: str
    roles: list[str]
    permissions: list[str]
    centres: list[UUID]


class NewToken(Body):
    label: Token
    scopes: list[Permission] = Field(min_length=1, max_length=64)
    days: int = Field(default=90, ge=1, le=366)


class TokenOut(BaseModel):
    id: UUID
    label: str
    scopes: list[str]
    made_by: UUID | None = Field(description="the token that asked for it, with which it ends")
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> TokenOut:
        fields = {name: getattr(token, name) for name in cls.model_fields}
        return cls(**{**fields, "scopes": sorted(token.scopes)})


class NewTokenOut(TokenOut):
    token: str = Field(description="shown this once")


@blueprint.get("/me", responses={200: MeOut})
def me() -> Response:
    actor = caller()
    return render(
        MeOut(
            id=actor.id,
            name=actor.name,
            roles=sorted(actor.roles),
            permissions=sorted(actor.permissions),
            centres=sorted(actor.centres),
        )
    )


@blueprint.get("/tokens", responses={200: listing(TokenOut)})
def tokens() -> Response:
    return render_list(services().tokens.list(caller()), TokenOut.of)


@blueprint.post("/tokens", responses={201: NewTokenOut})
def create(body: NewToken) -> Response:
    """A new token; it has no more rights than the one that asks for it, lasts no longer, and ends with it."""
    token, secret = services().tokens.create(caller(), label=body.label, scopes=frozenset(body.scopes), days=body.days)
    return render(NewTokenOut(**TokenOut.of(token).model_dump(), token=secret), 201)


@blueprint.delete("/tokens/<uuid:id>", responses={200: TokenOut})
def revoke(path: ById) -> Response:
    """End it, and the tokens that it made."""
    return render(TokenOut.of(services().tokens.revoke(caller(), path.id)))
