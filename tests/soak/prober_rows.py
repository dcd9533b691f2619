"""The rows of a prober in ClickHouse, in the order of the log."""

from typing import Any, Final

from foundation import clickhouse
from foundation.settings import Settings
from tests.soak.prober_ledger import Ledger, Said

_ROWS: Final = """
SELECT target, toUnixTimestamp64Milli(scheduled_at), toUnixTimestamp64Milli(started_at), attempt,
       cause, status, reason, toUnixTimestamp64Milli(target_version)
FROM results ORDER BY log_partition, log_offset, log_line
"""


# A check that began a whole interval late has the time at which the missed one after it was due.
_CHECKS: Final = """
SELECT uniqExact(target, region, prober, scheduled_at, started_at, attempt) FROM results
"""


def checks(settings: Settings) -> int:
    """How many rows tell of different checks."""
    client = clickhouse.connect(settings)
    try:
        return int(client.query(_CHECKS).result_rows[0][0])
    finally:
        client.close()


def read(settings: Settings, blips: set[str]) -> tuple[Ledger, int, set[str]]:
    """The rows in a ledger; in how many orders they lie; which of `blips` ever failed."""
    ledger, failed = Ledger(), set()
    lasts: dict[str, list[int]] = {}
    client = clickhouse.connect(settings)
    try:
        with client.query_rows_stream(_ROWS) as rows:
            for row in rows:
                said = _said(row)
                ledger.add(said)
                if said.status != "missed":
                    _place(lasts.setdefault(said.target, []), said.started_at)
                if said.status == "down" and said.target in blips:
                    failed.add(said.target)
    finally:
        client.close()
    return ledger, max(map(len, lasts.values()), default=0), failed


def _said(row: tuple[Any, ...]) -> Said:
    target, scheduled_at, started_at, attempt, cause, status, reason, version = row
    return Said(
        str(target),
        scheduled_at,
        started_at,
        attempt,
        str(cause),
        str(status),
        str(reason) or None,
        version,
    )


def _place(lasts: list[int], at: int) -> None:
    """`lasts` has the end of each of the ordered rows of which the results are made up at least."""
    behind = [last for last in lasts if last <= at]
    if behind:
        lasts.remove(max(behind))
    lasts.append(at)
