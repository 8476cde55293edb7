"""Loads the plugins that the configuration names, and no others: plugin code runs beside the signing key."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

import pluggy

from ca_core import hookspecs
from ca_core.domain.errors import ConfigurationError

ENTRY_POINTS = "ca_core.plugins"
"""Group in which an installed distribution offers a plugin."""

BUILTIN: Mapping[str, str] = {"counterparties.identifiers": "plugins.counterparties.identifiers"}
"""Plugins that ship with the program; they use the same hooks as everybody else's."""


def available() -> Sequence[str]:
    """Names that the configuration may enable."""
    return sorted({*BUILTIN, *(point.name for point in entry_points(group=ENTRY_POINTS))})


def load_plugins(enabled: Sequence[str]) -> pluggy.PluginManager:
    """The plugin manager with exactly these plugins; ConfigurationError for an unknown name or a misspelt hook."""
    manager = pluggy.PluginManager(hookspecs.NAMESPACE)
    manager.add_hookspecs(hookspecs)
    installed = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    for name in enabled:
        if name in BUILTIN:
            plugin = importlib.import_module(BUILTIN[name])
        elif name in installed:
            try:
                plugin = installed[name].load()
            except Exception as error:  # a plugin's import may raise anything; the start stops with one sentence
                raise ConfigurationError(f"plugin {name!r} cannot be loaded: {error}") from error
        else:
            raise ConfigurationError(
                f"plugins.enabled names {name!r}, which is not installed; known are: {', '.join(available())}"
            )
        if manager.has_plugin(name):
            raise ConfigurationError(f"plugins.enabled names {name!r} twice")
        _refuse_misspelt(name, plugin)
        try:
            manager.register(plugin, name=name)
        except pluggy.PluginValidationError as error:
            raise ConfigurationError(f"plugin {name!r}: {error}") from error
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise ConfigurationError(f"a plugin implements a hook that does not exist: {error}") from error
    return manager


def _refuse_misspelt(name: str, plugin: object) -> None:
    """A function named ``ca_…`` that is no hook, or lacks the marker, would be ignored without a word."""
    for attribute in dir(plugin):
        if attribute.startswith("ca_") and callable(getattr(plugin, attribute)):
            if not hasattr(hookspecs, attribute):
                raise ConfigurationError(f"plugin {name!r} has {attribute}, and there is no such hook")
            if not hasattr(getattr(plugin, attribute), f"{hookspecs.NAMESPACE}_impl"):
                raise ConfigurationError(f"plugin {name!r}: {attribute} lacks the @hookimpl marker")


def hooks_of(manager: pluggy.PluginManager, name: str) -> tuple[str, ...]:
    """The hooks that a loaded plugin implements."""
    callers = manager.get_hookcallers(manager.get_plugin(name)) or []
    return tuple(sorted(caller.name for caller in callers))
