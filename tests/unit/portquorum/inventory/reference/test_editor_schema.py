"""The JSON Schema of inventory files takes what is right, and says of what is wrong where it is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from jsonschema.protocols import Validator

from portquorum.inventory import check, tree
from portquorum.inventory.decode import SECTIONS
from portquorum.inventory.editor import MODELINE, SCHEMA_FILE, schema_text
from portquorum.inventory.reference.editor_schema import editor_schema
from portquorum.inventory.reference.generated import SCHEMA, differences
from producers.kinds.registry import KINDS

ROOT: Final = Path(__file__).parents[5]
WHOLE: Final = editor_schema()
DRAFT_7: Final = "http://json-schema.org/draft-07/schema#"
VALIDATORS: Final = (
    jsonschema.Draft202012Validator(WHOLE),
    jsonschema.Draft7Validator({**WHOLE, "$schema": DRAFT_7}),
)
FILES: Final = [ROOT / "deploy" / "inventory.yaml", *(ROOT / "tests").rglob("inventory/*.yaml")]
PAGES: Final = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
_BLOCK: Final = re.compile(r"```yaml\n(.*?)```", re.DOTALL)

both = pytest.mark.parametrize("validator", VALIDATORS, ids=["2020-12", "draft-07"])


def read(text: str) -> Any:
    """The one document of a text."""
    (root,), problems = tree.read(text, "f.yaml")
    assert problems == []
    return root.value


def of_page(page: Path) -> Iterator[Any]:
    """The blocks of a page that are inventories, or lists of targets."""
    for block in _BLOCK.findall(page.read_text()):
        for root in tree.read(block, page.name)[0]:
            value = root.value
            if isinstance(value, list) and all("host" in one for one in value):
                yield {"targets": value}
            elif isinstance(value, dict) and value.keys() <= WHOLE["properties"].keys():
                yield value


INVENTORIES: Final = [(path.name, read(path.read_text())) for path in FILES]
INVENTORIES += [(page.name, one) for page in PAGES for one in of_page(page)]


def wrong(validator: Validator, document: Any) -> list[tuple[str, str]]:
    """Where something is wrong, and what: of an error in a choice, the nearest one."""
    return [
        (error.json_path, error.message) for error in map(_best, validator.iter_errors(document))
    ]


def _best(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    return jsonschema.exceptions.best_match([error])


@both
def test_every_inventory_of_the_repository_is_right(validator: Validator) -> None:
    assert len(INVENTORIES) > 50
    found = {name: wrong(validator, one) for name, one in INVENTORIES}
    assert {name: errors for name, errors in found.items() if errors} == {}


def test_the_schema_itself_is_right_in_both_dialects() -> None:
    for validator in VALIDATORS:
        validator.check_schema(validator.schema)
    assert "\\Z" not in json.dumps(WHOLE)
    assert set(SECTIONS) <= WHOLE["properties"].keys()


HEAD: Final = "regions: {eu: {}}\n"


@both
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("targets: [{host: a}]", "$.targets[0]"),  # tcp needs a port
        ("targets: [{host: a, port: 70000}]", "$.targets[0].port"),
        ("targets: [{host: a, port: 1, probee: {}}]", "$.targets[0]"),
        ("targets: [{kind: htpp, host: a}]", "$.targets[0].kind"),
        ("targets: [{kind: http, host: a, probe: {pathh: /}}]", "$.targets[0].probe"),
        (
            "targets: [{kind: http, host: a, probe: {warn_days: 500}}]",
            "$.targets[0].probe.warn_days",
        ),
        ("targets: [{kind: redis, host: a, probe: {tls: starttls}}]", "$.targets[0].probe.tls"),
        ("targets: [{kind: redis, host: a, probe: {version: x}}]", "$.targets[0].probe.version"),
        ("targets: [{host: a, port: 1, probe: {path: /}}]", "$.targets[0].probe"),
        ("targets: [{kind: http, host: a, interval: 30}]", "$.targets[0].interval"),
        ("targets: [{kind: http, host: a, interval: 30sec}]", "$.targets[0].interval"),
        ("targets: [{kind: http, host: a, interval: 1m1h}]", "$.targets[0].interval"),
        ("targets: [{kind: heartbeat, name: a, host: b}]", "$.targets[0].host"),
        ("targets: [{host: a, port: 1, grace: 5m}]", "$.targets[0].grace"),
        ("targets: [{kind: http, host: a, tags: {}}]", "$.targets[0].tags"),
        ("targets: {host: a, port: 1}", "$.targets"),
        ("templates: {web: {kind: http, host: a}}", "$.templates.web"),
        ("templates: {web: {probe: {pathh: /}}}", "$.templates.web.probe"),
        ("routes: {a: {severities: [bad]}}", "$.routes.a.severities[0]"),
        ("routes: {a: {urls: x, quiet: {}}}", "$.routes.a.quiet"),
        ("region: {}", "$"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(validator: Validator, text: str, where: str) -> None:
    document = read(text if text.startswith("region:") else HEAD + text)
    assert {place for place, _ in wrong(validator, document)} == {where}


@both
@pytest.mark.parametrize(
    "text",
    [
        'targets: [{host: a, port: "5432", retries: "2", slo: "99.9", tags: prod, name: 2024}]',
        "targets: [{kind: http, host: a, interval: 1h30m, regions: eu, depends_on: b}]",
        "targets: [{kind: http, host: a, probe: {status: 200, conditions: {body: true}}}]",
        "targets: [{host: a, port: 1, probe: {steps: {expect: x}}}]",
        "targets: [{kind: tls, host: a, probe: {min_version: 1.3}}]",
        "targets: [{kind: http, host: a, probe: {json: {a: [1, null]}}}]",
        'targets: [{host: a, ports: [25, "587", 8000-8003]}, {host: a, ports: 25}]',
        "targets: [{host: a, extends: web, probe: {path: /}}, {host: a, extends: [x, y]}]",
        "templates: {web: {kind: http, probe: {path: /x}, extends: x}, x: {probe: {path: /}}}",
        "targets: [{name: a, kind: heartbeat, schedule: 0 3 * * *}, {host: a, port: 1, team: }]",
        "routes: {a: {urls: console, when: sat, rotation: }}",
    ],
)
def test_what_may_be_written_shorter_is_right(validator: Validator, text: str) -> None:
    assert wrong(validator, read(HEAD + text)) == []


def test_each_kind_has_its_options() -> None:
    for kind, known in KINDS.items():
        assert known.options is not None
        options = WHOLE["$defs"][f"probe_{kind}"]["properties"]
        assert list(options) == list(known.options.__struct_encode_fields__)


def test_each_field_has_words_and_an_example() -> None:
    found = [WHOLE, *WHOLE["$defs"].values()]
    fields = [one for schema in found for one in schema.get("properties", {}).values()]
    plain = [one for one in fields if "$ref" not in one]
    assert len(plain) > 150
    for field in plain:
        assert "Example: " in field["description"] or field.keys() <= {"description"}, field
        assert field["description"].replace("`", "") == field["description"]


def test_the_generated_files_are_up_to_date() -> None:
    assert differences() == [], "make generate"
    assert json.loads(SCHEMA.read_text()) == json.loads(schema_text()) == WHOLE


def test_a_new_file_names_the_schema_that_lies_beside_it(tmp_path: Path) -> None:
    from portquorum.inventory import TargetEntry, add

    file = tmp_path / "inventory.yaml"
    add(file, TargetEntry(host="db1.example.com", port=5432))
    assert file.read_text().startswith(f"{MODELINE}\n")
    assert (tmp_path / SCHEMA_FILE).read_text() == schema_text()
    assert [one.id for one in check([tmp_path]).targets] == ["db1.example.com-5432"]
    (tmp_path / SCHEMA_FILE).unlink()
    add(file, TargetEntry(host="db2.example.com", port=5432))
    assert not (tmp_path / SCHEMA_FILE).exists()  # its owner has taken it away
