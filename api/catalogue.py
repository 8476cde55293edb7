"""What there is to apply for, and who signs: profiles, authorities, service centres."""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel

from api.authentication import caller
from api.blueprint import blueprint as group, listing, render, render_list, services
from api.shapes import AuthorityOut, ProfileOut, Token
from ca_core.domain.account import Centre

blueprint = group("catalogue", "Profiles, authorities and service centres")


class ProfilePath(BaseModel):
    pack: Token
    name: Token


class CentreOut(BaseModel):
    id: str
    code: str
    name: str
    active: bool

    @classmethod
    def of(cls, centre: Centre) -> CentreOut:
        return cls(id=str(centre.id), code=centre.code, name=centre.name, active=centre.active)


@blueprint.get("/profiles", responses={200: listing(ProfileOut)})
def profiles() -> Response:
    """The profiles in force today that applicants may ask for."""
    return render_list(services().intake.profiles(caller()), ProfileOut.of)


@blueprint.get("/profiles/<string:pack>/<string:name>", responses={200: ProfileOut})
def profile(path: ProfilePath) -> Response:
    return render(ProfileOut.of(services().intake.profile(caller(), f"{path.pack}/{path.name}")))


@blueprint.get("/centres", responses={200: listing(CentreOut)})
def centres() -> Response:
    return render_list(services().accounts.list_centres(caller()), CentreOut.of)


@blueprint.get("/authorities", responses={200: listing(AuthorityOut)})
def authorities() -> Response:
    return render_list(services().authorities.list(caller()), AuthorityOut.of)
