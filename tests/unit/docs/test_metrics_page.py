"""docs/metrics.md is what the registries of all roles have."""

import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from foundation import target_series
from foundation.telemetry import METRICS_PORTS
from producers.prober import target_series as of_prober
from streams.worker import target_series as of_stream
from tests.installed import missing

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "metrics.md").read_text()
MODULES: Final = {
    "Every role": (
        *("foundation.telemetry", "foundation.metrics_server", "foundation.kafka.rights_watch"),
        "foundation.standstill",
    ),
    "Prober": ("producers.metrics",),
    "Stream": ("streams.worker.metrics",),
    "Sink": ("sinks.clickhouse.metrics",),
    "Notifier": ("sinks.notifier.metrics", "sinks.notifier.dead_man"),
    "Page": ("portquorum.web.metrics",),
    "Receiver": ("portquorum.receiver.metrics",),
}
"""The sections of the page, and where their metrics are."""
Row = tuple[str, str, tuple[str, ...]]
"""Name, type and labels."""


def written(section: str) -> dict[str, Row]:
    text = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (found,) = [one for one in text if one.startswith(f"{section}\n")]
    rows = {}
    for line in found.splitlines():
        if line.startswith("| `"):
            name, kind, labels, meaning = (cell.strip() for cell in line.strip("|").split("|"))
            assert meaning, name
            rows[name.strip("`")] = name.strip("`"), kind, tuple(re.findall(r"`(\w+)`", labels))
    return rows


def registered(module: str) -> Iterator[Row]:
    for one in vars(importlib.import_module(module)).values():
        if isinstance(one, MetricWrapperBase):
            (family,) = one.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            yield name, family.type, tuple(one._labelnames)


@pytest.mark.parametrize("section", MODULES)
def test_each_role_has_what_the_page_says(section: str) -> None:
    found = {row[0]: row for module in MODULES[section] for row in registered(module)}
    assert written(section) == found


def test_the_series_of_targets() -> None:
    families = {**of_stream.FAMILIES, **of_prober.FAMILIES}
    found = {name: (name, "gauge", one.labels) for name, one in families.items()}
    left_out = target_series.LEFT_OUT
    assert written("Series of each target") == {**found, left_out: (left_out, "gauge", ())}


def test_no_module_has_metrics_that_the_page_does_not_know() -> None:
    packages = ("foundation", "producers", "streams", "sinks", "portquorum")
    files = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    makers = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in files
        if re.search(r"= (Counter|Gauge|Histogram|Summary|Info)\(", text := path.read_text())
        and "prometheus_client" in text
    }
    assert makers == {module for modules in MODULES.values() for module in modules}


def test_the_ports_are_those_of_the_roles() -> None:
    ports = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|$", PAGE, re.MULTILINE))
    assert ports == {role: str(port) for role, port in METRICS_PORTS.items()}


def test_promtool_has_nothing_to_say_of_any_name() -> None:
    for modules in MODULES.values():
        for module in modules:
            importlib.import_module(module)
    done = subprocess.run(
        [shutil.which("promtool") or missing("promtool"), "check", "metrics"],
        input=generate_latest(REGISTRY),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
