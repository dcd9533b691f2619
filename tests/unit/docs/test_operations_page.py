"""docs/operations.md: the table of alerts is that of deploy/prometheus."""

import json
import re
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "operations.md").read_text()
RULES: Final = sorted((ROOT / "deploy" / "prometheus").glob("*.rules.yml"))
TABLES: Final = set(
    re.findall(
        r"CREATE TABLE IF NOT EXISTS \{database\}\.(\w+)",
        "".join(p.read_text() for p in (ROOT / "sinks/clickhouse/migrations").glob("*.sql")),
    )
)


def test_every_alert_has_its_row() -> None:
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    alerts = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    rows = re.findall(r"^\| `(\w+)` \|(.+)\|(.+)\|(.+)\|$", PAGE, re.MULTILINE)
    assert [name for name, *_ in rows] == alerts
    assert all(cell.strip() for row in rows for cell in row)


def test_the_tables_that_are_asked_and_kept_are_there() -> None:
    texts = PAGE + "".join(file.read_text() for file in RULES)
    assert set(re.findall(r"SELECT \* FROM (\w+)", texts)) <= TABLES
    (kept,) = re.findall(r"ClickHouse: `portquorum` \(tables (.+?)\)", PAGE)
    assert set(re.findall(r"`(\w+)`", kept)) == TABLES


def test_the_commands_are_there() -> None:
    tree = json.loads((ROOT / "portquorum/cli/completion/commands.json").read_text())
    texts = PAGE + "".join(file.read_text() for file in RULES)
    named = set(re.findall(r"(?:^|`)portquorum ([a-z]+)", texts, re.MULTILINE))
    assert named
    assert named <= set(tree["commands"])
