"""What the wheel installs at the top level, and that no dependency brings the same names."""

from __future__ import annotations

import tomllib
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = {"pechatnik", "admin", "portal", "api", "web", "plugins", "ocsp", "crl", "ca_core"}


def test_the_wheel_installs_these_top_level_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == OURS
    for name in OURS:
        assert (ROOT / name / "__init__.py").is_file()


def test_no_dependency_ships_the_same_names() -> None:
    assert len(list(distributions())) > 50, "run in the project's environment"
    owners = packages_distributions()
    for name in OURS:
        assert set(owners.get(name, [])) <= {"pechatnik"}, name
