# ruff: noqa: S608 (names and times of the test's own)
"""Everyday questions of a stranger who has SHOW TABLES and the comments, and reads only.

They were written down first, and answered then with a ClickHouse client as the reader; what these
answers use must stay, and must be explained where the stranger looks.
"""

import json
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.bench import history
from portquorum.bench.history_incidents import fill_incidents, fill_maintenance
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.refresh_views import reckon
from tests.integration.embedded.clickhouse.http_calls import Answer, Server

TARGETS = 16
TARGET = "srv-00003-443"
INCIDENT = "3f2c9a1e-0000-4000-8000-000000000000"

QUESTIONS = {
    "What is down now, and since when?": (
        "SELECT name, host, port, since FROM status_now WHERE status = 'down' ORDER BY since"
    ),
    "What was the uptime of one target last month?": (
        "SELECT round(uptime_percent, 2) AS uptime, down_s FROM uptime_monthly "
        f"WHERE target = '{TARGET}' AND month = toStartOfMonth(now('UTC') - INTERVAL 1 MONTH)"
    ),
    "Which ports are the slowest?": (
        "SELECT host, port, kind, p50_ms, p95_ms FROM slowest ORDER BY p95_ms DESC LIMIT 10"
    ),
    "Which region sees the most failures?": (
        "SELECT region, sum(checks) - sum(up) AS failed, 100 * failed / sum(checks) AS percent "
        "FROM region_uptime_daily WHERE day > toDate(now('UTC')) - 7 "
        "GROUP BY region ORDER BY percent DESC"
    ),
    "Who was told of an incident, and when?": (
        "SELECT at, channel, action FROM notifications "
        f"WHERE incident_id = '{INCIDENT}' AND status = 'sent' ORDER BY at"
    ),
    "Who was not told of it, and why?": (
        "SELECT at, channel, status, why, error FROM notifications "
        f"WHERE incident_id = '{INCIDENT}' AND status != 'sent' ORDER BY at"
    ),
    "Which certificates end within a month?": (
        "SELECT name, host, port, expires_at, floor(days_left) AS days "
        "FROM certificates_ending WHERE days_left < 30"
    ),
    "Which domains end within two months?": (
        "SELECT name, domain, expires_at, floor(days_left) AS days "
        "FROM domains_ending WHERE days_left < 60"
    ),
    "What was in maintenance last week?": (
        "SELECT w.name AS window, w.begin_at AS begun, w.end_at AS ended, "
        "groupArray(t.target) AS targets "
        "FROM maintenance_windows AS w, targets_known AS t "
        "WHERE (has(w.selectors, t.target) "
        "OR hasAny(w.selectors, arrayMap(tag -> concat('tag:', tag), t.tags))) "
        "AND w.begin_at < now() AND w.end_at > now() - INTERVAL 8 DAY "
        "GROUP BY ALL ORDER BY begun"
    ),
    "How many incidents had each team last month, and how soon did somebody react?": (
        "SELECT team, incidents, acknowledged_percent, acknowledge_p50_s FROM response_monthly "
        "WHERE month = toStartOfMonth(now('UTC') - INTERVAL 1 MONTH) ORDER BY team"
    ),
    "Why do its checks fail, and from where?": (
        "SELECT region, reason, count() AS failures, max(started_at) AS last FROM results FINAL "
        "WHERE status = 'down' AND started_at > now() - INTERVAL 3 DAY "
        "GROUP BY ALL ORDER BY failures DESC"
    ),
}

