"""``pechatnik cert batch``: rows in, results out, and nothing done or lost twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from pechatnik.bootstrap import build
from pechatnik.config import load
from tests.integration.conftest import request_for


@pytest.fixture(scope="module")
def approved(home: Path) -> Any:
    """Makes one more approved application; its number."""
    program = build(load(home / "pechatnik.toml"))
    services = program.services

    def actor(name: str) -> Any:
        with program.transactions.read(program.owner) as tx:
            account = tx.accounts.by_email(f"{name}@example.org")
            assert account is not None
            return account.actor()

    def make() -> str:
        from ca_core.services.new_application import NewApplication

        subscriber, operator = actor("subscriber"), actor("operator")
        (centre,) = operator.centres
        new = NewApplication(profile="private/tls-client", subject={"O": "Example Ltd", "CN": "client"}, centre=centre)
        application = services.intake.create(subscriber, new)
        services.intake.submit(subscriber, application.id, version=application.version)
        services.review.claim(operator, application.id)
        seen = services.review.snapshot(operator, application.id)
        services.review.approve(operator, application.id, version=seen.application.version, digest=seen.digest)
        return application.number

    yield make
    program.close()


def rows(file: Path, *lines: Any) -> Path:
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return file


def results(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]


Approved = Callable[[], str]


def test_a_file_of_requests_becomes_a_file_of_certificates(call: Any, approved: Approved, tmp_path: Path) -> None:
    numbers = [approved(), approved()]
    file = rows(tmp_path / "rows", *({"application": one, "request": request_for().decode()} for one in numbers))
    done = call("cert", "batch", str(file), str(tmp_path / "out"), "--json")
    assert done.code == 0
    assert done.document == {"issued": 2, "refused": 0, "before": 0, "result": str(tmp_path / "out")}
    found = results(tmp_path / "out")
    assert [(one["row"], one["application"]) for one in found] == [(1, numbers[0]), (2, numbers[1])]
    for one in found:
        certificate = x509.load_pem_x509_certificate(one["certificate"].encode())
        assert f"{certificate.serial_number:x}" == one["serial"].lstrip("0")


def test_a_row_that_is_refused_says_why_and_stops_no_other(call: Any, approved: Approved, tmp_path: Path) -> None:
    number = approved()
    file = rows(
        tmp_path / "rows",
        "not json",
        {"request": "x"},
        {"application": 7},
        {"application": "2000-000001"},
        {"application": number, "request": "x"},
        "",
        {"application": number, "request": request_for().decode()},
    )
    done = call("cert", "batch", str(file), str(tmp_path / "out"))
    assert done.code == 3
    assert "1 issued, 5 refused, 0 issued before" in done.out
    said = {one["row"]: one.get("error", {}).get("code") for one in results(tmp_path / "out")}
    assert said == {
        1: "invalid-input",
        2: "invalid-input",
        3: "invalid-input",
        4: "not-found",
        5: "malformed-der",
        7: None,
    }


def test_after_a_kill_it_goes_on_where_it_was(call: Any, approved: Approved, tmp_path: Path) -> None:
    numbers = [approved(), approved()]
    lines = [{"application": one, "request": request_for().decode()} for one in numbers]
    file, out = rows(tmp_path / "rows", *lines), tmp_path / "out"
    assert call("cert", "batch", str(file), str(out)).code == 0
    first, second = out.read_text().splitlines(keepends=True)
    out.write_text(first + second[:40])  # the last line was being written
    done = call("cert", "batch", str(file), str(out), "--json")
    assert done.document["before"] == 1
    assert done.document["issued"] == 1
    assert out.read_text().splitlines()[-1] + "\n" == second, "the certificate that was issued then"


def test_results_of_another_file_are_not_taken_for_its_own(call: Any, approved: Approved, tmp_path: Path) -> None:
    first, second = approved(), approved()
    out = tmp_path / "out"
    request = request_for().decode()
    call("cert", "batch", str(rows(tmp_path / "a", {"application": first, "request": request})), str(out))
    refused = call("cert", "batch", str(rows(tmp_path / "b", {"application": second, "request": request})), str(out))
    assert refused.code == 2
    assert "name the results of this file, or a new one" in refused.err
    assert call("application", "show", second, "--json").document["application"]["state"] == "awaiting-key"


def test_a_dry_run_looks_and_changes_nothing(call: Any, approved: Approved, tmp_path: Path) -> None:
    number, out = approved(), tmp_path / "out"
    file = rows(tmp_path / "rows", {"application": number, "request": request_for().decode()}, {"application": "none"})
    done = call("cert", "batch", str(file), str(out), "--dry-run")
    assert done.code == 3
    assert "1 applications found, 1 refused" in done.out
    assert not out.exists()
    assert call("application", "show", number, "--json").document["application"]["state"] == "awaiting-key"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\n", b'{"application": "' + b"x" * 200_000 + b'"}\n'], ids=["no text", "a row without end"]
)
def test_a_file_that_holds_no_rows_is_refused(call: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rows").write_bytes(content)
    assert call("cert", "batch", str(tmp_path / "rows"), str(tmp_path / "out")).code == 2


def test_files_that_cannot_be_read_or_written_are_refused(call: Any, tmp_path: Path) -> None:
    assert call("cert", "batch", str(tmp_path / "none"), str(tmp_path / "out")).code == 2
    assert call("cert", "batch", str(rows(tmp_path / "rows")), str(tmp_path / "no" / "out")).code == 2
    (tmp_path / "odd").write_text('{"certificate": 1}\n')
    assert call("cert", "batch", str(tmp_path / "rows"), str(tmp_path / "odd")).code == 2
