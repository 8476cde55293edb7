"""The commands of README and docs are run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_RUN = {
    "make run": "serves until Ctrl-C; what it does is 'pechatnik quickstart --serve', tested beside this",
    "python3 -m venv /opt/pechatnik": "installs from a package index into /opt",
    "export PECHATNIK_DIR=var/run": "needs a server on port 8080; tests/e2e/journey.sh does the same",
    "curl -H": "needs a server on port 8080; tests/integration/api does the same",
}
"""Beginnings of blocks, or lines in them, that are not run here, and why."""


def blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [re.sub(r"^ {3}", "", one, flags=re.MULTILINE) for one in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documented")


def run(script: str, place: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=200, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"


@pytest.mark.timeout(400)
def test_the_commands_of_the_operations_page(place: Path) -> None:
    """In their order, since each goes on from the one before."""
    ran = 0
    for script in blocks("docs/operations.md"):
        if any(beginning in script for beginning in NOT_RUN):
            assert "pip install" in script
            continue
        run(script, place)
        ran += 1
    assert ran == 2


def test_extras_that_are_named_exist() -> None:
    declared = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    )
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {extra for page in pages for extra in re.findall(r"'\S*\[(\w+)\]'", page.read_text(encoding="utf-8"))}
    assert named == declared


def test_every_block_of_the_other_pages_is_known(place: Path) -> None:
    for page in ("README.md", "docs/api.md"):
        for script in blocks(page):
            assert any(beginning in script for beginning in NOT_RUN), f"{page}: run this, or say why not:\n{script}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this checkout as they are, with its environment borrowed."""
    place = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    for name in (".venv", ".tools"):
        (place / name).symlink_to(ROOT / name)
    return place


@pytest.mark.timeout(400)
def test_make_demo_walks_the_journey(checkout: Path) -> None:
    run("make -o .venv/.run demo", checkout)  # as if just set up: a borrowed environment is not changed
    assert (checkout / "var" / "demo" / "pechatnik.toml").is_file()


def test_make_shows_its_targets(checkout: Path) -> None:
    run("make | grep '^demo'", checkout)


def test_load_from_several_processes_as_the_performance_page_says(checkout: Path) -> None:
    (script,) = blocks("docs/performance.md")
    run(script, checkout)
    assert "</html>" in (checkout / "build" / "distributed.html").read_text()
    assert not (checkout / "prepared.json").exists()