CATALOGUE = (
    "SHOW TABLES",
    "SHOW TABLES FROM {database} LIKE '%uptime%'",
    "SHOW FULL TABLES FROM {database}",
    "SHOW COLUMNS FROM uptime_daily",
    "SHOW FULL COLUMNS FROM uptime_daily FROM {database}",
    "SHOW CREATE TABLE slowest",
    "SHOW CREATE VIEW {database}.slowest",
    "SHOW CREATE TABLE notifications",
    "SHOW INDEX FROM results",
    "DESCRIBE TABLE {database}.notifications",
    "DESC status_now",
    "EXISTS TABLE {database}.outages",
    "EXISTS VIEW uptime_daily",
    "EXISTS DATABASE {database}",
    "SELECT name, engine, comment FROM system.tables WHERE database = '{database}'",
    "SELECT name, type, comment FROM system.columns WHERE database = '{database}'",
    "SELECT table_comment FROM information_schema.tables WHERE table_schema = '{database}'",
    "SELECT column_comment FROM information_schema.columns WHERE table_schema = '{database}'",
)


class Stranger:
    """A reader with plain HTTP, and what he gets as rows."""

    def __init__(self, server: Server, database: str) -> None:
        self._server = server
        self._database = database

    def post(self, sql: str) -> Answer:
        return self._server.post(
            sql.replace("{database}", self._database),
            {"X-ClickHouse-Format": "JSONCompact"},
            database=self._database,
        )

    def rows(self, sql: str) -> list[list[Any]]:
        answer = self.post(sql)
        assert answer.status == 200, answer.body.decode()
        found: list[list[Any]] = json.loads(answer.body)["data"]
        return found


