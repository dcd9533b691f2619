"""Every view and report, against a slow program that computes the same from the same records.

`tests/truth/` has the program and the histories. The long form is tests/soak/test_truth.py.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from foundation.settings import Settings
from portquorum.cli import main
from sinks.clickhouse.tables import Table
from tests.integration.sinks.clickhouse.past import DAY, HOUR, TODAY, Past, write
from tests.truth.compare import part_differences
from tests.truth.outages import cases
from tests.truth.played import Played, parts_of, play
from tests.truth.records import History, day_of
from tests.truth.reports import last_days
from tests.truth.uptime import target_days

ZONES = {1: "America/St_Johns", 3: "Pacific/Kiritimati"}
"""By seed: the time zone of the sessions. Days and months are UTC in each."""

DAYS = 33
TARGETS = 6

pytestmark = pytest.mark.timeout(900)
"""Some 10 s a seed, but for a machine that has other things to do."""


@pytest.fixture(scope="module", params=ZONES)
def played(request: pytest.FixtureRequest, clickhouse: str) -> Played:
    return play(clickhouse, request.param, ZONES[request.param], days=DAYS, targets=TARGETS)


def test_views_say_the_truth(played: Played) -> None:
    wrong = played.wrong_views()
    assert not wrong, "\n".join(wrong)


def test_reports_say_the_truth(played: Played) -> None:
    wrong = played.wrong_reports()
    assert not wrong, "\n".join(wrong)


def test_two_views_that_answer_one_question_say_the_same(played: Played) -> None:
    wrong = played.broken_identities()
    assert not wrong, "\n".join(wrong)


def test_the_command_line_says_what_the_reports_say(
    played: Played,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Of days that are over, so that nothing goes on meanwhile."""
    monkeypatch.setenv("PORTQUORUM_CLICKHOUSE", played.settings.clickhouse)
    monkeypatch.setenv("PORTQUORUM_DATA_DIR", str(tmp_path))
    asked = last_days(played.history)[1]
    days = ["--since", asked.since.isoformat(), "--until", asked.until.isoformat()]
    for kind, said in played.reports[asked].items():
        command = ["portquorum", "report", kind, *days, "--format", "json"]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit):
            main()
        found = parts_of(capsys.readouterr().out)
        assert part_differences(kind, found, said, said) == []


class Collected(Past):
    """Keeps the rows of a past that was written by hand, and inserts nothing."""

    def __init__(self) -> None:
        super().__init__(None, Settings())  # type: ignore[arg-type]
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def insert(self, table: Table, rows: Iterable[dict[str, Any]], _token: str = "") -> None:
        empty = {"reason": "", "cert_expires_at": None, "removed": 0, "slo": None, "tags": []}
        empty |= {"downtime_cost_per_hour": None, "summary": "", "acknowledged_by": "", "team": ""}
        self.rows.setdefault(table.name, []).extend(empty | row for row in rows)

    def reckon(self) -> None:
        return


def test_the_program_computes_what_was_computed_by_hand() -> None:
    """The figures are those of test_views.py, which says how they come about."""
    past = Collected()
    write(past)
    history = History(
        now=TODAY + HOUR,
        targets=past.rows["targets"],
        maintenance=[row | {"removed": 0} for row in past.rows["maintenance"]],
        incidents=past.rows["incidents"],
        results=past.rows["results"],
    )
    known = cases(history)
    days = {(one.target, one.day): one.time for one in target_days(history, known)}
    zero = day_of(TODAY - 3 * DAY)
    a = days["a", zero]
    assert (a.watched, a.measured, a.down) == (86_400_000, 80_100_000, 7_800_000)
    assert (a.maintenance, a.down_in_maintenance) == (2_100_000, 1_200_000)
    b = days["b", zero]
    assert (b.watched, b.measured, b.down) == (43_200_000, 43_200_000, 0)
    spans = {case.newest["incident_id"]: case.span(history.now) for case in known}
    noon = TODAY - 3 * DAY + 12 * HOUR
    assert spans["i3"] == (noon, noon + HOUR)
    assert spans["i6"] == (noon, noon + 2 * HOUR)
    assert spans["s1"] == (TODAY - 3 * DAY, history.now)
