"""From facts to the report: every line, and the summary that comes first. Pure."""

from typing import Final

from portquorum.health.facts import HealthFacts
from portquorum.health.judge_drill import drill_line
from portquorum.health.judge_roles import nobody_runs, region_lines, role_lines
from portquorum.health.judge_services import (
    age,
    clickhouse_line,
    clock_line,
    dead_letters_line,
    inventory_line,
    kafka_line,
    never_ran,
    newest_result_line,
    plural,
)
from portquorum.health.judge_versions import versions_line
from portquorum.health.verdict import HealthLine, HealthReport, worst
from schemas.result import RECEIVER

_TOLD: Final = 2
"""Lines that the summary repeats; it stays one line."""


def judge(facts: HealthFacts, took_ms: int) -> HealthReport:
    """The report. It has a line for each part, also for those that can't be seen."""
    found = [kafka_line(facts.kafka, facts.topic_prefix), clickhouse_line(facts.clickhouse)]
    clock = clock_line(facts.log)
    if clock is not None:
        found.append(clock)
    if not never_ran(facts.kafka):
        found += [*region_lines(facts), *role_lines(facts)]
        versions = versions_line(facts)
        if versions is not None:
            found.append(versions)
    found += [newest_result_line(facts), dead_letters_line(facts), inventory_line(facts)]
    drill = drill_line(facts)
    if drill is not None:
        found.append(drill)
    lines = tuple(found)
    return HealthReport(
        level=worst(lines),
        summary=_summary(facts, lines),
        at=facts.log.now,
        took_ms=took_ms,
        lines=lines,
        facts=facts,
    )


def _summary(facts: HealthFacts, lines: tuple[HealthLine, ...]) -> str:
    level = worst(lines)
    if level == "ok":
        return _well(facts)
    if nobody_runs(facts) and not never_ran(facts.kafka):
        away = "" if facts.clickhouse.reachable else f"; {facts.clickhouse.error}"
        return (
            "no role runs: nobody is in a consumer group and no prober beats; "
            f"start them (portquorum up, or each role){away}"
        )
    wrong = [line for line in lines if line.level == level]
    told = "; ".join(_said(line) for line in wrong[:_TOLD])
    more = len(wrong) - _TOLD
    return f"{told}; and {more} more" if more > 0 else told


def _said(line: HealthLine) -> str:
    """A line out of its place; the two services' errors name them already."""
    if line.part in {"kafka", "clickhouse"} and "can't be reached" in line.text:
        return line.text
    return f"{line.title}: {line.text}"


def _well(facts: HealthFacts) -> str:
    told = ["all well"]
    heard = sum(bool(one.probers) and one.region != RECEIVER for one in facts.regions)
    if heard:
        told.append(plural(heard, "region"))
    if facts.clickhouse.targets is not None:
        told.append(plural(facts.clickhouse.targets, "target"))
    newest = facts.clickhouse.newest_result
    if newest is not None:
        told.append(f"newest result {age(facts.log.now, newest)} old")
    hidden = any(line for line in (facts.log.hidden, *(g.hidden for g in facts.groups)) if line)
    return ", ".join(told) + ("; some of it is not visible" if hidden else "")
