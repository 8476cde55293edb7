"""Nothing that comes in breaks the API, and what is refused changes nothing, on either database."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from PIL import Image
from sqlalchemy import create_engine, inspect, text

from web.limits import limiter

FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HOSTILE = ["\x00", "a\x00b", "\ud800", "\u202egpj.exe", "\x1b[2J", "=1+1", "' OR 1=1", "9" * 1000, "\n", " ", "İ"]
texts = st.sampled_from(HOSTILE) | st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
NAMES = ["profile", "subject", "subject_alternative_names", "identification", "centre", "owner", "note", "reason",
         "digest", "request", "code", "circumstance", "label", "scopes", "days", "authority", "partition",
         "invalidity_date"]  # fmt: skip
MOMENTS = [
    "2026-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1949-12-31T00:00:00Z",
    -1e300,
]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """What one database takes and the other refuses (NUL, numbers out of range) is what this is about."""
    value: str = request.param
    return value


@pytest.fixture
def everything(house: Any) -> Any:
    """A digest of every row of every table."""
    engine = create_engine(house.program.config.database_url)
    tables = sorted(inspect(engine).get_table_names())

    def digest() -> str:
        sums = hashlib.sha256()
        with engine.connect() as connection:
            for table in tables:
                sums.update(repr(sorted(map(repr, connection.execute(text(f'SELECT * FROM "{table}"'))))).encode())
        return sums.hexdigest()

    yield digest
    engine.dispose()


@pytest.fixture
def callers(house: Any, by: Any) -> Any:
    return {name: by(name) for name in ("subscriber", "operator", "officer")}


@pytest.fixture
def targets(house: Any) -> list[tuple[str, str]]:
    """Every operation that takes a body, on objects that exist."""
    certificate, draft = house.issued(), house.apply()
    submitted = house.submit(house.apply(house.signing()))
    [document, *_] = house.services.review.snapshot(house.operator, submitted.id).documents
    claimed, mine = f"/applications/{submitted.id}", f"/applications/{draft.id}"
    house.services.review.claim(house.operator, submitted.id)
    return [
        ("POST", "/applications"), ("PATCH", mine), ("POST", f"{mine}/submit"), ("PUT", f"{mine}/request"),
        ("POST", f"{claimed}/reject"), ("POST", f"{claimed}/approve"), ("POST", f"{claimed}/return"),
        ("POST", f"/documents/{document.id}/refuse"), ("POST", "/tokens"), ("POST", "/crls"),
        ("POST", "/loss-reports"), ("POST", f"/certificates/{certificate.id}/revoke"),
        ("POST", f"/certificates/{certificate.id}/replace"), ("POST", f"/applications/{draft.id}/documents"),
    ]  # fmt: skip


def test_no_body_breaks_the_api_or_changes_anything_when_refused(
    callers: Any, targets: Any, problem: Any, everything: Any
) -> None:
    @settings(FUZZ, max_examples=200)
    @given(
        who=st.sampled_from(sorted(callers)),
        target=st.sampled_from(targets),
        body=st.dictionaries(st.sampled_from(NAMES), values, max_size=5) | values,
        version=st.integers(0, 4),
    )
    def attempt(who: str, target: tuple[str, str], body: Any, version: int) -> None:
        limiter.reset()
        before = everything()
        answer = callers[who](*target, version=version, json=body)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            problem(answer, answer.status_code)
            assert everything() == before

    attempt()


def test_no_text_in_a_well_formed_application_breaks_the_api(house: Any, callers: Any, problem: Any) -> None:
    @settings(FUZZ, max_examples=100)
    @given(name=texts, value=texts, kind=st.sampled_from(["dns", "ip", "email", "uri"]), san=texts, search=texts)
    def attempt(name: str, value: str, kind: str, san: str, search: str) -> None:
        names = [{"type": kind, "value": san}]
        body = {"profile": "private/tls-client", "subject": {"CN": value, name: value}, "centre": str(house.centre)}
        answer = callers["subscriber"]("POST", "/applications", json={**body, "subject_alternative_names": names})
        assert answer.status_code in (201, 400, 422), answer.text
        if answer.status_code == 201:
            path = f"/applications/{answer.json['id']}"
            submitted = callers["subscriber"]("POST", f"{path}/submit", version=1)
            assert submitted.status_code in (200, 409, 422), submitted.text
        try:
            search.encode()
        except UnicodeEncodeError:
            return
        for who, place in (("subscriber", "/applications"), ("operator", "/queue"), ("officer", "/certificates")):
            found = callers[who]("GET", place, query_string={"text": search})
            assert found.status_code in (200, 403, 422), found.text

    attempt()


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_invalidity_date_breaks_the_api(house: Any, by: Any, problem: Any, everything: Any, moment: object) -> None:
    certificate, operator = house.issued(), by("operator")
    before = everything()
    body = {"reason": "keyCompromise", "because": "a test", "invalidity_date": moment}
    problem(operator("POST", f"/certificates/{certificate.id}/revoke", version=certificate.version, json=body), 422)
    assert everything() == before


def specimen() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 60), "white").save(out, "PNG")
    return out.getvalue()


def test_no_upload_breaks_the_api_or_changes_anything_when_refused(
    house: Any, by: Any, problem: Any, everything: Any
) -> None:
    subscriber, draft, genuine = by("subscriber"), house.apply(house.signing()), specimen()

    @settings(FUZZ, max_examples=30)
    @given(noise=st.binary(max_size=200), at=st.integers(0, 300), name=st.text(max_size=40), kind=texts)
    @example(noise=b"", at=0, name="paper.png", kind="request-form")
    @example(noise=b"", at=0, name="a\x00.png", kind="request-form")
    @example(noise=b"", at=0, name="../../etc/passwd", kind="request-form")
    @example(noise=b"", at=0, name="a" * 5000, kind="request-form")
    def attempt(noise: bytes, at: int, name: str, kind: str) -> None:
        file = (io.BytesIO(genuine[:at] + noise + genuine[at + len(noise) :]), name or "x")
        before = everything()
        form = {"kind": kind.encode("utf-8", "replace"), "file": file}
        path = f"/applications/{draft.id}/documents"
        answer = subscriber("POST", path, data=form, content_type="multipart/form-data")
        if answer.status_code != 201:
            assert answer.status_code in (400, 413, 422), answer.text
            problem(answer, answer.status_code)
            assert everything() == before

    attempt()
