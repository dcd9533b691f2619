"""Every question of docs/analytics.md is asked as it stands there, of a history of a week.

And those of the dashboard for Grafana.
"""

import time
import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.bench import history
from portquorum.bench.analytics import PAGE, questions
from portquorum.bench.history_incidents import fill_incidents, fill_maintenance
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.refresh_views import reckon
from tests.integration.docs.grafana_questions import GRAFANA, GrafanaQuestion
from tests.unit.docs.command_lines import lines_of_help, lines_of_pages

DAYS = 8
TARGETS = 40
ASKED = questions(PAGE.read_text())
# Luck decides whether a week of 40 targets has one; the columns are held all the same.
MAY_BE_EMPTY = ("flappers", "error_budget WHERE", "HAVING ports > 2", "acknowledge_s IS NULL")

SQL_COMMANDS = [
    word
    for line in (*lines_of_pages(), *lines_of_help())
    if line.words[0] == "sql"
    for word in line.words
    if word.startswith(("SELECT", "DESCRIBE"))
]
"""Of `portquorum sql "…"` in all pages and help texts."""

GRAFANA_MAY_BE_EMPTY = ("Jobs", "Messages", "What is wrong", "Checks that were missed")
"""This history has no jobs and no messages, and nothing may be wrong at its end."""


@pytest.fixture(scope="module")
def client(clickhouse: str) -> Iterator[Client]:
    name = f"analytics_{uuid.uuid4().hex[:8]}"
    settings = Settings(clickhouse=f"{clickhouse.rpartition('/')[0]}/{name}", results_ttl_days=3650)
    migrate(settings)
    one = connect(settings)
    today = int(time.time() // 86_400)
    history.fill_targets(one, history.targets(TARGETS), (today - DAYS) * history.DAY_MS)
    fill_maintenance(one, today - DAYS, DAYS)
    for day in range(today - DAYS, today):
        history.fill_day(one, TARGETS, day)
        fill_incidents(one, TARGETS, day)
    reckon(one)
    yield one
    one.close()


def test_there_are_twenty() -> None:
    assert len(ASKED) == 20


@pytest.mark.parametrize(("sql", "columns"), ASKED, ids=range(1, len(ASKED) + 1))
def test_the_question_has_the_answer_that_stands_under_it(
    client: Client, sql: str, columns: list[str]
) -> None:
    found = client.query(sql)
    assert list(found.column_names) == columns
    assert found.result_rows or any(words in sql for words in MAY_BE_EMPTY)
    # Its day is that of the views, wherever the server is; at any time one of these has another.
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago") if "now(" in sql else ():
        there = client.query(sql, settings={"session_timezone": zone})
        assert there.result_rows == found.result_rows


@pytest.mark.parametrize("question", GRAFANA, ids=lambda one: one.panel)
def test_a_question_of_the_dashboard_has_an_answer(
    client: Client, question: GrafanaQuestion
) -> None:
    now = int(time.time())
    sql = question.asked(now - (DAYS + 1) * 86_400, now)
    assert "$" not in sql
    found = client.query(sql)
    assert found.result_rows or question.panel in GRAFANA_MAY_BE_EMPTY
    if question.kind == "timeseries" and found.result_rows:
        assert found.column_names[0] == "time"
        times = [row[0] for row in found.result_rows]
        assert times == sorted(times)
    if question.kind == "stat":
        assert len(found.result_rows) == len(found.column_names) == 1


def test_the_statements_of_commands_are_answered(client: Client) -> None:
    assert len(SQL_COMMANDS) > 5
    for sql in SQL_COMMANDS:
        client.query(sql)  # raises what is wrong with it; this history has no jobs
