"""Judges the fire drills. Pure."""

from portquorum.health.facts import HealthFacts
from portquorum.health.judge_services import age
from portquorum.health.verdict import HealthLine
from schemas.duration import COARSE, duration_text


def drill_line(facts: HealthFacts) -> HealthLine | None:
    """The line on drills; None if none is planned and none was ever made, or it is not visible."""
    policy, now = facts.policy, facts.log.now
    if policy is None or (policy.drill_every_ms is None and policy.drill_at is None):
        return None
    every = policy.drill_every_ms
    planned = "" if every is None else f", one every {duration_text(every, COARSE)} is planned"
    if policy.drill_at is None:
        return HealthLine("drill", "warning", f"there was none yet{planned}: portquorum drill")
    ago = f"{age(now, policy.drill_at)} ago"
    if policy.drill_overdue is not None:
        text = f"in the last one, {ago}, {policy.drill_overdue} did not come in time"
        return HealthLine("drill", "warning", text)
    if every is not None and now - policy.drill_at > every:
        return HealthLine("drill", "warning", f"overdue: the last one was {ago}{planned}")
    return HealthLine("drill", "ok", f"all stages came in time {ago}")
