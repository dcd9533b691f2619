"""The data of reports: the views of `sinks/clickhouse/views`, within days and a scope."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from foundation.clickhouse import internal_database
from portquorum.report.result import Column, Days, ReportTable, Unit, Value

MOST_DAYS: Final = 3_650

_KNOWN: Final = """
SELECT target, name, team FROM targets_known
WHERE ({team:String} = '' OR team = {team:String})
  AND ({target:String} = '' OR target = {target:String})
"""


class UnknownScopeError(LookupError):
    """No target matches; the text says what exists."""


class History:
    """The days from `since` to `until` (both included, UTC) of the targets of a scope."""

    def __init__(
        self, client: Client, since: date, until: date, *, team: str = "", target: str = ""
    ) -> None:
        """`team` and `target` are empty for all.

        Raises:
            UnknownScopeError: no such team, no such target, or a target of another team.
        """
        self.since = since
        self.until = until
        self.team = team
        self.target = target
        self._client = client
        self.targets = len(self.rows(_KNOWN)) if team or target else self._count()
        if (team or target) and not self.targets:
            raise UnknownScopeError(self._nobody())

    @property
    def scope(self) -> str:
        """The scope in words."""
        if self.target:
            return f"target {self.target}"
        return f"team {self.team}" if self.team else "all targets"

    @property
    def every_day(self) -> list[date]:
        """All days, in order."""
        return [self.since + timedelta(n) for n in range((self.until - self.since).days + 1)]

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a query with the parameters `since`, `until`, `team`, `target`.

        `{internal}` stands for the database of roll-ups.
        """
        parameters = {
            "since": self.since,
            "until": self.until,
            "team": self.team,
            "target": self.target,
        }
        internal = internal_database(str(self._client.database))
        sql = sql.replace("{internal}", f"`{internal}`")
        rows: Sequence[Sequence[Any]] = self._client.query(sql, parameters=parameters).result_rows
        return rows

    def days(
        self, name: str, title: str, unit: Unit, sql: str, *, low_is_bad: bool = False
    ) -> Days:
        """A value for each day, from a query with day and value; None for a missing day."""
        found: dict[date, float | None] = dict(self.rows(sql))  # type: ignore[arg-type]
        return Days(
            name=name,
            title=title,
            unit=unit,
            days=self.every_day,
            values=[found.get(day) for day in self.every_day],
            low_is_bad=low_is_bad,
        )

    def table(
        self, name: str, title: str, columns: list[Column], sql: str, most: int | None = None
    ) -> ReportTable:
        """The first `most` rows of a query with the columns in their order."""
        found = [[_plain(value) for value in row] for row in self.rows(sql)]
        shown = found if most is None else found[:most]
        return ReportTable(
            name=name, title=title, columns=columns, rows=shown, left_out=len(found) - len(shown)
        )

    def _count(self) -> int:
        return int(self.rows("SELECT count() FROM targets_current")[0][0])

    def _nobody(self) -> str:
        if self.target and self.rows(_KNOWN.replace("{team:String}", "''")):
            return f"expected a target of the team {self.team!r}, found {self.target!r}"
        if self.target:
            return (
                f"expected the id of a target, found {self.target!r}; "
                "`portquorum status` lists them"
            )
        teams = self.rows("SELECT DISTINCT team FROM targets_known WHERE team != '' ORDER BY team")
        known = ", ".join(row[0] for row in teams[:20]) or "there is none"
        return f"expected a team that has targets ({known}), found {self.team!r}"


def _plain(value: Any) -> Value:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value  # type: ignore[no-any-return]
