"""``pechatnik config``: what is configured, and whether it holds together."""

from __future__ import annotations

import typer

from pechatnik.cli.context import context_of

app = typer.Typer(name="config", help="The configuration.", no_args_is_help=True)


@app.command()
def show(ctx: typer.Context) -> None:
    """The configuration in force. It names secrets by file or variable and holds none itself."""
    from pechatnik.config import load

    context = context_of(ctx)
    config = load(context.config_path)
    document = config.model_dump(mode="json")
    lines = [
        f"[{section}]\n" + "\n".join(f"  {k} = {v!r}" for k, v in keys.items()) for section, keys in document.items()
    ]
    context.output.result(document, "\n".join(lines))


@app.command()
def check(ctx: typer.Context) -> None:
    """Read the configuration, packs and plugins as a start would. Exit 78 with one sentence when something is wrong."""
    from pechatnik.bootstrap import check_configuration
    from pechatnik.config import load

    context = context_of(ctx)
    summary = check_configuration(load(context.config_path))
    context.output.result(
        summary, f"configuration is sound: {', '.join(summary['packs'])}; plugins: {', '.join(summary['plugins'])}"
    )
