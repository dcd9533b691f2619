"""Prometheus itself beside our reading of its jobs: the same targets, labels and questions."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from portquorum.importing.prometheus.jobs import NoProbe, Scrape, Timing, job_of, scrapes
from portquorum.importing.source_yaml import Fields
from tests.system.program import eventually
from tests.wide.test_prometheus import Prometheus

pytestmark = [pytest.mark.wide, pytest.mark.timeout(600)]

EXPORTER: Final = {"target_label": "__address__", "replacement": "127.0.0.1:9"}
TARGET: Final = {"source_labels": ["__address__"], "target_label": "__param_target"}
INSTANCE: Final = {"source_labels": ["__param_target"], "target_label": "instance"}
ADDRESSES: Final = (
    "https://a.example/x?y=1&z=%20",
    "b.example:443",
    "10.0.0.1",
    "c d:$1",
    "[2001:db8::1]:53",
)
RULES: Final[dict[str, list[dict[str, Any]]]] = {
    "usual": [TARGET, INSTANCE, EXPORTER],
    "parts": [
        {
            "source_labels": ["__address__"],
            "regex": "(?:https?://)?([^:/]+)(:[0-9]+)?(/.*)?",
            "target_label": "__param_target",
            "replacement": "http://${1}:80${3}",
        },
        {"source_labels": ["__address__"], "regex": ".*(a|b).*", "target_label": "site"},
        {"source_labels": ["__param_target", "zone"], "separator": "@", "target_label": "instance"},
        EXPORTER,
    ],
    "anchored": [
        TARGET,
        {"source_labels": ["__address__"], "regex": "a", "target_label": "never"},
        {"source_labels": ["__address__"], "regex": "https.*", "target_label": "secure",
         "replacement": "yes"},
        EXPORTER,
    ],
    "module": [
        {"source_labels": ["module"], "regex": "(.+)", "target_label": "__param_module"},
        {"regex": "module", "action": "labeldrop"},
        TARGET,
        EXPORTER,
    ],
    "keep": [
        {"source_labels": ["__address__"], "regex": ".*example.*", "action": "keep"},
        {"source_labels": ["zone", "module"], "regex": "us;", "action": "drop"},
        TARGET,
        INSTANCE,
        EXPORTER,
    ],
    "names": [
        {"regex": "(zone|module)", "action": "labelmap", "replacement": "of_${1}"},
        {"regex": "__.*|of_.*|job", "action": "labelkeep"},
        TARGET,
        EXPORTER,
    ],
    "values": [
        {"source_labels": ["zone"], "action": "uppercase", "target_label": "zone"},
        {"source_labels": ["__address__"], "action": "hashmod", "modulus": 7, "target_label": "n"},
        {"source_labels": ["none"], "target_label": "module"},
        {"target_label": "zone_$1", "source_labels": ["__address__"], "regex": "(b)\\..*",
         "replacement": "$$${1}$"},
        {"target_label": "empty", "replacement": ""},
        TARGET,
        EXPORTER,
    ],
    "interval": [
        {"source_labels": ["zone"], "regex": "us", "target_label": "__scrape_interval__",
         "replacement": "5m"},
        {"source_labels": ["zone"], "regex": "us", "target_label": "__metrics_path__",
         "replacement": "/bb/probe"},
        TARGET,
        EXPORTER,
    ],
}  # fmt: skip


def jobs() -> list[dict[str, Any]]:
    groups = [
        {"targets": list(ADDRESSES[:3]), "labels": {"zone": "eu", "module": "ping"}},
        {"targets": list(ADDRESSES[2:]), "labels": {"zone": "us"}},
    ]
    return [
        {
            "job_name": name,
            "metrics_path": "/probe",
            "params": {"module": ["http_2xx", "second"], "hostname": ["h"]},
            "scrape_interval": "90s",
            "static_configs": groups,
            "relabel_configs": rules,
        }
        for name, rules in RULES.items()
    ]


@pytest.fixture(scope="module")
def active(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """The targets that Prometheus has."""
    program = Prometheus(tmp_path_factory.mktemp("prometheus"), {"scrape_configs": jobs()})
    try:
        eventually(
            lambda: len({one["scrapePool"] for one in _active(program)}) == len(RULES), "jobs"
        )
        yield _active(program)
    finally:
        program.close()


def _active(program: Prometheus) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (program.ask("targets") or {}).get("activeTargets", [])
    return found


def asked(url: str) -> tuple[str, str, dict[str, str]]:
    parts = urlsplit(url)
    return (
        parts.netloc,
        parts.path,
        {name: values[0] for name, values in parse_qs(parts.query).items()},
    )


def test_the_same_targets_are_asked_for_in_the_same_way(active: list[dict[str, Any]]) -> None:
    there = sorted(
        (
            one["scrapePool"],
            *asked(one["scrapeUrl"])[:2],
            sorted(asked(one["scrapeUrl"])[2].items()),
            sorted(one["labels"].items()),
            one["scrapeInterval"],
        )
        for one in active
        if "target" in asked(one["scrapeUrl"])[2]
    )
    here = []
    for written in jobs():
        loaded = yaml.safe_load(yaml.safe_dump(written))
        for one in scrapes(job_of(Fields(loaded, "p.yml")), Timing()):
            if isinstance(one, Scrape):
                params = {"module": one.module, "target": one.target, "hostname": one.hostname}
                here.append(
                    (
                        written["job_name"],
                        one.exporter,
                        one.path,
                        sorted(params.items()),
                        sorted(one.labels.items()),
                        {90.0: "1m30s", 300.0: "5m"}[one.interval_s],
                    )
                )
            else:
                assert isinstance(one, NoProbe)
                assert "drops it" in one.why or "asks no blackbox exporter" in one.why
    unique = [one for at, one in enumerate(sorted(here)) if one not in sorted(here)[:at]]
    assert unique == there
