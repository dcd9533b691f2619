"""What stood in the inventory when: definitions of targets, maintenance windows."""

from dataclasses import dataclass

from tests.truth.records import History, Row
from tests.truth.spans import Span, union, within

FOREVER = 9_999_999_999_999


@dataclass(frozen=True, kw_only=True)
class Stand:
    """A definition of a target, and when it stood: until the next row about the target, or now."""

    begin: int
    end: int
    row: Row


def rows_by_target(history: History) -> dict[str, list[Row]]:
    """The rows about each target, the oldest first; of one moment a definition beats a removal."""
    found: dict[str, list[Row]] = {}
    for row in history.targets:
        found.setdefault(row["target"], []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row["appended_at"], -row["removed"], row["version"]))
    return found


def stands(rows: list[Row], now: int) -> list[Stand]:
    """When each definition stood; `rows` are those about one target."""
    found = []
    for place, row in enumerate(rows):
        begin = row["appended_at"]
        end = min(now, rows[place + 1]["appended_at"] if place + 1 < len(rows) else now)
        if not row["removed"] and begin < end:
            found.append(Stand(begin=begin, end=end, row=row))
    return found


def standing(rows: list[Row], at: int) -> Row | None:
    """The definition that stood at a moment; None if the target was not in the inventory."""
    last = None
    for row in rows:
        if row["appended_at"] <= at:
            last = row
    return None if last is None or last["removed"] else last


def last_known(rows: list[Row]) -> Row | None:
    """The newest definition, whether or not the target was removed since."""
    there = [row for row in rows if not row["removed"]]
    return there[-1] if there else None


@dataclass(frozen=True, kw_only=True)
class Window:
    """A time at which a maintenance window is on."""

    source: str
    name: str
    selectors: tuple[str, ...]
    begin: int
    end: int


def windows(history: History) -> list[Window]:
    """Each time at which a window is on, past and to come, while its definition stands."""
    by_key: dict[str, list[Row]] = {}
    for row in history.maintenance:
        if row not in by_key.setdefault(row["key"], []):
            by_key[row["key"]].append(row)
    found = []
    for rows in by_key.values():
        rows.sort(key=lambda row: row["log_offset"])
        for place, row in enumerate(rows):
            until = rows[place + 1]["appended_at"] if place + 1 < len(rows) else FOREVER
            for begun in [] if row["removed"] else row["begins"]:
                begin = max(begun, row["appended_at"])
                end = min(begun + row["duration_ms"], until)
                if begin < end:
                    found.append(
                        Window(
                            source=row["source"],
                            name=row["name"],
                            selectors=tuple(row["targets"]),
                            begin=begin,
                            end=end,
                        )
                    )
    return found


def maintained(stand: Stand, known: list[Window]) -> list[Span]:
    """When a target was in maintenance while it stood as this definition."""
    names = {stand.row["target"], *(f"tag:{tag}" for tag in stand.row["tags"])}
    spans = [(one.begin, one.end) for one in known if names & set(one.selectors)]
    return union(within(spans, stand.begin, stand.end))
