"""The REST API over HTTP: the journey, refusals with status and code, repeats, and nothing broken by bad input."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from api import create_api
from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Permission

ROOT = Path(__file__).parents[3]
CODES = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE))
HTTP_CODES = {"bad-request", "method-not-allowed", "request-entity-too-large", "unsupported-media-type"}


@pytest.fixture
def database() -> str:
    """The API knows no database; its services are tested on both."""
    return "sqlite"


class Caller:
    """Somebody with a token."""

    def __init__(self, client: Any, token: str | None) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, *, version: int | None = None, **options: Any) -> Any:
        headers = {**self._headers, **options.pop("headers", {})}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self._client.open(f"/api/v1{path}", method=method, headers=headers, **options)


@pytest.fixture
def wsgi(house: Any) -> Any:
    return create_api(house.services, crls=house.program.crls, version="test", max_upload=1 << 20)


@pytest.fixture
def by(house: Any, wsgi: Any) -> Any:
    """``by("operator")("GET", "/me")``"""

    def make(name: str | None, scopes: frozenset[Permission] | None = None) -> Caller:
        if name is None:
            return Caller(wsgi.test_client(), None)
        actor = getattr(house, name)
        _, token = house.services.tokens.create(actor, label="test", scopes=scopes or actor.permissions, days=1)
        return Caller(wsgi.test_client(), token)

    return make


def problem(answer: Any, status: int, code: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["code"] in CODES | HTTP_CODES, answer.json["code"]
    if code is not None:
        assert answer.json["code"] == code
    assert answer.headers["Cache-Control"] == "no-store"


def specimen() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (60, 60), "white").save(out, "PNG")
    return out.getvalue()


def test_the_journey_through_the_api_alone(house: Any, by: Any) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    subscriber, operator, reviewer = by("subscriber"), by("operator"), by("reviewer")
    body = {"profile": "private/code-signing", "subject": {"C": "XX", "O": "E", "CN": "E"}, "centre": str(house.centre)}
    made = subscriber("POST", "/applications", json=body)
    assert made.status_code == 201
    path = f"/applications/{made.json['id']}"

    def version() -> int:
        shown = subscriber("GET", path)
        assert shown.headers["ETag"] == f'"{shown.json["version"]}"'
        return int(shown.json["version"])

    def attach(kind: str, shade: int = 255) -> Any:
        from PIL import Image

        out = io.BytesIO()
        Image.new("RGB", (60, 60), (shade, 255, 255)).save(out, "PNG")
        data = {"kind": kind, "file": (io.BytesIO(out.getvalue()), "paper.png")}
        return subscriber("POST", f"{path}/documents", data=data, content_type="multipart/form-data")

    assert attach("organisation-letter").status_code == 201
    assert attach("request-form").status_code == 201
    assert subscriber("POST", f"{path}/submit", version=version()).json["state"] == "submitted"
    assert [one["id"] for one in operator("GET", "/queue").json["items"]] == [made.json["id"]]

    def decide(who: Any, refuse: str | None = None) -> Any:
        assert who("POST", f"{path}/claim").status_code == 200
        for document in who("GET", f"{path}/snapshot").json["documents"]:
            picture = who("GET", f"/documents/{document['id']}/pages/1")
            assert picture.mimetype == "image/png"
            if document["kind"] == refuse:
                reason = {"reason": "unreadable", "note": "too dark"}
                refused = who("POST", f"/documents/{document['id']}/refuse", version=document["version"], json=reason)
                assert refused.json["state"] == "refused"
            elif document["state"] == "pending":
                who("POST", f"/documents/{document['id']}/accept", version=document["version"])
        snapshot = who("GET", f"{path}/snapshot").json
        if refuse:
            return who("POST", f"{path}/return", version=snapshot["application"]["version"], json={"note": ""})
        digest = {"digest": snapshot["digest"]}
        return who("POST", f"{path}/approve", version=snapshot["application"]["version"], json=digest)

    assert decide(operator, refuse="request-form").json["state"] == "returned"
    assert attach("request-form", shade=200).status_code == 201
    assert subscriber("POST", f"{path}/submit", version=version()).json["round"] == 2
    assert decide(operator).json["state"] == "approved-first"
    assert decide(reviewer).json["state"] == "awaiting-key"
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    request = {"request": csr.public_bytes(Encoding.PEM).decode()}
    assert subscriber("PUT", f"{path}/request", version=version(), json=request).status_code == 200
    issued = subscriber("POST", f"{path}/issue")
    assert issued.json["state"] == "issued"
    assert subscriber("POST", f"{path}/issue").json["serial"] == issued.json["serial"]
    certificate = f"/certificates/{issued.json['id']}"
    chain = x509.load_pem_x509_certificates(subscriber("GET", f"{certificate}/chain").data)
    assert len(chain) == 3
    code = subscriber("POST", f"{path}/accept", version=version()).json["report_code"]
    assert by(None)("POST", "/loss-reports", json={"code": code}).status_code == 204
    assert subscriber("GET", certificate).json["state"] == "held"
    current = operator("GET", certificate).json
    assert operator("POST", f"{certificate}/unhold", version=current["version"]).json["state"] == "issued"
    started = subscriber("POST", f"{certificate}/replace", json={"circumstance": "compromised"})
    assert started.status_code == 201
    assert subscriber("GET", certificate).json["reason"] == "keyCompromise"
    assert by("officer")("POST", "/crls", json={"authority": "issuing"}).json["items"][0]["entries"] == 1


def test_who_may_not_is_told_so(house: Any, by: Any, clock: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    path, nobody = f"/applications/{application.id}", by(None)
    problem(nobody("GET", path), 401, "not-authenticated")
    problem(Caller(nobody._client, "pkt_wrong")("GET", path), 401)
    problem(by("stranger")("GET", path), 404, "not-found")
    problem(by("elsewhere")("GET", path), 404, "not-found")
    problem(by("stranger")("POST", f"{path}/withdraw", version=1), 404)
    problem(by("auditor")("POST", f"{path}/claim"), 403, "not-permitted")
    problem(by("subscriber")("GET", "/audit"), 403)
    narrow = by("operator", frozenset({Permission.APPLICATION_VIEW}))
    assert narrow("GET", path).status_code == 200
    problem(narrow("POST", f"{path}/claim"), 403)
    caller = by("subscriber")
    clock.advance(timedelta(days=2))
    problem(caller("GET", path), 401)


def test_who_entered_it_does_not_approve_it(house: Any, by: Any) -> None:
    from dataclasses import replace

    application = house.apply(replace(house.tls(), owner=house.subscriber.id), by=house.operator)
    application = house.submit(application, by=house.operator)
    operator = by("operator")
    path = f"/applications/{application.id}"
    operator("POST", f"{path}/claim")
    snapshot = operator("GET", f"{path}/snapshot").json
    body = {"digest": snapshot["digest"]}
    answer = operator("POST", f"{path}/approve", version=snapshot["application"]["version"], json=body)
    problem(answer, 403, "self-approval")


def test_versions_are_asked_for_and_compared(house: Any, by: Any) -> None:
    draft = house.apply()
    subscriber, path = by("subscriber"), f"/applications/{draft.id}"
    problem(subscriber("PATCH", path, json={"subject": {"CN": "x"}}), 428, "precondition-required")
    assert subscriber("PATCH", path, version=1, json={"subject": {"CN": "x"}}).headers["ETag"] == '"2"'
    problem(subscriber("PATCH", path, version=1, json={"subject": {"CN": "y"}}), 412, "stale-version")
    for wrong in ("x", "*", '"2", "3"', '"-1"', '"99999999999999999999"'):
        answer = subscriber("PATCH", path, headers={"If-Match": wrong}, json={"subject": {"CN": "y"}})
        assert answer.status_code in (412, 422, 428), wrong


def test_a_repeated_request_happens_once(house: Any, by: Any) -> None:
    subscriber = by("subscriber")
    body = {"profile": "private/tls-client", "subject": {"CN": "c"}, "centre": str(house.centre)}
    key = {"Idempotency-Key": "abc"}
    first = subscriber("POST", "/applications", json=body, headers=key)
    again = subscriber("POST", "/applications", json=body, headers=key)
    assert again.status_code == 201
    assert again.json["id"] == first.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(subscriber("GET", "/applications").json["items"]) == 1
    other = {**body, "subject": {"CN": "other"}}
    problem(subscriber("POST", "/applications", json=other, headers=key), 409, "idempotency-mismatch")
    assert by("stranger")("POST", "/applications", json=body, headers=key).json["id"] != first.json["id"]


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("DELETE", "/applications", {}, 405),
        ("POST", "/applications", {"data": "{", "content_type": "application/json"}, (400, 422)),
        ("POST", "/applications", {"data": "x", "content_type": "text/plain"}, (400, 415, 422)),
        ("POST", "/applications", {"json": {"profile": "private/tls-client"}}, 422),
        ("POST", "/applications", {"json": {"profile": "no/such", "subject": {}}}, 404),
        ("POST", "/applications", {"json": {"profile": "private/tls-client", "subject": {}, "more": 1}}, 422),
        ("POST", "/applications", {"json": {"profile": "a" * 3_000_000, "subject": {}}}, (413, 422)),
        ("GET", "/applications?cursor=nonsense", {}, 422),
        ("GET", "/applications?limit=0", {}, 422),
        ("GET", "/applications/not-a-uuid", {}, 404),
    ],
)
def test_a_wrong_request_is_a_problem_document(
    by: Any, method: str, path: str, options: dict[str, Any], status: int | tuple[int, ...]
) -> None:
    answer = by("subscriber")(method, path, **options)
    assert answer.status_code in (status if isinstance(status, tuple) else (status,))
    problem(answer, answer.status_code)


def fingerprint(house: Any) -> tuple[int, int]:
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        return tx.audit.head()[0], tx.applications.count(seen_by=EVERYTHING)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["profile", "subject", "subject_alternative_names", "identification", "centre", "owner", "note", "reason",
         "digest", "request", "code", "circumstance", "label", "scopes", "days", "authority", "partition"]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_breaks_the_api_or_changes_anything_when_refused(house: Any, by: Any, data: st.DataObject) -> None:
    if not hasattr(house, "known"):
        house.known = {name: by(name) for name in ("subscriber", "operator", "officer")}
        house.draft = house.apply()
    target = f"/applications/{house.draft.id}"
    method, path = data.draw(
        st.sampled_from(
            [
                ("POST", "/applications"), ("PATCH", target), ("POST", f"{target}/reject"),
                ("PUT", f"{target}/request"),
                ("POST", f"{target}/approve"), ("POST", "/tokens"), ("POST", "/crls"), ("POST", "/loss-reports"),
                ("POST", f"{target}/return"), ("POST", f"{target}/withdraw"),
            ]
        )
    )  # fmt: skip
    body = data.draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=5) | values)
    before = fingerprint(house)
    answer = house.known[data.draw(st.sampled_from(list(house.known)))](method, path, version=9, json=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        problem(answer, answer.status_code)
        assert fingerprint(house) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    noise=st.binary(max_size=200),
    at=st.integers(0, 300),
    name=st.text(max_size=40),
)
def test_no_upload_breaks_the_api(house: Any, by: Any, noise: bytes, at: int, name: str) -> None:
    if not hasattr(house, "known"):
        house.known = by("subscriber")
        house.draft = house.apply(house.signing())
    genuine = specimen()
    mutated = genuine[:at] + noise + genuine[at + len(noise) :]
    file = (io.BytesIO(mutated), name or "x")
    answer = house.known(
        "POST",
        f"/applications/{house.draft.id}/documents",
        data={"kind": "request-form", "file": file},
        content_type="multipart/form-data",
    )
    assert answer.status_code in (201, 400, 413, 422), answer.text


def test_the_description_is_valid_openapi(wsgi: Any) -> None:
    from openapi_spec_validator import validate

    description = wsgi.test_client().get("/api/v1/openapi.json").json
    validate(description)
    assert all(path.startswith("/api/v1/") for path in description["paths"])


@pytest.mark.parametrize("name", ["subscriber", "operator", "administrator"])
def test_the_api_keeps_its_own_schema(house: Any, wsgi: Any, name: str) -> None:
    """Every operation, with requests that fit its schema and requests that do not."""
    import schemathesis
    from hypothesis import Phase
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    house.submit(house.apply())
    actor = getattr(house, name)
    _, token = house.services.tokens.create(actor, label="test", scopes=actor.permissions, days=1)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", wsgi)
    for operation in schema.get_all_operations():
        strategy = operation.ok().as_strategy(generation_mode=GenerationMode.POSITIVE)

        @settings(
            max_examples=8, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=strategy)
        def conform(case: Any) -> None:
            # What fits the schema may still be refused: no cursor of ours, no such centre, a wrong check digit.
            case.call_and_validate(
                headers={"Authorization": f"Bearer {token}"}, excluded_checks=[positive_data_acceptance]
            )

        conform()
