"""Judges the channels of the notifier. Pure."""

from typing import Final

from portquorum.health.facts import FailingChannel, HealthFacts
from portquorum.health.judge_services import age, plural, some
from portquorum.health.verdict import HealthLine

FAILS_MS: Final = 120_000
"""Age of news from which on a channel that fails is trouble; then the fallback is told, too."""


def channels_line(facts: HealthFacts) -> HealthLine | None:
    """The line on those who should be told; None if no notifier of this version was ever active."""
    found, now = facts.notifier, facts.log.now
    if found is None:
        return None
    if found.hidden:
        return HealthLine("channels", "unknown", f"not visible: needs {found.hidden}")
    if found.term is None:
        return None
    notes = []
    if found.failing:
        notes.append(some(tuple(_failing(one, now) for one in found.failing)))
    if found.given_up:
        messages = plural(found.given_up, "message")
        notes.append(f"{messages} given up in the last hour (portquorum notify channels)")
    if found.unreadable:
        notes.append(f"{plural(found.unreadable, 'record')} of [notifier-state] can't be read")
    if not notes:
        waits = f", {plural(found.waiting, 'message')} on the way" if found.waiting else ""
        return HealthLine("channels", "ok", f"none fails, {found.open:,} open{waits}")
    late = any(now - one.since > FAILS_MS for one in found.failing)
    return HealthLine("channels", "trouble" if late else "warning", "; ".join(notes))


def _failing(one: FailingChannel, now: int) -> str:
    error = f" ({one.error})" if one.error else ""
    waits = f"{plural(one.waiting, 'message')} wait{'s' if one.waiting == 1 else ''}"
    return f"{one.short_name} fails for {age(now, one.since)}, {waits}{error}"
