"""Compares what a view says with what the truth says, before and after it was asked."""

import math
from datetime import datetime
from typing import Any, Final

from tests.truth.check_views import check_views
from tests.truth.expected import PERCENTILE_ACCURACY, Expected, Latency
from tests.truth.incident_views import incident_views
from tests.truth.outages import cases
from tests.truth.records import History, Row
from tests.truth.uptime import target_days
from tests.truth.uptime_views import uptime_views

MOST: Final = 8
"""Differences told of one view."""

_REL: Final = 1e-6
_ABS: Final = 1e-6


def truth(history: History, now: int) -> dict[str, Expected]:
    """What every view must say at a moment (UTC ms), not before the history's own."""
    at = History(
        now=now,
        targets=history.targets,
        maintenance=history.maintenance,
        incidents=history.incidents,
        results=history.results,
    )
    known = cases(at)
    return (
        uptime_views(at, known, target_days(at, known))
        | incident_views(at, known)
        | check_views(at)
    )


def differences(name: str, found: list[Row], before: Expected, after: Expected) -> list[str]:
    """One line a difference, at most `MOST` and the number of the others; empty if all agrees.

    A number must lie between those of the two truths, and what both have must be there once.
    """
    key = before.key
    if found and not set(key) <= set(found[0]):
        return [f"{name}: no column {', '.join(sorted(set(key) - set(found[0])))}"]
    told: list[str] = []
    rows: dict[tuple[Any, ...], Row] = {}
    for row in found:
        one = tuple(row[column] for column in key)
        if one in rows:
            told.append(f"{name} {_shown(one)}: stands there twice")
        rows[one] = row
    missing_columns: set[str] = set()
    for one in sorted(before.rows.keys() | after.rows.keys(), key=str):
        first, last = before.rows.get(one), after.rows.get(one)
        if one not in rows:
            if first is not None and last is not None:
                told.append(f"{name} {_shown(one)}: is missing")
            continue
        for column in first or last or {}:
            low = (first or last or {})[column]
            high = (last or first or {})[column]
            if column not in rows[one]:
                missing_columns.add(column)
            elif not _agrees(rows[one][column], low, high):
                told.append(
                    f"{name} {_shown(one)}: {column} is {rows[one][column]!r}, must be {_text(low)}"
                    + (f" to {_text(high)}" if high != low else "")
                )
    told += [
        f"{name} {_shown(one)}: must not be there"
        for one in sorted(rows.keys() - before.rows.keys() - after.rows.keys(), key=str)
    ]
    lines = [f"{name}: no column {column}" for column in sorted(missing_columns)]
    lines += told[:MOST]
    return lines + ([f"{name}: and {len(told) - MOST} more"] if len(told) > MOST else [])


def _agrees(found: Any, low: Any, high: Any) -> bool:
    if isinstance(low, Latency) and isinstance(high, Latency):
        return found is not None and any(
            math.isclose(found, one.value, rel_tol=PERCENTILE_ACCURACY + _REL, abs_tol=_ABS)
            for one in (low, high)
        )
    if isinstance(found, datetime) and found.tzinfo is not None:
        found = found.replace(tzinfo=None)
    if found in (low, high):
        return True
    numbers = [one for one in (found, low, high) if isinstance(one, int | float)]
    if len(numbers) < 3:
        return False
    bottom, top = min(low, high), max(low, high)
    slack = _ABS + _REL * max(abs(bottom), abs(top))
    return bool(bottom - slack <= found <= top + slack)


def _shown(key: tuple[Any, ...]) -> str:
    return ", ".join(str(part) for part in key)


def _text(value: Any) -> str:
    return repr(value.value) if isinstance(value, Latency) else repr(value)
