"""The tables of the sink, with their columns in the order of the rows."""

from typing import Any, Final

from msgspec import Struct

LOG: Final = (
    ("log_partition", "UInt16"),
    ("log_offset", "UInt64"),
    ("appended_at", "DateTime64(3, 'UTC')"),
)
"""The origin of a row: partition, offset and time of the message."""

_LC: Final = "LowCardinality(String)"
_TIME: Final = "DateTime64(3, 'UTC')"
_US: Final = "Nullable(UInt32)"


class Table(Struct, frozen=True):
    """A table. `unique` names the column with distinct values."""

    name: str
    columns: tuple[tuple[str, str], ...]
    unique: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(name for name, _ in self.columns)


class Rows(Struct, frozen=True):
    """Rows for a table, by column; all columns have the same length."""

    table: Table
    columns: list[list[Any]]

    def __len__(self) -> int:
        return len(self.columns[0])

    def without(self, known: set[Any]) -> "Rows":
        """The rows with a unique value that is not in `known`, the first of each value."""
        if self.table.unique is None:
            return self
        place = self.table.names.index(self.table.unique)
        seen = set(known)
        kept = []
        for row, value in enumerate(self.columns[place]):
            if value not in seen:
                seen.add(value)
                kept.append(row)
        return Rows(self.table, [[column[row] for row in kept] for column in self.columns])

    def unique_values(self) -> list[Any]:
        """The values of the unique column."""
        if self.table.unique is None:
            return []
        return self.columns[self.table.names.index(self.table.unique)]


def from_tuples(table: Table, tuples: list[tuple[Any, ...]]) -> Rows:
    """Columns from row tuples."""
    width = len(table.columns)
    columns = [list(column) for column in zip(*tuples, strict=True)] if tuples else []
    return Rows(table, columns or [[] for _ in range(width)])


RESULTS: Final = Table(
    "results",
    (
        ("target", _LC),
        ("kind", _LC),
        ("host", _LC),
        ("port", "UInt16"),
        ("region", _LC),
        ("prober", _LC),
        ("scheduled_at", _TIME),
        ("started_at", _TIME),
        ("status", _LC),
        ("reason", _LC),
        ("attempt", "UInt8"),
        ("cause", _LC),
        ("target_version", _TIME),
        ("detail", "String"),
        ("address", _LC),
        ("dns_us", _US),
        ("connect_us", _US),
        ("tls_us", _US),
        ("total_us", _US),
        ("cert_expires_at", f"Nullable({_TIME})"),
        ("http_status", "UInt16"),
        ("banner", "String"),
        ("signal", _LC),
        ("exit_code", "Nullable(UInt8)"),
        ("run", "String"),
        ("output", "String"),
        *LOG,
        ("log_line", "UInt32"),
    ),
)

INCIDENTS: Final = Table(
    "incidents",
    (
        ("event_id", "String"),
        ("event", _LC),
        ("incident_id", "String"),
        ("incident_type", _LC),
        ("severity", _LC),
        ("target", _LC),
        ("name", "String"),
        ("kind", _LC),
        ("host", "String"),
        ("port", "UInt16"),
        ("team", _LC),
        ("tags", f"Array({_LC})"),
        ("criticality", _LC),
        ("depends_on", "Array(String)"),
        ("verdicts", "Map(String, String)"),
        ("reasons", "Map(String, String)"),
        ("votes_down", "UInt16"),
        ("votes_need", "UInt16"),
        ("votes_fresh", "UInt16"),
        ("votes_configured", "UInt16"),
        ("first_failed_at", _TIME),
        ("opened_at", _TIME),
        ("closed_at", f"Nullable({_TIME})"),
        ("closed_because", _LC),
        ("at", _TIME),
        ("summary", "String"),
        ("changes", "Array(String)"),
        ("acknowledged_by", "String"),
        ("acknowledged_note", "String"),
        ("resolved_by", "String"),
        ("resolved_note", "String"),
        ("recovered_at", f"Nullable({_TIME})"),
        ("expect", _LC),
        ("raw", "String"),
        *LOG,
    ),
    unique="event_id",
)

REGION_EVENTS: Final = Table(
    "region_events",
    (
        ("event_id", "String"),
        ("event", _LC),
        ("region", _LC),
        ("at", _TIME),
        ("summary", "String"),
        ("last_beat_at", f"Nullable({_TIME})"),
        *LOG,
    ),
    unique="event_id",
)

