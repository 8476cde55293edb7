"""``pechatnik audit``, and what other commands tell whoever reads the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def drafted(call: Any) -> Any:
    """An application of the subscriber's."""
    made = call(
        *("application", "new", "--profile", "private/tls-client"),
        *("-s", "O=Example Ltd", "-s", "CN=client", "--json"),
        by="subscriber",
    )
    return made.document


def test_the_list_tells_the_details_too(call: Any, drafted: Any) -> None:
    answer = call("audit", "list", "--object-id", drafted["id"], by="auditor")
    assert "application.created" in answer.out
    assert '"profile": "private/tls-client"' in answer.out
    assert "earlier ones" not in answer.err, "there are none"


def test_a_journey_is_asked_for_by_number(call: Any, drafted: Any) -> None:
    assert call("application", "submit", drafted["number"], by="subscriber").code == 0
    items = call("audit", "list", "--journey", drafted["number"], "--json", by="auditor").document["items"]
    actions = [one["action"] for one in items]
    assert actions == ["application.created", "application.submitted", "notice.queued"]
    assert call("audit", "list", "--journey", "2026-999999", by="auditor").code == 4
    assert call("audit", "list", "--journey", drafted["number"], by="subscriber").code == 5


def test_what_was_approved_is_shown_to_those_who_may(call: Any, drafted: Any) -> None:
    number = drafted["number"]
    assert call("application", "show", number, "--approvals", by="auditor").out == "nobody approved it yet\n"
    assert call("application", "show", number, "--approvals", by="subscriber").code == 5
    assert call("application", "submit", number, by="subscriber").code == 0
    assert call("application", "claim", number, by="operator").code == 0
    digest = call("application", "show", number, "--json", by="operator").document["digest"]
    assert call("application", "approve", number, "--digest", digest, by="operator").code == 0
    [one] = call("application", "show", number, "--approvals", "--json", by="auditor").document
    assert one["digest"] == digest
    assert one["approved"]["subject"] == {"O": "Example Ltd", "CN": "client"}
    text = call("application", "show", number, "--approvals", by="auditor").out
    assert text.startswith(f"round 1, approved by {one['approver']}")
    assert '"CN": "client"' in text


def test_an_export_says_how_much_of_it_is_not_proven(call: Any, tmp_path: Path) -> None:
    assert call("audit", "seal").code == 0
    key = tmp_path / "audit.pem"
    assert call("audit", "key", str(key), by="auditor").code == 0
    sealed, open_end = tmp_path / "sealed.jsonl", tmp_path / "open.jsonl"
    assert call("audit", "export", str(sealed)).code == 0
    assert call("audit", "export", str(open_end), by="auditor").code == 0
    assert "not proven" not in call("audit", "verify", str(sealed), "--key", str(key)).out
    answer = call("audit", "verify", str(open_end), "--key", str(key))
    assert answer.code == 0
    assert "are not proven, since no seal covers them" in answer.out


def test_no_reader_is_shown_keys_of_documents_or_digests_of_codes(call: Any, drafted: Any, tmp_path: Path) -> None:
    from PIL import Image

    page = tmp_path / "page.png"
    Image.new("RGB", (20, 20), "white").save(page)
    signing = call(
        *("application", "new", "--profile", "private/code-signing"),
        *("-s", "C=XX", "-s", "O=Example Ltd", "-s", "CN=Example Ltd", "--json"),
        by="subscriber",
    ).document
    kind = call("application", "show", signing["number"], "--json").document["requirements"][0]["kind"]
    attached = call("application", "attach", signing["number"], kind, str(page), "--json", by="subscriber")
    for shown in (attached, call("application", "show", signing["number"], "--json")):
        text = json.dumps(shown.document)
        assert kind in text
        assert "wrapped_key" not in text
        assert "key_id" not in text
    for one in call("cert", "list", "--json").document["items"]:
        assert "report_code_sha256" not in one


def test_a_row_that_contradicts_the_record_is_told_as_json_and_by_exit_3(call: Any, home: Path, drafted: Any) -> None:
    from sqlalchemy import text

    from ca_core.storage import triggers
    from pechatnik.bootstrap import build
    from pechatnik.config import load

    assert call("audit", "verify").code == 0
    program = build(load(home / "pechatnik.toml", {}))
    change = text("UPDATE applications SET note = :note WHERE number = :number")
    with program.engine.begin() as connection:
        triggers.drop(connection)
        connection.execute(change, {"note": "invented", "number": drafted["number"]})
        triggers.create(connection)
    answer = call("audit", "verify", "--json")
    assert answer.code == 3
    [fault] = answer.document["faults"]
    assert (fault["table"], fault["object"]) == ("applications", drafted["number"])
    assert fault["detail"].startswith("note is ")
    assert f"applications {drafted['number']}: note is" in call("audit", "verify").out
    with program.engine.begin() as connection:
        connection.execute(change, {"note": "", "number": drafted["number"]})
    program.close()
    assert call("audit", "verify").code == 0
