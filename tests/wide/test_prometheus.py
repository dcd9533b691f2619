"""A Prometheus with rules and service discovery of deploy/prometheus beside `portquorum up`.

A real port goes: the alert of its target fires, and no other one; it comes back, and it is over.
"""

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml

from foundation.telemetry import METRICS_PORTS
from tests.installed import missing
from tests.integration.kinds.servers import free_port
from tests.system.program import Program, eventually

pytestmark = [pytest.mark.wide, pytest.mark.timeout(600)]

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "prometheus"
ROLES: Final = {"probe local": "probe", "stream": "stream", "sink": "sink", "notify": "notify"}
"""The roles of `up` by the names in its lines; `web` has a port, too."""


class Prometheus:
    """The program itself, on a port and with a folder of the test's own."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.port = free_port()
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        self._log = (folder / "prometheus.log").open("w")
        self._process = subprocess.Popen(
            [
                shutil.which("prometheus") or missing("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=self._log,
            stderr=self._log,
        )

    def ask(self, path: str, **query: str) -> Any:
        """The data that an address of its API has; None while it has none."""
        place = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(place, timeout=30) as answer:
                return json.load(answer)["data"]
        except (OSError, urllib.error.HTTPError):
            return None

    def values(self, expr: str) -> dict[str, float]:
        """The values of an expression, by the label `target` (or `role`, `alertname`)."""
        found = (self.ask("query", query=expr) or {"result": []})["result"]
        return {
            next(
                (labels[name] for name in ("alertname", "target", "role") if name in labels), ""
            ): float(one["value"][1])
            for one in found
            if (labels := one["metric"]) is not None
        }

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        return set(self.values('ALERTS{alertstate="firing"}'))

    def close(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait(60)
        self._log.close()


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def up(tmp_path: Path, port: socket.socket) -> Iterator[Program]:
    (tmp_path / "inventory.yaml").write_text(
        "regions: {local: {internal: true}}\n"
        "teams: {web: {}}\n"
        "targets:\n"
        f"- {{id: shop, name: Shop, host: 127.0.0.1, port: {port.getsockname()[1]}, interval: 10s,"
        " timeout: 2s, team: web, tags: [prod]}\n"
        "- {id: other, host: 127.0.0.2, port: 1, expect: closed, interval: 10s, timeout: 2s}\n"
    )
    words = ("--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
    more = ("--web-listen", f"127.0.0.1:{free_port()}", "-i", "inventory.yaml")
    with Program(tmp_path, "up", *words, *more, PORTQUORUM_TARGET_SERIES="100") as program:
        program.event("up", "portquorum is up")
        yield program
        program.end()


@pytest.fixture
def prometheus(tmp_path: Path, up: Program) -> Iterator[Prometheus]:
    text = (FOLDER / "prometheus.yml").read_text()
    page = urlsplit(up.has_said("web", "page served")["address"]).netloc
    text = text.replace("127.0.0.1:9480", page).replace(
        "targets?kind=tcp", "targets?kind=tcp&tag=prod"
    )
    for said, role in {**ROLES, "web": "web"}.items():
        place = urlsplit(up.has_said(said, "metrics served")["address"]).netloc
        text = text.replace(f"127.0.0.1:{METRICS_PORTS[role]}", place)
    config = yaml.safe_load(text)
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(file) for file in FOLDER.glob("*.rules.yml")]
    config["scrape_configs"][1]["http_sd_configs"][0]["refresh_interval"] = "1s"
    folder = tmp_path / "prometheus"
    folder.mkdir()
    made = Prometheus(folder, config)
    yield made
    made.close()


def discovered(prometheus: Prometheus) -> dict[str, str]:
    """The addresses that the job `blackbox` was given by service discovery, by the target's id."""
    found = (prometheus.ask("targets", state="any") or {"activeTargets": []})["activeTargets"]
    return {
        one["labels"]["target"]: one["labels"]["instance"]
        for one in found
        if one["labels"]["job"] == "blackbox"
    }


def test_an_alert_fires_when_a_real_port_goes(prometheus: Prometheus, port: socket.socket) -> None:
    address = port.getsockname()
    place = f"127.0.0.1:{address[1]}"
    eventually(lambda: discovered(prometheus) == {"shop": place}, "service discovery")
    up = {"shop": 1.0, "other": 1.0}
    eventually(lambda: prometheus.values("portquorum_target_up") == up, "both to be up")
    eventually(
        lambda: (
            prometheus.values('up{job="portquorum"}')
            == dict.fromkeys((*ROLES.values(), "web"), 1.0)
        ),
        "all roles",
    )
    assert prometheus.values("portquorum_target_check_up") == up
    assert "TargetDown" not in prometheus.firing()
    port.close()
    eventually(lambda: "TargetDown" in prometheus.firing(), "the alert")
    (down,) = [
        one
        for one in prometheus.ask("alerts")["alerts"]
        if one["labels"]["alertname"] == "TargetDown"
    ]
    assert down["labels"]["target"] == "shop"
    assert down["labels"]["team"] == "web"
    assert down["annotations"]["summary"] == f"Shop ({place}) is down, most regions agree"
    eventually(
        lambda: (
            prometheus.values('portquorum_target_incident_open{type="unreachable"}')
            == {"shop": 1.0}
        ),
        "the incident",
    )
    assert prometheus.values("portquorum:targets_down:count") == {"": 1.0}
    with socket.create_server(address[:2]):
        eventually(lambda: "TargetDown" not in prometheus.firing(), "the end of the alert")
    assert prometheus.firing() == set(), "the monitor itself has no trouble"
