"""The commands that import and that revoke many: exit codes, one document, a result file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from pechatnik.cli import program

FLAGS = x509.ReasonFlags


@pytest.fixture
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


@pytest.fixture
def call(house: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """``call("cert", "list", by="officer")``: exit code and document."""
    monkeypatch.delenv("PECHATNIK_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, by: str | None = None) -> tuple[int, Any]:
        if by is not None:
            actor = getattr(house, by)
            _, secret = house.services.tokens.create(actor, label="test", scopes=actor.permissions, days=1)
            Path("token").touch(mode=0o600)
            Path("token").write_text(secret)
            arguments = (*arguments, "--token-file", "token")
        capsys.readouterr()
        code = program.run([*arguments, "--json", "-c", "pechatnik.toml"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_centre_moves_in(call: Any, former: Any, former_root: Any, house: Any) -> None:
    kept, gone = former.issue("kept"), former.issue("gone")
    for name, data in {
        "root.pem": former_root.pem,
        "former.pem": former.pem,
        "former.key": former.key_pem(b"secret"),
        "last.crl": former.crl([(gone, FLAGS.superseded)]),
    }.items():
        Path(name).write_bytes(data)
    Path("passphrase").touch(mode=0o600)
    Path("passphrase").write_text("secret")
    Path("bundles/below").mkdir(parents=True)
    Path("bundles/a.pem").write_bytes(former.bundle(kept))
    Path("bundles/below/b.der").write_bytes(former.ders(gone))
    Path("bundles/empty").touch()
    assert call("ca", "import", "former", "--certificate", "former.pem")[0] == 4, "its issuer comes first"
    code, root = call("ca", "import", "former-root", "--certificate", "root.pem")
    assert (code, root["state"]) == (0, "elsewhere")
    key = ("--key-file", "former.key", "--key-passphrase-file", "passphrase", "--crl", "last.crl")
    code, authority = call("ca", "import", "former", "--certificate", "former.pem", *key)
    assert (code, authority["kind"], authority["state"]) == (0, "issuing", "active")
    assert call("ca", "import", "former", "--certificate", "former.pem", *key)[0] == 6
    taking_in = ("cert", "import", "bundles", "--issuer", "former", "--processes", "2")
    assert call(*taking_in)[0] == 2, "which of them are revoked has to be said"
    dry = call(*taking_in, "--crl", "last.crl", "--dry-run", by="officer")
    assert dry == (0, {"taken": 2, "known": 0, "refused": 0}), dry
    assert call(*taking_in, "--crl", "last.crl", by="officer") == dry
    assert Path("refused.jsonl").read_text() == ""
    Path("bundles/c.txt").write_text("no certificate")
    code, report = call(*taking_in, "--crl", "last.crl", "--owner", "subscriber@example.org")
    assert (code, report) == (3, {"taken": 0, "known": 2, "refused": 1})
    (line,) = Path("refused.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "source": "bundles/c.txt",
        "position": 0,
        "serial": None,
        "reason": "there is no certificate in it",
    }
    assert call(*taking_in, "--crl", "last.crl", by="operator")[0] == 5


def test_many_are_revoked_by_two_commands_of_two_people(call: Any, house: Any) -> None:
    issued = [house.issued() for _ in range(3)]
    Path("serials").write_text("\n".join(one.serial.hex for one in issued))
    many = ("cert", "revoke-many", "--from", "serials", "--reason", "superseded", "--because", "a weak algorithm")
    code, shown = call(*many, "--dry-run", by="officer")
    assert code == 0, shown
    assert (code, shown["count"], shown["by"]) == (
        0,
        3,
        [{"issuer": "issuing", "profile": "private/tls-client", "state": "issued", "count": 3}],
    )
    assert call(*many, "--digest", "00" * 32, by="officer")[0] == 6
    assert call(*many, "--digest", "nonsense", by="officer")[0] == 2
    code, asked = call(*many, "--digest", shown["digest"], by="officer")
    assert code == 5, "another approval is needed"
    approving = ("cert", "approve-revocation", asked["id"], "--digest", shown["digest"], "--yes")
    assert call(*approving, by="officer")[0] == 5
    assert call(*approving)[0] == 5, "nor the machine"
    code, done = call(*approving, by="reviewer")
    assert (code, done["revoked"]) == (0, 3)
    code, listed = call("cert", "revocations", by="reviewer")
    assert [one["done"] for one in listed["items"]] == [3]
    assert call("cert", "revoke-many", "--reason", "superseded", "--because", "x", "--dry-run", by="officer")[0] == 2
    assert call(*many, "--issuer", "nobody", "--dry-run", by="officer")[0] == 2