@pytest.fixture(scope="module")
def stranger(clickhouse: str) -> Iterator[Stranger]:
    name = f"everyday_{uuid.uuid4().hex[:8]}"
    settings = Settings(clickhouse=f"{clickhouse.rpartition('/')[0]}/{name}", results_ttl_days=3650)
    migrate(settings)
    client = connect(settings)
    now = datetime.now(UTC)
    today = int(time.time() // 86_400)
    # Of last month the last days; and the last week.
    before = int((now.replace(day=1) - timedelta(days=1)).timestamp() // 86_400)
    days = sorted({*range(before - 2, before + 1), *range(today - 8, today)})
    history.fill_targets(client, history.targets(TARGETS), days[0] * history.DAY_MS)
    fill_maintenance(client, today - 8, 8)
    for day in days:
        history.fill_day(client, TARGETS, day)
        fill_incidents(client, TARGETS, day)
    # Luck decides what the history has; these are there on each day.
    month = "toStartOfMonth(now64(3))"
    for incident, event, began, closed_at in (
        (INCIDENT, "opened", "now64(3) - 600", "NULL"),
        (f"{INCIDENT}-before", "closed", f"{month} - 3600", f"{month} - 60"),
    ):
        client.command(
            "INSERT INTO incidents (event_id, event, incident_id, incident_type, severity, "
            "target, name, kind, host, port, first_failed_at, opened_at, closed_at, at, summary) "
            f"SELECT '{incident}', '{event}', '{incident}', 'unreachable', 'critical', target, "
            f"name, kind, host, port, {began}, {began} + 10, {closed_at}, "
            f"ifNull({closed_at}, {began} + 10), 'It is down.' "
            f"FROM targets_current WHERE target = '{TARGET}'"
        )
    client.command(
        "INSERT INTO targets (target, version, name, kind, host, regions, appended_at) "
        "VALUES ('domain', 1, 'Domain', 'domain', 'example.com', ['eu-west'], now64(3) - 3600)"
    )
    client.command(
        "INSERT INTO results (target, kind, host, region, scheduled_at, started_at, status, "
        "cert_expires_at, log_offset) VALUES ('domain', 'domain', 'example.com', 'eu-west', "
        "now64(3) - 600, now64(3) - 600, 'up', now64(3) + 86400 * 50, 1000000001)"
    )
    client.command(
        "INSERT INTO results (target, kind, host, port, region, scheduled_at, started_at, status, "
        "reason, log_offset) SELECT target, kind, host, port, regions[1], now64(3) - 600, "
        "now64(3) - 600, 'down', 'timed_out', 1000000000 "
        f"FROM targets_current WHERE target = '{TARGET}'"
    )
    client.command(
        "INSERT INTO notifications (event_id, incident_id, event, target, channel, status, "
        "attempt, at, why, action) "
        f"SELECT '{INCIDENT}', '{INCIDENT}', 'opened', '{TARGET}', tupleElement(one, 1), "
        "tupleElement(one, 2), 1, now64(3) - 580, tupleElement(one, 3), tupleElement(one, 4) "
        "FROM (SELECT arrayJoin([('ops/mail/mailto', 'sent', '', 'opened'), "
        "('ops/chat/slack', 'not_sent', 'silence 7 by ann: known', '')]) AS one)"
    )
    reckon(client)
    yield Stranger(Server(clickhouse, owner=False), name)
    client.close()


def test_there_are_eleven() -> None:
    assert len(QUESTIONS) == 11


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_reader_gets_the_answer(stranger: Stranger, question: str) -> None:
    assert stranger.rows(QUESTIONS[question]), question


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_the_answer_is_made_of_is_shown_and_explained(
    stranger: Stranger, question: str
) -> None:
    """Each table is in SHOW TABLES with a comment, each column has one, for the reader."""
    sql = QUESTIONS[question]
    tables = set(re.findall(r"(?:FROM|,) (\w+) (?:AS \w |FINAL|WHERE|ORDER|GROUP)", sql))
    assert tables
    assert tables <= {row[0] for row in stranger.rows("SHOW TABLES")}
    asked = "SELECT name, comment FROM system.tables WHERE database = '{database}'"
    comments = {row[0]: row[1] for row in stranger.rows(asked)}
    for table in tables:
        assert comments[table], table
        columns = stranger.rows(f"DESCRIBE TABLE {table}")
        assert all(row[4] for row in columns), columns


def test_what_is_down_since_when_and_who_was_told(stranger: Stranger) -> None:
    ((name, host, port, since),) = stranger.rows(QUESTIONS["What is down now, and since when?"])
    assert (name, host, port) == ("Server 3 port 443", "srv-00003.example.com", 443)
    began = datetime.fromisoformat(since).replace(tzinfo=UTC)
    assert timedelta(seconds=590) < datetime.now(UTC) - began < timedelta(hours=1)
    told = stranger.rows(QUESTIONS["Who was told of an incident, and when?"])
    assert [row[1:] for row in told] == [["ops/mail/mailto", "opened"]]
    ((_, channel, status, why, error),) = stranger.rows(
        QUESTIONS["Who was not told of it, and why?"]
    )
    assert (channel, status, error) == ("ops/chat/slack", "not_sent", "")
    assert why.startswith("silence 7 by")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("status_now", "status_now WHERE status != 'up'"),
        ("notifications", "Who was told of what and when"),
        ("slowest", "the slowest (p95_ms) first"),
        ("certificates_ending", "the first to end first"),
        ("domains_ending", "registration of each domain"),
    ],
)
def test_the_comment_leads_to_the_table(stranger: Stranger, table: str, says: str) -> None:
    ((comment,),) = stranger.rows(
        f"SELECT comment FROM system.tables WHERE database = '{{database}}' AND name = '{table}'"
    )
    assert says in comment


@pytest.mark.parametrize("sql", CATALOGUE)
def test_a_reader_looks_around(stranger: Stranger, sql: str) -> None:
    found = stranger.rows(sql)
    assert found
    assert found != [[0]]


def test_examples_in_comments_can_be_asked(stranger: Stranger) -> None:
    """A comment that shows a query shows one that works."""
    shown = 0
    for source in ("system.tables", "system.columns"):
        for (comment,) in stranger.rows(
            f"SELECT comment FROM {source} WHERE database = '{{database}}' "
            "AND comment LIKE '%SELECT %' ORDER BY comment"
        ):
            (sql,) = re.findall(r"SELECT (?:(?!\. ).)*", comment)
            stranger.rows(sql)
            shown += 1
    assert shown >= 3
