"""Reads one TOML file into its model; errors name file, key and reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ca_core.domain.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)
LONGEST_VALUE = 60
"""Characters of a wrong value that an error repeats."""


def read_toml(file: Path, model: type[Model]) -> Model:
    """The file as that model; ConfigurationError when it cannot be read, is not TOML or has another shape."""
    try:
        return model.model_validate(tomllib.loads(file.read_bytes().decode()))
    except OSError as problem:
        raise ConfigurationError(f"{file}: cannot be read ({problem.strerror})") from None
    except ValidationError as problem:
        raise ConfigurationError(f"{file}: {first_fault(problem)}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: not UTF-8, which TOML has to be") from None
    except (ValueError, RecursionError) as problem:
        raise ConfigurationError(f"{file}: not TOML: {problem}") from None


@contextmanager
def located(place: str) -> Iterator[None]:
    """Puts the place, a file or a key, before what a constructor refuses."""
    try:
        yield
    except ConfigurationError as problem:
        raise ConfigurationError(f"{place}{problem.detail}") from None


def first_fault(problem: ValidationError) -> str:
    """The first error of the model in one sentence, after its key."""
    errors = problem.errors(include_url=False)
    error = errors[0]
    key = _key(error["loc"])
    match error["type"]:
        case "missing":
            reason = f"{key}: is missing"
        case "extra_forbidden":
            reason = f"{key}: is no key of this table; look for a misspelling"
        case "enum" | "literal_error":
            reason = f"{key}: {_shown(error['input'])} is not one of {error['ctx']['expected']}"
        case "value_error":
            reason = f"{key}: {error['ctx']['error']}" if key else str(error["ctx"]["error"])
        case _:
            reason = f"{key}: {_shown(error['input'])} will not do: {error['msg'][:1].lower()}{error['msg'][1:]}"
    return reason if len(errors) == 1 else f"{reason} (and {len(errors) - 1} more)"


def _key(location: tuple[int | str, ...]) -> str:
    """``subject[3].type``"""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return "a huge number"
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
