"""Schemathesis asks the API what its document allows, and what it does not.

No answer may be a 5xx, or one that the document does not have; what the document forbids is
refused, what it allows is answered.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.integration.portquorum.web.process import Served

OPERATIONS = [
    *("overview", "groups", "targets", "target", "target_history", "target_checks"),
    *("target_explained",),
    *("incidents", "incident", "incident_history", "past_incidents", "regions"),
    *("maintenances", "silences", "results", "uptime", "report"),
]
BEYOND = {"cursor", "since", "until", "days", "target", "fields", "window"}


@pytest.fixture(scope="session")
def api(served: Served) -> OpenApiSchema:
    place = f"http://127.0.0.1:{served.port}"
    return schemathesis.openapi.from_url(f"{place}/api/v1/openapi.json")


def test_every_operation_is_asked(api: OpenApiSchema) -> None:
    found = [result.ok().definition.raw["operationId"] for result in api.get_all_operations()]
    assert sorted(found) == sorted([*OPERATIONS, "events"]), "`events` does not end: test_server.py"


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_api_is_what_its_document_says(
    api: OpenApiSchema, name: str, mode: GenerationMode
) -> None:
    operation = api.find_operation_by_id(name)

    if mode is GenerationMode.NEGATIVE and not any(operation.iter_parameters()):
        pytest.skip("it has no parameters")

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case) -> None:
        answer = case.call(timeout=20)
        excluded = [positive_data_acceptance] if is_beyond_schemas(answer) else []
        case.validate_response(answer, excluded_checks=excluded)

    asked()


def is_beyond_schemas(answer: Response) -> bool:
    """Whether only that is wrong which no schema says: cursors, orders of times, one of two."""
    if answer.status_code != 400:
        return False
    return {one["field"] for one in answer.json().get("errors", ())} <= BEYOND
