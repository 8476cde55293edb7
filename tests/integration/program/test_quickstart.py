"""The quickstart on a folder that is not as it should be, and a program whose keys or database are not its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.errors import ConfigurationError
from pechatnik.adapters import engine_of
from pechatnik.bootstrap import build
from pechatnik.cli.output import Output
from pechatnik.config import load
from pechatnik.quickstart import MARK, build_upgraded, run


def quickstart(directory: Path, *, fresh: bool = False) -> int:
    return run(directory, fresh=fresh, serve=False, port=8080, output=Output(as_json=False, quiet=True))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo") / "d"
    assert quickstart(directory) == 0
    return directory


@pytest.fixture
def demo(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "d"))


def configured(demo: Path) -> Any:
    return load(demo / "pechatnik.toml", {})


def test_what_was_interrupted_among_authorities_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ca_core.services import founding

    prepare, made = founding.prepare, []

    def interrupted(*named: Any, **more: Any) -> Any:
        """Of the second one there is a key by now."""
        if made:
            raise KeyboardInterrupt
        made.append(prepare(*named, **more))
        return made[0]

    with monkeypatch.context() as patch:
        patch.setattr(founding, "prepare", interrupted)
        with pytest.raises(KeyboardInterrupt):
            quickstart(tmp_path / "d")
    assert quickstart(tmp_path / "d") == 0


def test_another_visit_walks_again_and_fresh_begins_anew(demo: Path) -> None:
    assert quickstart(demo) == 0
    assert quickstart(demo, fresh=True) == 0


def test_lost_passwords_of_the_demo_are_made_again(demo: Path) -> None:
    (demo / MARK).unlink()
    assert quickstart(demo) == 0
    email, password, *_ = next(line for line in (demo / MARK).read_text().splitlines() if "subscriber" in line).split()
    program = build_upgraded(demo / "pechatnik.toml")
    assert program.services.accounts.log_in(email=email, password=password, source="").email == email
    program.close()


def test_fresh_leaves_alone_what_is_not_part_of_a_demo(demo: Path) -> None:
    (demo / "my-notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="my-notes"):
        quickstart(demo, fresh=True)
    assert (demo / "pechatnik.toml").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        quickstart(tmp_path / "file" / "d")


def test_a_database_of_a_newer_program_is_left_to_it(demo: Path) -> None:
    engine = engine_of(configured(demo))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for attempt in (lambda: build(configured(demo)), lambda: build_upgraded(demo / "pechatnik.toml")):
        with pytest.raises(ConfigurationError, match="use the newer program"):
            attempt()


def test_a_file_that_is_no_database_is_called_so(demo: Path) -> None:
    (demo / "data" / "pechatnik.sqlite").write_bytes(b"hello " * 1000)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        build(configured(demo))


def test_an_installation_without_its_keys_does_not_start_with_new_ones(demo: Path) -> None:
    keys = demo / "data" / "keys"
    away = keys.rename(keys.with_name("away"))
    with pytest.raises(ConfigurationError, match="is the disk mounted"):
        build(configured(demo))
    assert not (keys / "symmetric").exists() or not list((keys / "symmetric").iterdir())
    if keys.exists():
        shutil.rmtree(keys)
    away.rename(keys)
    program = build(configured(demo))
    assert program.services.audit.verify(SYSTEM_ACTOR).ok
    program.close()
