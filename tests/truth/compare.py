"""Compares what a view says with what the truth says, before and after it was asked."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.truth.check_views import check_views
from tests.truth.cost_views import cost_views
from tests.truth.expected import PERCENTILE_ACCURACY, Expected, Latency
from tests.truth.incident_views import incident_views
from tests.truth.outages import Case, cases
from tests.truth.records import History, Row
from tests.truth.status_views import status_views
from tests.truth.uptime import TargetDay, target_days
from tests.truth.uptime_views import uptime_views

MOST: Final = 3
"""Differences told of one column of a view, or of one sort otherwise."""

_REL: Final = 1e-6
_ABS: Final = 1e-6


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is true at `history.now`; `views`: by name what each must say."""

    history: History
    cases: list[Case]
    days: list[TargetDay]
    views: dict[str, Expected]


def truth_at(history: History, now: int) -> Truth:
    """The truth at a moment (UTC ms), not before the history's own."""
    at = replace(history, now=now)
    known = cases(at)
    days = target_days(at, known)
    views = uptime_views(at, known, days) | incident_views(at, known) | check_views(at)
    views |= status_views(at, known) | cost_views(at, known, days)
    return Truth(history=at, cases=known, days=days, views=views)


def differences(name: str, found: list[Row], before: Expected, after: Expected) -> list[str]:
    """One line a difference, `MOST` of a column and the number of the others; empty: all agrees.

    A number must lie between those of the two truths, and what both have must be there once.
    """
    told: dict[str, list[str]] = {}

    def tell(sort: str, one: tuple[Any, ...], text: str) -> None:
        told.setdefault(sort, []).append(f"{name} {', '.join(map(str, one))}: {text}")

    columns = set(found[0]) if found else set(before.key)
    for column in before.key:
        if column not in columns:
            return [f"{name}: no column {column}"]
    rows: dict[tuple[Any, ...], Row] = {}
    for row in found:
        one = tuple(row[column] for column in before.key)
        if one in rows:
            tell("twice", one, "stands there twice")
        rows[one] = row
    for one in sorted(before.rows.keys() | after.rows.keys(), key=str):
        first, last = before.rows.get(one), after.rows.get(one)
        if one in rows:
            _compare_row(one, rows[one], first or last or {}, last or first or {}, tell)
        elif first is not None and last is not None:
            tell("missing", one, "is missing")
    for one in sorted(rows.keys() - before.rows.keys() - after.rows.keys(), key=str):
        tell("strange", one, "must not be there")
    return [line for sort in sorted(told) for line in _first(name, sort, told[sort])]


def _first(name: str, sort: str, lines: list[str]) -> list[str]:
    more = len(lines) - MOST
    return lines[:MOST] + ([f"{name}: {sort}: and {more} more"] if more > 0 else [])


def _compare_row(
    one: tuple[Any, ...], row: Row, first: Row, last: Row, tell: Callable[..., None]
) -> None:
    for column, low in first.items():
        high = last[column]
        if column not in row:
            tell(column, one, f"no column {column}")
        elif not _agrees(row[column], low, high):
            must = _text(low) + (f" to {_text(high)}" if high != low else "")
            tell(column, one, f"{column} is {row[column]!r}, must be {must}")


def part_differences(name: str, found: Any, before: Any, after: Any) -> list[str]:
    """The same for values within dictionaries and lists, as a report has them."""
    if isinstance(before, dict) and isinstance(found, dict):
        lines = []
        if name.rpartition(" ")[2].startswith("tables."):
            strange = found.keys() - before.keys() - after.keys()
            lines += [f"{name} {key}: must not be there" for key in sorted(strange, key=str)]
        for key in sorted(before.keys() | after.keys(), key=str):
            first, last = before.get(key, after.get(key)), after.get(key, before.get(key))
            if key in found:
                lines += part_differences(f"{name} {key}", found[key], first, last)
            elif key in before and key in after and first not in (None, {}):
                lines.append(f"{name} {key}: is missing")
        return (
            lines
            if len(lines) <= MOST
            else [*lines[:MOST], f"{name}: and {len(lines) - MOST} more"]
        )
    if isinstance(before, list) and isinstance(found, list):
        if len(found) != len(before):
            return [f"{name}: is {found!r}, must have {len(before)} values"]
        parts = zip(found, before, after, strict=True)
        return [
            line
            for place, (one, first, last) in enumerate(parts)
            for line in part_differences(f"{name} [{place}]", one, first, last)
        ]
    if _agrees(found, before, after):
        return []
    return [
        f"{name}: is {found!r}, must be {before!r}" + (f" to {after!r}" if after != before else "")
    ]


def _agrees(found: Any, low: Any, high: Any) -> bool:
    if isinstance(low, Latency) and isinstance(high, Latency):
        return found is not None and any(
            math.isclose(found, one.value, rel_tol=PERCENTILE_ACCURACY + _REL, abs_tol=_ABS)
            for one in (low, high)
        )
    if found in (low, high):
        return True
    numbers = [one for one in (found, low, high) if isinstance(one, int | float)]
    if len(numbers) < 3:
        return False
    bottom, top = min(low, high), max(low, high)
    slack = _ABS + _REL * max(abs(bottom), abs(top))
    return bool(bottom - slack <= found <= top + slack)


def _text(value: Any) -> str:
    return repr(value.value) if isinstance(value, Latency) else repr(value)
