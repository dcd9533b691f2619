"""Validators and parsers of others take the schemas and the AsyncAPI document as they are."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from schemas import incident, topics
from schemas.json_schema import all_schemas
from tests.integration.contract import strange
from tests.integration.contract.documents import PACKAGE, TYPES, documents, schema_of
from tests.toolchains import node_program

pytestmark = pytest.mark.wide

HERE: Final = Path(__file__).parent / "javascript"
DEADLINE_S: Final = 120


def answer(source: Path, folder: Path, main: str, given: str) -> Any:
    command = node_program(source, folder, main)
    done = subprocess.run(
        command, input=given, capture_output=True, check=False, text=True, timeout=DEADLINE_S
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    return json.loads(done.stdout)


def test_ajv_in_strict_mode(tmp_path: Path) -> None:
    good = [(one.schema, one.value) for one in documents()]
    event = schema_of("incidents/IncidentEvent")
    opened = next(one.value for one in documents() if one.value.get("event") == "opened")
    bad = [
        ("incidents/IncidentEvent", opened | {"closed_at": 1}),
        ("incidents/IncidentEvent", opened | {"incident_id": ""}),
        ("incidents", strange.strange(event, event, opened) | {"at": "now"}),
    ]
    given = {"schemas": all_schemas(), "documents": good + bad}
    said = answer(HERE, tmp_path, "validate.mjs", json.dumps(given))
    assert said["valid"] == [True] * len(good) + [False] * len(bad)
    # What it logs and takes nevertheless: types that a field's `anyOf` says again, differently.
    assert [text for text in said["said"] if "missing type" not in text] == []
    assert set(TYPES) < set(given["schemas"])


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What AsyncAPI's own parser and Modelina make of our document."""
    text = (PACKAGE / "asyncapi.yaml").read_text()
    found: dict[str, Any] = answer(HERE, tmp_path_factory.mktemp("node"), "asyncapi.mjs", text)
    return found


def test_asyncapi_by_its_own_parser(parsed: dict[str, Any]) -> None:
    # 3.1 is newer than what the document says; tools know 3.0 better.
    assert [code for code, _ in parsed["diagnostics"]] == ["asyncapi-latest-version"]
    assert parsed["receives"] == len(parsed["messages"]) == 6
    names = parsed["messages"]["{prefix}.incidents"]
    kinds = (incident.EventKind, incident.RegionEventKind, incident.TargetsEventKind)
    assert len(names) == sum(len(kind.__args__) for kind in kinds)
    assert "portquorum.incident.opened.v1" in names
    assert "portquorum.region.silent.v1" in names
    addresses = {topic.full_name("{prefix}") for topic in topics.ALL}
    assert set(parsed["messages"]) < addresses


def test_modelina_generates_types_from_asyncapi(parsed: dict[str, Any]) -> None:
    assert {"IncidentEvent", "RegionEvent", "TargetsEvent", "Target", "Votes"} <= set(
        parsed["models"]
    )
