"""``pechatnik application``: the whole way from draft to decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from ca_core.domain.access import Permission
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.errors import InvalidInput
from ca_core.services.new_application import NewApplication
from pechatnik.cli.context import Context, context_of, identifier, read_file
from pechatnik.cli.output import plain

app = typer.Typer(name="application", help="Applications and their review.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="Application number or id.")]
COLUMNS = {"number": "number", "state": "state", "profile": "profile", "due_at": "due", "id": "id"}


def _find(context: Context, number: str) -> Application:
    return context.services.intake.get(context.actor, identifier(number)).application


def _report(context: Context, application: Application) -> None:
    context.output.result(application, f"application {application.number} is {application.state.value}")


def _approval(one: dict[str, Any]) -> str:
    heading = f"round {one['round']}, approved by {one['approver']} {one['at']}: {one['digest']}"
    content = "not kept" if one["approved"] is None else json.dumps(one["approved"], ensure_ascii=False, indent=2)
    return f"{heading}\n{content}"


def _pairs(values: list[str], option: str) -> dict[str, str]:
    pairs = dict(value.partition("=")[::2] for value in values)
    if any("=" not in value for value in values):
        raise InvalidInput(f"{option} takes NAME=VALUE, for example {option} CN='Example Ltd'")
    return pairs


@app.command()
def new(
    ctx: typer.Context,
    profile: Annotated[str, typer.Option(help="pack/name")],
    subject: Annotated[list[str], typer.Option("--subject", "-s", help="NAME=VALUE, once for each attribute.")] = [],  # noqa: B006
    san: Annotated[list[str], typer.Option("--san", help="type:value, for example dns:www.example.org")] = [],  # noqa: B006
    identification: Annotated[str | None, typer.Option(help="How identity was established.")] = None,
    centre: Annotated[str | None, typer.Option(help="Code of the service centre.")] = None,
    owner: Annotated[str | None, typer.Option(help="The subscriber's e-mail address.")] = None,
    replaces: Annotated[str | None, typer.Option(help="An imported certificate that it is in place of.")] = None,
    data: Annotated[Path | None, typer.Option(help="JSON object of subject attributes; - for standard input.")] = None,
) -> None:
    """Start an application (a draft)."""
    context = context_of(ctx)
    values = _pairs(subject, "--subject")
    if data is not None:
        try:
            loaded = json.loads(read_file(data))
        except (ValueError, RecursionError):
            raise InvalidInput(f"{data} is not a JSON object") from None
        if not isinstance(loaded, dict) or not all(isinstance(value, str) for value in loaded.values()):
            raise InvalidInput(f"{data} is not a JSON object of strings")
        values = {**loaded, **values}
    names = tuple((kind, value) for kind, _, value in (one.partition(":") for one in san))
    accounts = context.services.accounts
    request = NewApplication(
        profile=profile,
        subject=values,
        san=names,
        identification=identification,
        centre=accounts.centre_by_code(context.actor, centre).id if centre else None,
        owner=accounts.find_by_email(context.actor, owner).id if owner else None,
        replaces=context.services.certificates.get(context.actor, identifier(replaces)).id if replaces else None,
    )
    if context.dry_run:
        context.services.intake.check(context.actor, request)
        context.output.result(request, "the application would be accepted as a draft; nothing was stored")
        return
    created = context.services.intake.create(context.actor, request)
    context.output.result(created, f"application {created.number} was made; attach its documents, then submit it")


@app.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[list[ApplicationState], typer.Option(help="Only these states.")] = [],  # noqa: B006
    text: Annotated[str, typer.Option(help="Number, subject value or e-mail.")] = "",
    due: Annotated[bool, typer.Option(help="Earliest deadline first.")] = False,
    cursor: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """The applications that you may see."""
    context = context_of(ctx)
    page = context.services.intake.list(
        context.actor, states=state, text=text, cursor=cursor, limit=limit, order="due" if due else "created"
    )
    context.output.table(page.items, COLUMNS, next_cursor=page.next_cursor)


@app.command()
def show(
    ctx: typer.Context,
    number: Number,
    approvals: Annotated[bool, typer.Option("--approvals", help="What was approved in each round, as it was.")] = False,
) -> None:
    """One application with its documents, requirements and checks."""
    context = context_of(ctx)
    if approvals:
        given = context.services.journeys.approvals(context.actor, identifier(number))
        found = [{**plain(one), "approved": None if kept is None else json.loads(kept)} for one, kept in given]
        context.output.result(found, "\n".join(map(_approval, found)) or "nobody approved it yet")
        return
    view = context.services.intake.get(context.actor, identifier(number))
    a = view.application
    lines = [f"{a.number}  {a.state.value}  {a.profile}", *(f"  {name} = {value}" for name, value in a.subject.items())]
    if a.due_at:
        lines.append(f"  decision due {a.due_at.isoformat(timespec='minutes')}")
    lines += [f"  asked for: {r.kind}" + (" (not needed)" if r.waived_by else "") for r in view.requirements]
    lines += [f"  document {d.id}  {d.kind}  {d.filename}  {d.state.value}  {d.reason or ''}" for d in view.documents]
    lines += [f"  check {c.name}: {c.verdict}" for c in view.checks]
    shown = plain(view)
    if context.actor.may(Permission.APPLICATION_REVIEW) or context.actor.may(Permission.AUDIT_VIEW):
        lines += [f"  approved by {one.approver} {one.at.isoformat()}: {one.digest.hex()}" for one in view.approved]
        lines.append(f"  digest {view.digest.hex()}")
    if context.actor.may(Permission.AUDIT_VIEW):
        told = context.services.notices.about(context.actor, a.id)
        shown["notices"] = plain(told)
        lines += [f"  notice {n.id}  {n.kind} to {n.account}  {n.state.value}" for n in told]
    context.output.result(shown, "\n".join(lines))


@app.command()
def attach(
    ctx: typer.Context,
    number: Number,
    kind: Annotated[str, typer.Argument(help="Document type, as the profile asks for it.")],
    file: Annotated[Path, typer.Argument(help="PDF, JPEG, PNG or TIFF.")],
) -> None:
    """Attach a document; it takes the place of an earlier one of the same kind."""
    context = context_of(ctx)
    document = context.services.documents.attach(
        context.actor, _find(context, number).id, kind=kind, filename=file.name, data=read_file(file)
    )
    context.output.result(document, f"document {document.id} ({document.kind}, {document.pages} pages) was attached")


@app.command()
def submit(ctx: typer.Context, number: Number) -> None:
    """Hand in for review."""
    context = context_of(ctx)
    found = _find(context, number)
    _report(context, context.services.intake.submit(context.actor, found.id, version=found.version))


@app.command()
def claim(
    ctx: typer.Context,
    number: Number,
    take_over: Annotated[bool, typer.Option(help="Take it from somebody else; for reviewers.")] = False,
) -> None:
    """Take into review."""
    context = context_of(ctx)
    found = _find(context, number)
    _report(context, context.services.review.claim(context.actor, found.id, take_over=take_over))


@app.command()
def view(
    ctx: typer.Context,
    document: Annotated[UUID, typer.Argument(help="Document id.")],
    page: Annotated[int, typer.Option(min=1)] = 1,
    out: Annotated[Path, typer.Option(help="PNG file to write; - for standard output.")] = Path("-"),
) -> None:
    """Write one page of a document as a picture; that you saw it goes on record."""
    from pechatnik.cli.context import write_file

    context = context_of(ctx)
    write_file(out, context.services.documents.page(context.actor, document, page))


@app.command()
def accept(ctx: typer.Context, document: Annotated[UUID, typer.Argument(help="Document id.")]) -> None:
    """Accept a document that you have viewed."""
    context = context_of(ctx)
    version = context.services.documents.get(context.actor, document).version
    accepted = context.services.review.accept_document(context.actor, document, version=version)
    context.output.result(accepted, f"document {accepted.id} is accepted")


@app.command()
def refuse(
    ctx: typer.Context,
    document: Annotated[UUID, typer.Argument(help="Document id.")],
    reason: Annotated[str, typer.Option(help="A refusal reason of the pack.")],
    note: Annotated[str, typer.Option(help="What the applicant is told beside it.")] = "",
) -> None:
    """Refuse a document with a reason."""
    context = context_of(ctx)
    version = context.services.documents.get(context.actor, document).version
    refused = context.services.review.refuse_document(
        context.actor, document, version=version, reason=reason, note=note
    )
    context.output.result(refused, f"document {refused.id} is refused: {reason}")


@app.command("return")
def return_(ctx: typer.Context, number: Number, note: Annotated[str, typer.Option()] = "") -> None:
    """Send back for correction of what was refused."""
    context = context_of(ctx)
    found = _find(context, number)
    done = context.services.review.return_for_correction(context.actor, found.id, version=found.version, note=note)
    _report(context, done)


@app.command()
def approve(
    ctx: typer.Context,
    number: Number,
    digest: Annotated[str, typer.Option(help="Digest of what you looked at, as 'application show' prints it.")],
) -> None:
    """Approve what you have seen. Every page of every document has to be viewed first."""
    context = context_of(ctx)
    found = _find(context, number)
    seen = context.services.review.snapshot(context.actor, found.id)
    try:
        chosen = bytes.fromhex(digest)
    except ValueError:
        raise InvalidInput("--digest is 64 hex digits, as 'application show' prints it") from None
    if context.dry_run:
        same = "what you saw" if chosen == seen.digest else "something else by now; look at it again"
        context.output.result({"digest": seen.digest}, f"it is {same}: {seen.digest.hex()}")
        return
    approved = context.services.review.approve(context.actor, found.id, version=seen.application.version, digest=chosen)
    _report(context, approved)


@app.command()
def reconsider(
    ctx: typer.Context, number: Number, note: Annotated[str, typer.Option(help="Why; for the next reviewer.")]
) -> None:
    """Send back into review what is approved and not issued yet."""
    context = context_of(ctx)
    found = _find(context, number)
    _report(context, context.services.review.reconsider(context.actor, found.id, version=found.version, note=note))


@app.command()
def reject(
    ctx: typer.Context, number: Number, note: Annotated[str, typer.Option(help="Why; the applicant reads it.")]
) -> None:
    """Reject for good."""
    context = context_of(ctx)
    found = _find(context, number)
    context.confirm(f"Reject application {found.number} for good?")
    _report(context, context.services.review.reject(context.actor, found.id, version=found.version, note=note))


@app.command()
def withdraw(ctx: typer.Context, number: Number) -> None:
    """Withdraw; nothing stands in the way of a new application."""
    context = context_of(ctx)
    found = _find(context, number)
    context.confirm(f"Withdraw application {found.number}?")
    _report(context, context.services.intake.withdraw(context.actor, found.id, version=found.version))
