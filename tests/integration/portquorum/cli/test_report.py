"""`portquorum report` on rows in the real ClickHouse, in every format; what is missing is told."""

import csv
import io
import os
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.cli import main
from sinks.clickhouse import tables
from sinks.clickhouse.migrate import migrate
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.past import DAY, HOUR, TODAY, Past, write

KINDS: Final = ("uptime", "slo", "cost", "reliability")


def fresh(clickhouse: str) -> Settings:
    name = f"report_{uuid.uuid4().hex[:8]}"
    return Settings(clickhouse=f"{clickhouse.rpartition('/')[0]}/{name}")


@pytest.fixture(scope="module")
def settings(clickhouse: str) -> Iterator[Settings]:
    """The past of `test_views.py`: day 0 is three days ago."""
    found = fresh(clickhouse)
    migrate(found)
    client = connect(found)
    write(Past(client, found))
    yield found
    client.close()


class Said(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Report:
    """`portquorum report` in this process: a new one for each call would take longer than it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch = monkeypatch
        self._capsys = capsys

    def __call__(self, url: str, *arguments: str) -> Said:
        self._patch.setenv("PORTQUORUM_CLICKHOUSE", url)
        self._patch.setattr(sys, "argv", ["portquorum", "report", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(int(ended.value.code or 0), *self._capsys.readouterr())


@pytest.fixture
def report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Report:
    for name in os.environ:
        if name.startswith("PORTQUORUM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PORTQUORUM_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Report(monkeypatch, capsys)


def figures(settings: Settings, report: Report, *arguments: str) -> dict[str, Any]:
    done = report(settings.clickhouse, *arguments, "--format", "json")
    assert done.returncode in {0, 1}, done.stderr
    found = msgspec.json.decode(done.stdout)
    return {one["name"]: one["value"] for one in found["figures"]} | {
        table["name"]: table["rows"] for table in found["tables"]
    }


def test_uptime(settings: Settings, report: Report) -> None:
    found = figures(settings, report, "uptime", "--since", "10d")
    # As computed in test_views.py; `b` was up for its 12 h.
    measured, down = 80_100 + 86_400 + 43_200, 7_800 + 900
    assert found["uptime_percent"] == pytest.approx(100 * (1 - down / measured))
    assert found["down_s"] == down
    assert [row[0] for row in found["targets"]] == ["a", "b"]
    assert [row[:2] for row in found["teams"]] == [["db", 1], ["web", 1]]
    assert sorted(row[0] for row in found["regions"]) == ["eu", "us"]
    of_team = figures(settings, report, "uptime", "--team", "web")
    assert of_team["uptime_percent"] == 100
    assert of_team["regions"] == [["eu", 100, 1, 0]]


def test_a_missed_slo_is_trouble(settings: Settings, report: Report) -> None:
    done = report(settings.clickhouse, "slo")
    assert done.returncode == 1
    assert "1 of 1 targets with an SLO misses it." in done.stdout
    found = figures(settings, report, "slo")
    assert (found["with_slo"], found["met"], found["missed"]) == (1, 0, 1)
    assert found["spent_s"] == 7_500
    assert found["budget_s"] == pytest.approx(1_644)
    assert report(settings.clickhouse, "slo", "--team", "web").returncode == 0


def test_cost_by_day(settings: Settings, report: Report) -> None:
    found = figures(settings, report, "cost")
    assert found["cost"] == pytest.approx(2_500)
    assert found["planned_s"] == 1_200
    last = figures(settings, report, "cost", "--since", "3d")
    assert last["cost"] == pytest.approx(300)
    day = datetime.fromtimestamp((TODAY - 2 * DAY) / 1000, tz=UTC).date().isoformat()
    one = figures(settings, report, "cost", "--since", day, "--until", day)
    assert one["cost"] == pytest.approx(300)
    assert figures(settings, report, "cost", "--since", "24h")["cost"] == 0


def test_reliability(settings: Settings, report: Report) -> None:
    found = figures(settings, report, "reliability")
    assert (found["incidents"], found["flapping"], found["detect_p50_s"]) == (6, 2, 2)
    assert found["outages"] == 6
    # The five lasted 15, 30, 60, 20 and 30 min; 10 min of the fourth are in the third too.
    assert found["targets"][0][:6] == ["a", "db", 5, 8_700, 3_600, 1_800]
    # Of the day on which only the last one's second half is: that half, and no incident opened.
    day = datetime.fromtimestamp((TODAY - 2 * DAY) / 1000, tz=UTC).date().isoformat()
    one = figures(settings, report, "reliability", "--since", day, "--until", day)
    assert (one["outages"], one["incidents"], one["longest_s"]) == (1, 0, 900)
    assert one["targets"][0][:6] == ["a", "db", 1, 900, 900, 900]
    assert found["reasons"][0] == ["connection_refused", "eu", 1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format(settings: Settings, report: Report, kind: str) -> None:
    on_terminal = report(settings.clickhouse, kind)
    assert "By team" in on_terminal.stdout, on_terminal.stderr
    assert "all targets" in on_terminal.stdout
    assert any(mark in on_terminal.stdout for mark in "▁▂▃▄▅▆▇█")
    sheet = list(
        csv.DictReader(io.StringIO(report(settings.clickhouse, kind, "--format", "csv").stdout))
    )
    assert sheet[0]["target"] == "a"
    page = report(settings.clickhouse, kind, "--format", "html").stdout
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    assert "http" not in page  # it needs nothing else
    opened = _Opened()
    opened.feed(page)
    assert {"svg", "table", "style"} <= opened.tags


class _Opened(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.add(tag)


def test_what_came_from_outside_is_escaped(clickhouse: str, report: Report) -> None:
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "report")
    client = connect(settings)
    past = Past(client, settings)
    past.insert(tables.TARGETS, [past.target("a", TODAY - DAY, team="<script>x</script>")])
    past.insert(tables.RESULTS, [past.result("a", "eu", TODAY - HOUR)])
    page = report(settings.clickhouse, "uptime", "--format", "html")
    assert page.returncode == 0, page.stderr
    assert "&lt;script&gt;x" in page.stdout
    assert "<script" not in page.stdout
    client.close()


def test_an_empty_history_is_told_in_words(clickhouse: str, report: Report) -> None:
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "report")
    for kind, said in (
        ("uptime", "Nothing was measured in this time."),
        ("slo", "No target that was measured in this time has an SLO."),
        ("cost", "No target that was watched in this time has a price."),
        ("reliability", "No target was down in this time."),
    ):
        on_terminal = report(settings.clickhouse, kind)
        assert (on_terminal.returncode, said in on_terminal.stdout) == (0, True), on_terminal
        page = report(settings.clickhouse, kind, "--format", "html")
        assert (page.returncode, said in page.stdout) == (0, True), page
    assert report(settings.clickhouse, "slo", "--format", "csv").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "nobody"], "expected the id of a target, found 'nobody'"),
        (["--team", "nobody"], "expected a team that has targets (db, web), found 'nobody'"),
        (["--target", "a", "--team", "web"], "expected a target of the team 'web', found 'a'"),
        (["--since", "soon"], "expected a time"),
        (["--since", "1h"], "expected whole days (7d) or a day (2026-11-01), found '1h'"),
        (["--since", "36h"], "expected whole days"),
        (["--since", "2026-11-01T10:00"], "expected whole days"),
        (["--since", "2d", "--until", "90m"], "expected whole days"),
        (["--json", "--format", "csv"], "expected --json or --format csv"),
        (["--since", "2d", "--until", "9d"], "expected a day of the"),
        (["--since", "20000d"], "expected a"),
    ],
)
def test_wrong_use_is_2(
    settings: Settings, report: Report, arguments: list[str], said: str
) -> None:
    done = report(settings.clickhouse, "uptime", *arguments)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_no_clickhouse_and_no_tables_are_1(clickhouse: str, report: Report) -> None:
    away = report("http://127.0.0.1:1/portquorum", "uptime")
    assert (away.returncode, "ClickHouse can't be reached" in away.stderr) == (1, True)
    none = report(fresh(clickhouse).clickhouse, "uptime")
    assert none.returncode == 1
    assert "Traceback" not in none.stderr


def test_who_may_not_reckon_anew_is_told_that_the_numbers_may_be_old(
    settings: Settings, report: Report
) -> None:
    told = "up to 5 minutes old"
    assert told not in report(settings.clickhouse, "uptime").stderr
    reader = f"http://{settings.clickhouse.rpartition('@')[2]}"
    said = report(reader, "uptime")
    assert (said.returncode, told in said.stderr) == (0, True), said
