"""What the wheel holds and installs, and that no dependency brings the same names."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

from pechatnik import __version__

ROOT = Path(__file__).parents[2]
OURS = {"pechatnik", "admin", "portal", "api", "web", "plugins", "ocsp", "crl", "ca_core"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place], cwd=ROOT, check=True, timeout=120
    )
    (built,) = place.glob("*.whl")
    return built


def test_the_wheel_installs_these_top_level_names(wheel: Path) -> None:
    names = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == OURS


def test_the_wheel_holds_everything_that_is_read_at_run_time(wheel: Path) -> None:
    """Whatever is in the repository below its packages."""
    tracked = subprocess.run(
        ["git", "ls-files", "--", *sorted(OURS)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert tracked
    present = {name for name in tracked if (ROOT / name).exists()}
    assert present - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_runs_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """Only the dependencies are borrowed: nothing of the program comes from the checkout."""
    place = tmp_path / "venv"
    venv.create(place, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
    zipfile.ZipFile(wheel).extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*code: str) -> str:
        return subprocess.run(
            [place / "bin" / "python", "-c", *code],
            cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=120,
        ).stdout  # fmt: skip

    entry = (
        "import sys; from importlib.metadata import distribution as d;"
        "(e,) = [e for e in d('pechatnik').entry_points if e.name == 'pechatnik']; sys.exit(e.load()())"
    )
    assert run(entry, "--version") == f"pechatnik {__version__}\n"
    for name in OURS:
        assert run(f"import {name}; print({name}.__file__)").startswith(str(site)), name


def test_no_dependency_ships_the_same_names() -> None:
    assert len(list(distributions())) > 50, "run in the project's environment"
    owners = packages_distributions()
    for name in OURS:
        assert set(owners.get(name, [])) <= {"pechatnik"}, name
