"""Plugins: nothing loads unless named, and a mistake stops the start with one sentence."""

from __future__ import annotations

import inspect
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from ca_core import hookspecs
from ca_core.domain.errors import ConfigurationError
from ca_core.hookspecs import hookimpl
from pechatnik import plugin_registry
from pechatnik.plugin_registry import available, hooks_of, load_plugins

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``install("name", module)`` makes it a built-in for this test."""

    def do(name: str, module: types.ModuleType) -> None:
        monkeypatch.setitem(sys.modules, f"test_plugin_{name}", module)
        monkeypatch.setattr(plugin_registry, "BUILTIN", {**plugin_registry.BUILTIN, name: f"test_plugin_{name}"})

    return do


def rules() -> dict[str, Any]:
    return {}


def module(**members: Any) -> types.ModuleType:
    made = types.ModuleType("test_plugin")
    for name, member in members.items():
        setattr(made, name, member)
    return made


def test_nothing_loads_unless_it_is_named(install: Any) -> None:
    called = []

    @hookimpl
    def ca_identifier_rules() -> dict[str, Any]:
        called.append(1)
        return {}

    install("x", module(ca_identifier_rules=ca_identifier_rules))
    assert load_plugins([]).hook.ca_identifier_rules() == []
    assert not called
    assert "x" in available()
    manager = load_plugins(["x"])
    assert manager.hook.ca_identifier_rules() == [{}]
    assert hooks_of(manager, "x") == ("ca_identifier_rules",)


def test_an_unknown_name_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="not installed"):
        load_plugins(["nobody"])


def test_a_name_given_twice_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        load_plugins(["counterparties.identifiers", "counterparties.identifiers"])


@pytest.mark.parametrize(
    ("name", "function", "sentence"),
    [
        ("ca_identifer_rules", hookimpl(rules), "no such hook"),
        ("ca_identifier_rules", lambda: rules(), "lacks the @hookimpl marker"),
        ("ca_event_handlers", hookimpl(lambda wrong: {}), "ca_event_handlers"),
    ],
    ids=["misspelt", "unmarked", "wrong arguments"],
)
def test_a_wrong_hook_stops_the_start(install: Any, name: str, function: Any, sentence: str) -> None:
    install("x", module(**{name: function}))
    with pytest.raises(ConfigurationError, match=sentence):
        load_plugins(["x"])


def hooks() -> list[str]:
    return [name for name, member in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("ca_")]


@pytest.mark.parametrize("name", hooks())
def test_every_hook_is_documented_in_one_sentence_and_on_the_page(name: str) -> None:
    doc = inspect.getdoc(getattr(hookspecs, name))
    assert doc
    assert doc.endswith(".")
    assert f"### `{name}(" in PAGE


def test_the_page_documents_no_hook_that_is_not_there() -> None:
    assert set(re.findall(r"### `(ca_[a-z_]+)\(", PAGE)) == set(hooks())


def test_the_example_of_the_page_works(install: Any) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    made = types.ModuleType("example")
    exec(compile(code[1], "docs/plugins.md", "exec"), made.__dict__)
    install("example", made)
    (rules,) = load_plugins(["example"]).hook.ca_identifier_rules()
    assert rules["xx.company"]("12345678")
    assert not rules["xx.company"]("1234567X")
