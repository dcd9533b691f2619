"""Rules and configuration of deploy/prometheus, by Prometheus's own tool."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from foundation.telemetry import METRICS_PORTS
from tests.installed import missing

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / "deploy" / "prometheus"
RULES: Final = sorted(FOLDER.glob("*.rules.yml"))
TESTS: Final = Path(__file__).with_name("portquorum_rules_test.yml")
METRICS: Final = set(
    re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
)


def promtool(*words: str) -> str:
    done = subprocess.run(
        [shutil.which("promtool") or missing("promtool"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def test_the_example_is_a_configuration_and_has_all_rules() -> None:
    promtool("check", "config", str(FOLDER / "prometheus.yml"))
    promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))
    example = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert sorted(example["rule_files"]) == [file.name for file in RULES]


def test_the_example_asks_every_role() -> None:
    text = (FOLDER / "prometheus.yml").read_text()
    asked = dict(re.findall(r'"127\.0\.0\.1:(94\d\d)"\], labels: \{role: (\w+)\}', text))
    assert {role: int(port) for port, role in asked.items()} == METRICS_PORTS


def test_every_rule_does_what_it_says() -> None:
    promtool("test", "rules", str(TESTS))
    tested = TESTS.read_text()
    for rule in rules():
        name = rule.get("alert") or rule["record"]
        assert name in tested, name


def test_rules_ask_for_metrics_that_there_are() -> None:
    for rule in rules():
        asked = {
            name.removesuffix("_bucket") for name in re.findall(r"\bportquorum_\w+", rule["expr"])
        }
        assert asked <= METRICS, rule
