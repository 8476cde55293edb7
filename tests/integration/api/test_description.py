"""The OpenAPI document is valid, and the API keeps it."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from web.limits import limiter

STOCHASTIC = settings(
    deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), max_examples=12
)


@pytest.fixture
def document(wsgi: Any) -> Any:
    return wsgi.test_client().get("/api/v1/openapi.json").json


def operations(document: Any) -> Any:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_the_description_is_valid_openapi(document: Any) -> None:
    validate(document)
    assert all(path.startswith("/api/v1/") for path in document["paths"])


def test_every_call_has_a_short_name_of_its_own(document: Any) -> None:
    names = [operation["operationId"] for operation in operations(document)]
    assert len(names) == len(set(names))
    assert {"applications.submit", "certificates.revoke", "report.report_loss"} <= set(names)


def test_conditions_and_repeats_are_described(document: Any) -> None:
    submit = document["paths"]["/api/v1/applications/{id}/submit"]["post"]
    headers = {one["name"]: one["required"] for one in submit["parameters"] if one["in"] == "header"}
    assert headers == {"If-Match": True, "Idempotency-Key": False}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fits", "does not fit"])
@pytest.mark.parametrize("name", ["subscriber", "operator", "administrator"])
def test_the_api_keeps_its_own_schema(house: Any, wsgi: Any, name: str, mode: GenerationMode) -> None:
    """Every operation, with requests that fit its schema and with requests that do not."""
    house.submit(house.apply())
    actor = getattr(house, name)
    _, token = house.services.tokens.create(actor, label="test", scopes=actor.permissions, days=1)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", wsgi)
    for operation in schema.get_all_operations():

        @STOCHASTIC
        @given(case=operation.ok().as_strategy(generation_mode=mode))
        def conform(case: Any) -> None:
            limiter.reset()
            # What fits the schema may still be refused: no cursor of ours, no such centre, a wrong check digit.
            excluded = [positive_data_acceptance]
            headers = {"Authorization": f"Bearer {token}"}
            answer = case.call(headers=headers)
            if answer.status_code == 413:  # a refusal like any other, which that check does not know
                excluded.append(negative_data_rejection)
            case.validate_response(answer, headers=headers, excluded_checks=excluded)

        conform()
