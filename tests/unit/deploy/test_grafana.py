"""The dashboards of deploy/grafana: their form, their places, and that Prometheus parses every
expression. Those in SQL are asked in tests/integration/docs/test_analytics_page.py."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml

from tests.installed import missing

ROOT: Final = Path(__file__).parents[3]
FILES: Final = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
METRICS: Final = set(
    re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
)
every_dashboard = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    return found


def drawn(file: Path) -> Iterator[dict[str, Any]]:
    yield from (panel for panel in read(file)["panels"] if panel["type"] != "row")


@every_dashboard
def test_a_dashboard_asks_the_chosen_data_source_alone(file: Path) -> None:
    dashboard = read(file)
    (chosen,) = [one for one in dashboard["templating"]["list"] if one["type"] == "datasource"]
    assert (chosen["name"], chosen["label"]) == ("datasource", "Data source")
    for panel in drawn(file):
        assert panel["datasource"] == {"type": chosen["query"], "uid": "${datasource}"}
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]
        assert all(one["datasource"] == panel["datasource"] for one in panel["targets"])
    assert dashboard["editable"] is False
    assert "id" not in dashboard


@every_dashboard
def test_panels_do_not_cover_each_other(file: Path) -> None:
    panels = read(file)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not taken & cells, panel["title"]
        taken |= cells


def test_every_expression_is_one_of_metrics_that_there_are(tmp_path: Path) -> None:
    asked = [
        target["expr"]
        for file in FILES
        for panel in drawn(file)
        for target in panel["targets"]
        if "expr" in target
    ]
    assert len(asked) > 30
    for expr in asked:
        names = {re.sub(r"_bucket$", "", name) for name in re.findall(r"\bportquorum_\w+", expr)}
        assert names <= METRICS, expr
        assert len(re.findall(r'job=~"\$job", instance=~"\$instance"', expr)) >= len(names)
    rules = [
        {"record": f"x:{number}", "expr": expr.replace("$__rate_interval", "1m")}
        for number, expr in enumerate(asked)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    done = subprocess.run(
        [shutil.which("promtool") or missing("promtool"), "check", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