TARGETS_EVENTS: Final = Table(
    "targets_events",
    (
        ("event_id", "String"),
        ("event", _LC),
        ("cause_id", "String"),
        ("severity", _LC),
        ("count", "UInt32"),
        ("most_critical", "Array(String)"),
        ("silent_regions", f"Array({_LC})"),
        ("since", _TIME),
        ("at", _TIME),
        ("summary", "String"),
        *LOG,
    ),
    unique="event_id",
)

NOTIFICATIONS: Final = Table(
    "notifications",
    (
        ("event_id", "String"),
        ("incident_id", "String"),
        ("event", _LC),
        ("target", _LC),
        ("team", _LC),
        ("route", _LC),
        ("channel", _LC),
        ("severity", _LC),
        ("status", _LC),
        ("attempt", "UInt32"),
        ("at", _TIME),
        ("event_at", _TIME),
        ("subject", "String"),
        ("group", "String"),
        ("error", "String"),
        ("why", "String"),
        ("action", _LC),
        *LOG,
    ),
)

TARGETS: Final = Table(
    "targets",
    (
        ("target", "String"),
        ("removed", "UInt8"),
        ("version", _TIME),
        ("source", _LC),
        ("name", "String"),
        ("kind", _LC),
        ("host", "String"),
        ("port", "UInt16"),
        ("regions", f"Array({_LC})"),
        ("interval_ms", "UInt32"),
        ("timeout_ms", "UInt32"),
        ("criticality", _LC),
        ("team", _LC),
        ("purpose", "String"),
        ("tags", f"Array({_LC})"),
        ("depends_on", "Array(String)"),
        ("runbook", "String"),
        ("slo", "Nullable(Float64)"),
        ("downtime_cost_per_hour", "Nullable(Float64)"),
        ("expect", _LC),
        ("enabled", "Bool"),
        ("job_interval_ms", "Nullable(UInt64)"),
        ("job_schedule", "String"),
        ("job_zone", _LC),
        ("job_grace_ms", "Nullable(UInt32)"),
        ("job_max_runtime_ms", "Nullable(UInt32)"),
        ("raw", "String"),
        *LOG,
    ),
)

MAINTENANCE: Final = Table(
    "maintenance",
    (
        ("key", "String"),
        ("removed", "UInt8"),
        ("source", "String"),
        ("name", "String"),
        ("targets", "Array(String)"),
        ("start", _TIME),
        ("duration_ms", "UInt64"),
        ("rrule", "String"),
        ("begins", f"Array({_TIME})"),
        *LOG,
    ),
)

PAUSES: Final = Table(
    "pauses",
    (
        ("target", "String"),
        ("removed", "UInt8"),
        ("paused_at", _TIME),
        ("paused_until", f"Nullable({_TIME})"),
        ("paused_by", "String"),
        ("reason", "String"),
        *LOG,
    ),
)

DEADLETTER: Final = Table(
    "deadletter",
    (
        ("id", "String"),
        ("topic", _LC),
        ("partition", "UInt32"),
        ("offset", "UInt64"),
        ("line", "Int64"),
        ("part", _LC),
        ("error", "String"),
        ("at", _TIME),
        ("size", "UInt64"),
        ("raw", "String"),
        *LOG,
    ),
    unique="id",
)

GAPS: Final = Table(
    "gaps",
    (
        ("topic", _LC),
        ("partition", "UInt32"),
        ("expected", "UInt64"),
        ("found", "UInt64"),
        ("at", _TIME),
    ),
)

ALL: Final = (
    RESULTS,
    INCIDENTS,
    REGION_EVENTS,
    TARGETS_EVENTS,
    NOTIFICATIONS,
    TARGETS,
    MAINTENANCE,
    PAUSES,
    DEADLETTER,
    GAPS,
)

OF_TOPIC: Final[dict[str, tuple[Table, ...]]] = {
    "results": (RESULTS,),
    "incidents": (INCIDENTS, REGION_EVENTS, TARGETS_EVENTS),
    "notifications": (NOTIFICATIONS,),
    "targets": (TARGETS,),
    "policy": (MAINTENANCE, PAUSES),
    "deadletter": (DEADLETTER,),
}
"""The tables of a topic's rows; a topic without tables is only checked."""
