"""The questions of the demo to ClickHouse at its end."""

from collections.abc import Sequence
from typing import Final

from clickhouse_connect.driver.exceptions import DatabaseError
from msgspec import Struct

from foundation import clickhouse
from foundation.settings import Settings
from sinks.clickhouse import queries


class Question(Struct, frozen=True):
    """A question in words, and its SQL."""

    text: str
    sql: str


QUESTIONS: Final = (
    Question(
        "Results by target and region, availability, and how fast the handshake was",
        "SELECT target, region, count() AS results,\n"
        "       round(100 * avgIf(status = 'up', status != 'missed'), 1) AS up_pct,\n"
        "       round(quantile(0.95)(connect_ms), 3) AS p95_ms\n"
        "FROM results GROUP BY target, region ORDER BY target, region",
    ),
    Question(
        "Why did checks fail?",
        "SELECT region, reason, cause, count() AS checks FROM results\n"
        "WHERE status = 'down' GROUP BY ALL ORDER BY ALL",
    ),
    Question(
        "The incident, and how long it took to detect",
        "SELECT name, status, first_failed_at, opened_at, closed_at, closed_because,\n"
        "       detect_s, duration_s, summary FROM incidents_current",
    ),
    Question(
        "Who was told?",
        "SELECT at, event, route, status, subject, why FROM notifications ORDER BY at",
    ),
)


def stored(settings: Settings, incident_id: str, notifications: int) -> bool:
    """True if the sink has stored the incident's end and so many messages of begin and end."""
    client = clickhouse.connect(settings)
    try:
        found = [one for one in queries.recent_incidents(client) if one.incident_id == incident_id]
        sent = client.query(
            "SELECT count() FROM notifications "
            "WHERE status = 'sent' AND event IN ('opened', 'closed')"
        ).result_rows
    except DatabaseError as error:
        # On a machine that is busy the sink may still be making its tables and views.
        if "UNKNOWN_TABLE" in str(error):
            return False
        raise
    closed = bool(found) and found[0].status == "closed"
    return closed and int(sent[0][0]) >= notifications


def ask(settings: Settings, sql: str) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """Columns and rows of an answer."""
    answer = clickhouse.connect(settings).query(sql)
    return answer.column_names, answer.result_rows
