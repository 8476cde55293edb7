"""The contract of the command line: nouns and verbs, exit codes, one JSON document, dry runs, no traceback."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings, strategies as st

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.errors import KeyUnavailable
from ca_core.keys.software import SoftwareKeyStore
from pechatnik.bootstrap import build
from pechatnik.cli import program
from pechatnik.config import load

CONTRACT = {
    "": ["quickstart", "serve", "worker", "doctor"],
    "ca": ["init", "show", "rotate"],
    "application": [
        "new", "list", "show", "claim", "attach", "accept", "refuse", "return", "approve", "reject", "withdraw",
    ],
    "cert": ["request", "issue", "show", "list", "verify", "hold", "unhold", "revoke", "replace", "export"],
    "crl": ["issue", "show"],
    "ocsp": ["query"],
    "audit": ["verify", "export"],
    "db": ["upgrade", "check", "backup", "restore"],
    "config": ["show", "check"],
    "plugin": ["list", "check"],
}  # fmt: skip


def commands() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(program.app).commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            found |= {f"{name} {verb}": one for verb, one in command.commands.items()}
        else:
            found[name] = command
    return found


@pytest.mark.parametrize("noun", CONTRACT)
def test_the_nouns_and_verbs_of_the_contract_are_there(noun: str) -> None:
    present = commands()
    for verb in CONTRACT[noun]:
        assert f"{noun} {verb}".strip() in present


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.run([*name.split(), "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ca", "show"], 0),
        (["ca", "rotate"], 0),
        (["application", "new", "--profile", "private/tls-client", "--san", "dns:bad name"], 2),
        (["no-such-noun"], 2),
        (["cert", "show", "not a serial"], 2),
        (["application", "show", "2026-999999"], 4),
        (["cert", "show", "0a0b0c"], 4),
        (["application", "new", "--profile", "no/such"], 4),
        (["account", "add", "subscriber@example.org", "--name", "again", "--role", "subscriber"], 6),
        (["ca", "init", "--organization", "again"], 6),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_exit_codes(call: Any, arguments: list[str], code: int) -> None:
    assert call(*arguments).code == code


def test_exit_code_1_for_a_failing_doctor_5_without_the_right_and_78_without_a_configuration(
    call: Any, tmp_path: Path
) -> None:
    assert call("ca", "rotate", by="auditor").code == 5
    assert call("config", "check", config=tmp_path / "none.toml").code == 78
    broken = tmp_path / "broken.toml"
    broken.write_text("[server]\nport = 'x'\n")
    answer = call("config", "check", "--json", config=broken)
    assert answer.code == 78
    assert "server.port" in answer.document["error"]["detail"]
    assert call("doctor", config=broken).code == 78


def test_exit_code_75_when_the_key_cannot_be_used_now(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def pulled(*_: object) -> None:
        raise KeyUnavailable("the token was pulled")

    monkeypatch.setattr(SoftwareKeyStore, "signer", pulled)
    assert call("crl", "issue", "issuing").code == 75


def test_exit_code_78_when_trying_again_opens_no_key(call: Any, home: Path) -> None:
    passphrase = home / "secrets" / "passphrase"
    right = passphrase.read_text()
    passphrase.write_text("another one")
    try:
        assert call("crl", "issue", "issuing").code == 78
    finally:
        passphrase.write_text(right)
    key = home / "data" / "keys" / "signing" / "issuing.pem"
    key.rename(key.with_suffix(".away"))
    try:
        answer = call("crl", "issue", "issuing")
        assert answer.code == 78
        assert "restore it from a backup" in answer.err
    finally:
        key.with_suffix(".away").rename(key)


def test_exit_code_3_for_a_certificate_that_is_not_good(call: Any, tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a stranger")])
    now = datetime.now(UTC)
    foreign = x509.CertificateBuilder(name, name, key.public_key(), 5, now, now + timedelta(1)).sign(
        key, hashes.SHA256()
    )
    file = tmp_path / "foreign.pem"
    file.write_bytes(foreign.public_bytes(Encoding.PEM))
    answer = call("cert", "verify", str(file), "--json")
    assert answer.code == 3
    assert answer.document["reason"] == "no-path"


@pytest.mark.parametrize(
    "arguments",
    [
        ["ca", "show"],
        ["cert", "list"],
        ["application", "list"],
        ["audit", "list"],
        ["account", "list"],
        ["centre", "list"],
        ["plugin", "list"],
        ["config", "show"],
        ["config", "check"],
        ["db", "check"],
        ["doctor"],
        ["crl", "show", "issuing"],
        ["application", "show", "2026-999999"],
    ],
    ids=" ".join,
)
def test_with_json_there_is_one_document_on_standard_output(call: Any, arguments: list[str]) -> None:
    json.loads(call(*arguments, "--json").out)


def test_global_options_may_stand_anywhere(call: Any) -> None:
    for order in (["--json", "ca", "show"], ["ca", "--json", "show"], ["ca", "show", "--json"]):
        assert len(call(*order).document["items"]) == 3


@pytest.fixture(scope="module")
def state(home: Path) -> Iterator[Callable[[], tuple[int, int, int]]]:
    """How many records, applications and authorities there are."""
    opened = build(load(home / "pechatnik.toml", {}))

    def count() -> tuple[int, int, int]:
        with opened.transactions.read(SYSTEM_ACTOR) as tx:
            return tx.audit.head()[0], tx.applications.count(seen_by=EVERYTHING), len(tx.authorities.all())

    yield count
    opened.close()


CHANGING = [
    name for name in commands() if name.split()[-1] not in {"list", "show", "verify", "check", "query", "doctor"}
]


GIVEN = {
    "profile": "private/tls-client",
    "organization": "X",
    "note": "because",
    "digest": "00" * 32,
    "reason": "superseded",
    "circumstance": "lost",
    "name": "x",
    "role": "auditor",
    "certificate": "nowhere.pem",
    "issuer": "issuing",
    "email": "subscriber@example.org",
}
"""A value for each option that some command requires."""


@pytest.mark.parametrize("name", CHANGING)
def test_a_dry_run_changes_nothing_or_is_refused(call: Any, state: Any, name: str, home: Path) -> None:
    command = commands()[name]
    arguments = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            arguments.append("00000000-0000-7000-8000-000000000000")
        elif parameter.required:
            value = str(home / "password") if parameter.name == "password_file" else GIVEN[parameter.name]
            arguments += [parameter.opts[0], "unreadable" if name == "application refuse" else value]
    before = state()
    answer = call(*name.split(), *arguments, "--dry-run", "--yes")
    assert answer.code in (0, 2, 4, 6), answer.err
    assert state() == before


def test_a_serial_is_found_in_hex_colon_hex_and_by_fingerprint(call: Any) -> None:
    certificate = call("cert", "list", "--json").document["items"][0]
    serial = certificate["serial"]
    colons = ":".join(serial[at : at + 2] for at in range(0, len(serial), 2))
    decimal = f"dec:{int(serial, 16)}"
    for which in (serial, serial.upper(), colons, decimal, certificate["sha256"], certificate["id"]):
        assert call("cert", "show", which, "--json").document["serial"] == serial, which


def test_a_first_password_is_shown_once_and_no_secret_is_listed(call: Any) -> None:
    made = call("account", "add", "new@example.org", "--name", "N", "--role", "auditor", "--json").document
    assert len(made["password"]) >= 16
    assert call("account", "list", by="operator").code == 5  # so that the operator has a token
    tokens = ["token", "list", "--account", "operator@example.org"]
    for arguments in (["account", "list"], tokens, ["config", "show"], ["audit", "list"]):
        shown = call(*arguments, "--json").out
        assert made["password"] not in shown
        assert "password_hash" not in shown
        assert "token_sha256" not in shown or arguments[0] != "account"


def test_tokens_are_managed_by_who_was_given_that_right_or_by_the_machines_owner(call: Any, home: Path) -> None:
    secret, whose = ("--password-file", str(home / "password")), ("--account", "clerk@example.org")
    assert call("account", "add", "clerk@example.org", "--name", "C", "--role", "support", *secret).code == 0
    for verb in (["list"], ["list", *whose], ["revoke-all", *whose]):
        assert call("token", *verb, by="clerk").code == 5
    manager = call("token", "create", *whose, *secret, "--scope", "token.manage", "--json").document["token"]
    (home / "manager.token").touch(mode=0o600)
    (home / "manager.token").write_text(manager)
    assert len(call("token", "list", "--json", by="manager").document["items"]) == 2
    assert len(call("token", "list", *whose, "--json").document["items"]) == 2
    assert call("token", "revoke-all", *whose, "--json").document["revoked"] == 2
    assert call("token", "list", *whose, "--json").document["items"] == []
    assert call("cert", "list", by="clerk").code == 5


def test_two_administrators_make_a_reviewer_and_one_alone_does_not(call: Any, home: Path) -> None:
    for name in ("first", "second"):
        arguments = ("--name", name, "--role", "administrator", "--password-file", str(home / "password"))
        assert call("account", "add", f"{name}@example.org", *arguments).code == 0
    made = call("account", "add", "roman@example.org", "--name", "R", "--role", "reviewer", "--json", by="first")
    change = made.document["change"]
    assert made.document["roles"] == []
    listed = call("account", "changes", "--json", by="second")
    assert [one["id"] for one in listed.document["items"]] == [change]
    assert "sealed" not in listed.out
    assert call("account", "confirm", change, by="first").code == 5
    confirmed = call("account", "confirm", change, "--json", by="second").document
    assert confirmed["roles"] == ["reviewer"]
    assert confirmed["password"] != made.document["password"]
    assert call("account", "refuse", change, by="first").code == 6
    whole = home / "whole"
    whole.write_text(made.document["password"] + confirmed["password"])
    assert call("token", "create", "--account", "roman@example.org", "--password-file", str(whole)).code == 0


def test_without_yes_and_a_terminal_nothing_is_revoked(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    certificate = call("cert", "list", "--json").document["items"][0]["serial"]
    answer = call("cert", "revoke", certificate, "--reason", "superseded")
    assert answer.code == 2
    assert "--yes" in answer.err
    assert call("cert", "show", certificate, "--json").document["state"] == "issued"


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noun=st.sampled_from(["application", "cert", "ocsp", "audit", "token", "crl"]), rest=st.lists(words, max_size=4))
def test_whatever_is_typed_there_is_no_traceback(call: Any, noun: str, rest: list[str]) -> None:
    answer = call(noun, *(word for word in rest if not word.startswith(("-", "@"))))
    assert answer.code in (0, 1, 2, 3, 4, 5, 6)
    assert "Traceback" not in answer.err
