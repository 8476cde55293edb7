"""Mass revocation over the API: shown, asked for, approved by another, carried out by the worker."""

from __future__ import annotations

from typing import Any


def test_two_people_revoke_many(house: Any, by: Any, problem: Any) -> None:
    issued = [house.issued() for _ in range(3)]
    said = {"serials": [one.serial.hex for one in issued], "reason": "superseded", "because": "a weak algorithm"}
    officer, reviewer = by("officer"), by("reviewer")
    shown = officer("POST", "/mass-revocations/preview", json=said).json
    assert (shown["count"], shown["not_found"]) == (3, 0)
    answer = officer("POST", "/mass-revocations", json={**said, "digest": "00" * 32})
    problem(answer, 412, "stale-version")
    asked = officer("POST", "/mass-revocations", json={**said, "digest": shown["digest"]})
    assert asked.status_code == 201
    path, body = f"/mass-revocations/{asked.json['id']}", {"digest": shown["digest"]}
    problem(officer("POST", f"{path}/approve", json=body), 403, "self-approval")
    problem(by("operator")("POST", f"{path}/approve", json=body), 403, "not-permitted")
    problem(by("support")("GET", path), 403)
    assert reviewer("POST", f"{path}/approve", json=body).json["done"] == 0
    house.program.worker.run_once()
    assert reviewer("GET", path).json["revoked"] == 3
    assert [one["id"] for one in officer("GET", "/mass-revocations").json["items"]] == [asked.json["id"]]
    states = {officer("GET", f"/certificates/{one.id}").json["state"] for one in issued}
    assert states == {"revoked"}
