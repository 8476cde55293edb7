"""``pechatnik account | token | centre``: who may come in."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from ca_core.domain.access import Permission, Role
from ca_core.domain.account import Account, AccountChange
from ca_core.domain.errors import InvalidInput
from pechatnik.cli.context import context_of, read_file


@dataclass(frozen=True, kw_only=True)
class AccountLine:
    """An account without its secrets."""

    id: UUID
    email: str
    name: str
    roles: frozenset[Role]
    active: bool

    @classmethod
    def of(cls, account: Account) -> AccountLine:
        return cls(id=account.id, email=account.email, name=account.name, roles=account.roles, active=account.active)


@dataclass(frozen=True, kw_only=True)
class ChangeLine:
    """A change that waits, without the half of a password in it."""

    id: UUID
    account: UUID
    action: str
    roles: frozenset[Role]
    centres: frozenset[UUID]
    asked_by: UUID
    asked_at: datetime

    @classmethod
    def of(cls, change: AccountChange) -> ChangeLine:
        return cls(**{field.name: getattr(change, field.name) for field in fields(cls)})


accounts = typer.Typer(name="account", help="Accounts.", no_args_is_help=True)
tokens = typer.Typer(name="token", help="API tokens.", no_args_is_help=True)
centres = typer.Typer(name="centre", help="Service centres.", no_args_is_help=True)


@accounts.command("add")
def add_account(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument()],
    name: Annotated[str, typer.Option()],
    role: Annotated[list[Role], typer.Option(help="Once for each role.")],
    centre: Annotated[list[str], typer.Option(help="Code of a service centre, for operators.")] = [],  # noqa: B006
    password_file: Annotated[
        Path | None, typer.Option(help="First password; - for stdin. Without it one is made.")
    ] = None,
    language: Annotated[str, typer.Option()] = "en",
) -> None:
    """Add an account; prints its first password when none was given, or the first half where another administrator has
    to confirm."""
    context = context_of(ctx)
    desk = context.services.accounts
    given = read_file(password_file).decode(errors="replace").strip() if password_file else None
    account, password = desk.create(
        context.actor,
        email=email,
        name=name,
        roles=frozenset(role),
        centres=frozenset(desk.centre_by_code(context.actor, code).id for code in centre),
        password=given,
        language=language,
    )
    shown = None if given else password
    waiting = next(iter(desk.changes_waiting(context.actor, account.id)), None)
    told = f"first password: {shown}"
    if waiting is not None:
        told = (
            f"first half of its password: {shown}; "
            f"another administrator has to confirm it: pechatnik account confirm {waiting.id}"
        )
    context.output.result(
        {
            "id": account.id,
            "email": account.email,
            "roles": account.roles,
            "password": shown,
            "change": waiting and waiting.id,
        },
        f"account {account.email} was added" + (f"; {told}" if shown else ""),
    )


@accounts.command("list")
def list_accounts(
    ctx: typer.Context,
    text: Annotated[str, typer.Option()] = "",
    cursor: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    context = context_of(ctx)
    page = context.services.accounts.list(context.actor, text=text, cursor=cursor, limit=limit)
    rows = [AccountLine.of(account) for account in page.items]
    context.output.table(
        rows, {"email": "e-mail", "name": "name", "roles": "roles", "active": "active"}, next_cursor=page.next_cursor
    )


@accounts.command("changes")
def list_changes(ctx: typer.Context) -> None:
    """What one administrator asked for and another has to confirm."""
    context = context_of(ctx)
    rows = [ChangeLine.of(change) for change in context.services.accounts.changes_waiting(context.actor)]
    columns = ("id", "account", "action", "roles", "centres", "asked_by", "asked_at")
    context.output.table(rows, {name: name.replace("_", " ") for name in columns})


@accounts.command("confirm")
def confirm_change(ctx: typer.Context, change: Annotated[UUID, typer.Argument(help="Id of the change.")]) -> None:
    """Let a change hold that another administrator asked for; prints the second half of a new password."""
    context = context_of(ctx)
    account, second = context.services.accounts.confirm_change(context.actor, change)
    context.output.result(
        {"id": account.id, "email": account.email, "roles": account.roles, "password": second},
        f"account {account.email} is changed" + (f"; second half of its password: {second}" if second else ""),
    )


@accounts.command("refuse")
def refuse_change(ctx: typer.Context, change: Annotated[UUID, typer.Argument(help="Id of the change.")]) -> None:
    context = context_of(ctx)
    context.services.accounts.refuse_change(context.actor, change)
    context.output.result({"id": change}, f"change {change} is refused")


@tokens.command("create")
def create_token(
    ctx: typer.Context,
    email: Annotated[str, typer.Option("--account", help="Log in as this account.")],
    password_file: Annotated[Path, typer.Option(help="Its password; - for stdin.")],
    scope: Annotated[
        list[Permission], typer.Option(help="Rights of the token; without any, all of the account's but token.manage.")
    ] = [],  # noqa: B006
    totp: Annotated[str | None, typer.Option(help="One-time code, where the account has a second factor.")] = None,
    label: Annotated[str, typer.Option()] = "command line",
    days: Annotated[int, typer.Option(min=1, max=366)] = 1,
) -> None:
    """Make a token to act as an account: export PECHATNIK_TOKEN=…"""
    context = context_of(ctx)
    account = context.services.accounts.log_in(
        email=email,
        password=read_file(password_file).decode(errors="replace").strip(),
        totp=totp,
        source="command line",
    )
    actor = account.actor()
    scopes = frozenset(scope) or actor.permissions - {Permission.TOKEN_MANAGE}
    token, secret = context.services.tokens.create(actor, label=label, scopes=scopes, days=days)
    context.output.result({"id": token.id, "token": secret, "expires_at": token.expires_at}, secret)


@tokens.command("list")
def list_tokens(
    ctx: typer.Context,
    email: Annotated[str | None, typer.Option("--account", help="Those of this account that are in use.")] = None,
) -> None:
    """All of the account that is asking, whose token needs the right token.manage; an account's for administrators."""
    context = context_of(ctx)
    desk, actor = context.services, context.actor
    if email is None:
        rows = desk.tokens.list(actor)
    else:
        rows = desk.tokens.in_use(actor, desk.accounts.find_by_email(actor, email).id)
    context.output.table(rows, {"id": "id", "label": "label", "expires_at": "expires", "revoked_at": "revoked"})


