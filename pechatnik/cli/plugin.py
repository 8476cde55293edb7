"""``pechatnik plugin``: what is there and what is loaded."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from pechatnik.cli.context import context_of

app = typer.Typer(name="plugin", help="Plugins.", no_args_is_help=True)


@dataclass(frozen=True)
class PluginLine:
    name: str
    enabled: bool
    hooks: tuple[str, ...]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Built-in and installed plugins; only those named in the configuration are loaded."""
    from pechatnik.config import load
    from pechatnik.plugin_registry import available, hooks_of, load_plugins

    context = context_of(ctx)
    manager = load_plugins(enabled := load(context.config_path).plugins.enabled)
    rows = [
        PluginLine(name, name in enabled, hooks_of(manager, name) if name in enabled else ()) for name in available()
    ]
    context.output.table(rows, {"name": "name", "enabled": "enabled", "hooks": "hooks"})


@app.command()
def check(ctx: typer.Context) -> None:
    """Load what is enabled; exit 78 when a name is unknown or a hook misspelt."""
    from pechatnik.config import load
    from pechatnik.plugin_registry import load_plugins

    context = context_of(ctx)
    enabled = load(context.config_path).plugins.enabled
    load_plugins(enabled)
    context.output.result({"enabled": enabled}, f"{len(enabled)} plugins load without complaint")
