"""Invariant 16: time, entropy and environment come in as arguments; the linter refuses whoever takes them himself."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUFF = Path(sys.executable).with_name("ruff")
RULE = "TID251"
EXCEPTIONS = [
    path
    for path, rules in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"][
        "per-file-ignores"
    ].items()
    if RULE in rules and "*" not in path
]


def findings(*arguments: str, code: str | None = None) -> list[dict[str, object]]:
    command = [RUFF, "check", "--output-format=json", "--no-cache", f"--select={RULE}", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, check=False)
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.utcnow()",
        "import time\ntime.time()",
        "import secrets\nsecrets.token_bytes(1)",
        "from secrets import token_hex",
        "import os\nos.urandom(1)",
        "import random",
        "from uuid import uuid4",
        "import os\nos.environ['HOME']",
        "import os\nos.getenv('HOME')",
    ],
)
def test_invariant_16_nobody_takes_time_entropy_or_environment(code: str) -> None:
    assert findings("--stdin-filename=ca_core/services/clock.py", "-", code=code)


def test_invariant_16_each_exception_is_still_needed() -> None:
    assert EXCEPTIONS
    silent = [path for path in EXCEPTIONS if not findings("--config=lint.per-file-ignores = {}", path)]
    assert silent == [], "these take nothing themselves any more: strike them from pyproject.toml"


def test_invariant_16_the_product_keeps_to_it() -> None:
    assert findings(".") == []
