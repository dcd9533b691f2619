"""docs/inventory.md names each field of an inventory with its default, and its example is right."""

import re
import time
from pathlib import Path
from typing import Final

import pytest

from portquorum.inventory import check
from portquorum.inventory.document import (
    DefaultsEntry,
    DrillEntry,
    EscalationEntry,
    FileTargetEntry,
    LatencyEntry,
    MaintenanceEntry,
    QuietEntry,
    RegionEntry,
    RotationEntry,
    RouteEntry,
    TargetEntry,
    TargetTemplateEntry,
    TeamEntry,
    TemplatesEntry,
)
from portquorum.inventory.heartbeats import INTERVAL_MS
from portquorum.inventory.reach import reach
from portquorum.inventory.targets import BUILT_IN
from schemas.policy import Route
from schemas.probe import HeartbeatProbe

PAGE: Final = (Path(__file__).parents[3] / "docs" / "inventory.md").read_text()
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
]
STRUCTS: Final = (
    *(RegionEntry, TeamEntry, RouteEntry, LatencyEntry, DefaultsEntry, TargetEntry),
    *(MaintenanceEntry, RotationEntry, QuietEntry, EscalationEntry, TemplatesEntry),
    *(DrillEntry, FileTargetEntry, TargetTemplateEntry),
)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_is_named(struct: type) -> None:
    named = {word for row in ROWS for cell in row for word in re.findall(r"`([a-z_]+)`", cell)}
    assert set(struct.__struct_encode_fields__) - named == set()


@pytest.mark.parametrize("field", [name for name, value in BUILT_IN.items() if value])
def test_a_default_is_that_of_the_code(field: str) -> None:
    (row,) = (row for row in ROWS if f"`{field}`" in row[0])
    names, defaults = (re.findall(r"`([^`]+)`", cell) for cell in row[:2])
    assert defaults[names.index(field)] == str(BUILT_IN[field])


def test_the_example_is_right(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(regions:.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "inventory.yaml"
    file.write_text(example)
    inventory = check([file])
    assert [target.id for target in inventory.targets] == ["prod-db", "core-switch"]
    assert inventory.warnings == ()
    assert reach(inventory, round(time.time() * 1000)) == []


def test_the_example_of_jobs_is_right(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(targets:\n  - name: Nightly.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "inventory.yaml"
    file.write_text(example)  # as it stands: jobs alone need no region
    probes = [one.probe for one in check([file]).targets]
    grace = [one.grace_ms for one in probes if isinstance(one, HeartbeatProbe)]
    assert grace == [1_800_000, 60_000]
    defaults = re.search(r"`critical` 5 min, `important` 1 h, `normal` 1 d", PAGE)
    assert defaults
    assert INTERVAL_MS == {"critical": 300_000, "important": 3_600_000, "normal": 86_400_000}


@pytest.mark.parametrize(
    ("begin", "ids"),
    [
        (
            "targets:\n  - {name: Mail",
            ["mail-25", "mail-587", "mail-8025", "mail-8026", "mail-8027"],
        ),
        ("templates:\n", ["shop", "blog"]),
    ],
)
def test_the_examples_of_shorthand_are_right(tmp_path: Path, begin: str, ids: list[str]) -> None:
    (example,) = re.findall(rf"```yaml\n({re.escape(begin)}.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "inventory.yaml"
    file.write_text(f"regions: {{a: {{}}}}\nteams: {{web: {{}}}}\n{example}")
    assert [one.id for one in check([file]).targets] == ids


def test_the_example_of_routes_is_right(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(routes:.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "inventory.yaml"
    file.write_text(f"regions: {{a: {{}}}}\ntargets: [{{host: x, port: 1}}]\n{example}")
    inventory = check([file])
    assert [one.name for one in inventory.policy if isinstance(one, Route)] == [
        *("night", "oncall", "boss", "operators"),
    ]
    assert inventory.warnings == ()
    assert reach(inventory, round(time.time() * 1000)) == []