@tokens.command("revoke")
def revoke_token(ctx: typer.Context, token: Annotated[UUID, typer.Argument(help="Id of the token.")]) -> None:
    """End a token of the account that is asking, and those it made; needs the right token.manage."""
    context = context_of(ctx)
    context.services.tokens.revoke(context.actor, token)
    context.output.result({"id": token}, f"token {token} is revoked")


@tokens.command("revoke-all")
def revoke_all_tokens(
    ctx: typer.Context, email: Annotated[str, typer.Option("--account", help="Whose tokens.")]
) -> None:
    """End every token of an account, for administrators; the owner is told."""
    context = context_of(ctx)
    account = context.services.accounts.find_by_email(context.actor, email)
    ended = context.services.tokens.revoke_all(context.actor, account.id)
    context.output.result(
        {"account": account.email, "revoked": ended}, f"{ended} tokens of {account.email} were revoked"
    )


@centres.command("add")
def add_centre(
    ctx: typer.Context, code: Annotated[str, typer.Argument()], name: Annotated[str, typer.Option()]
) -> None:
    context = context_of(ctx)
    if not code.isascii() or not code.isprintable() or " " in code:
        raise InvalidInput("the code of a centre is ASCII without spaces, for example MSK-01")
    centre = context.services.accounts.create_centre(context.actor, code=code, name=name)
    context.output.result(centre, f"centre {centre.code} was added")


@centres.command("list")
def list_centres(ctx: typer.Context) -> None:
    context = context_of(ctx)
    context.output.table(
        context.services.accounts.list_centres(context.actor), {"code": "code", "name": "name", "active": "active"}
    )
