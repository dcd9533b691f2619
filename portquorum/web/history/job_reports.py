"""The newest reports of jobs (kind heartbeat), for lists of many."""

from collections.abc import Collection
from typing import Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from portquorum.web.history.asking import in_parts, rows

_NEWEST: Final = """
SELECT target, toString(signal) AS said, toUnixTimestamp64Milli(max(reported_at)),
       argMax(tuple(exit_code), reported_at).1
FROM {internal}.newest_signals
WHERE target IN {targets:Array(String)}
GROUP BY target, said
"""


class JobReports(Struct, frozen=True, gc=False, kw_only=True):
    """When a job reported last, UTC ms, however long ago; None: never.

    `exit_code` is that of the newest success or failure.
    """

    success_at: int | None = None
    failure_at: int | None = None
    start_at: int | None = None
    exit_code: int | None = None

    @property
    def report_at(self) -> int | None:
        """The newest success or failure."""
        return max((one for one in (self.success_at, self.failure_at) if one), default=None)


def job_reports(client: Client, targets: Collection[str]) -> dict[str, JobReports]:
    """The newest reports of those jobs that have any, by id."""
    found: dict[str, dict[str, tuple[int, int | None]]] = {}
    for part in in_parts(list(targets)):
        for target, said, at, exit_code in rows(client, _NEWEST, targets=list(part)):
            found.setdefault(target, {})[said] = (int(at), exit_code)
    return {target: _reports(said) for target, said in found.items()}


def _reports(said: dict[str, tuple[int, int | None]]) -> JobReports:
    success, failure = said.get("success"), said.get("fail")
    ends = [one for one in (success, failure) if one is not None]
    return JobReports(
        success_at=success and success[0],
        failure_at=failure and failure[0],
        start_at=said["start"][0] if "start" in said else None,
        exit_code=max(ends, key=lambda one: one[0])[1] if ends else None,
    )
