"""2,800 targets of ten people: few messages, the first at once, and each target in one of them.

A report of a user of another monitor: four gateways failed, and 28,000 messages came.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from schemas.incident import IncidentEvent
from schemas.policy import Route
from sinks.notifier.model import Channel
from tests.unit.sinks.notifier.decision.crowd import (
    INTERVAL_MS,
    arrive,
    closed,
    most_within,
    named,
    opened,
    sent_rows,
    times,
)
from tests.unit.sinks.notifier.decision.office import MINUTE, SECOND, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT

TARGETS = 2_800
PEOPLE = tuple(f"json://person{number}" for number in range(10))
HOUR_MS = 60 * MINUTE


def events(spread_ms: int, begin: int, *, end: bool) -> Iterator[tuple[int, IncidentEvent]]:
    """The events of all targets, evenly over so much time; all depend on one of four gateways."""
    for number in range(TARGETS):
        at = begin + spread_ms * number // TARGETS
        depends_on = (f"gateway{number % 4}",)
        make = closed if end else opened
        yield at, make(number, at, depends_on=depends_on)


def check(there: Office, begin: int, action: str, *, mass: int) -> None:
    expected = Counter({f"incident/i{number}": 1 for number in range(TARGETS)})
    for url in PEOPLE:
        found = [at for at in times(there, url) if at * SECOND >= begin - AT]
        assert most_within(found) <= 5
        assert len(found) <= 6
        assert found[0] * SECOND <= begin - AT + WAIT_MS
        if not mass:
            gap = found[1] - found[0]
            assert gap * SECOND <= INTERVAL_MS + SECOND
        assert (
            Counter(
                {k: n for k, n in named(there, url, action).items() if k.startswith("incident/")}
            )
            == expected
        )
    rows = sent_rows(there)
    prefix = "o" if action == "opened" else "c"
    assert {rows[f"{prefix}{n}", _channel(url)] for n in range(TARGETS) for url in PEOPLE} == {1}


def _channel(url: str) -> str:
    return Channel("all", url).name


@pytest.mark.parametrize(("spread_ms", "operators"), [(0, True), (5 * MINUTE, False)])
def test_an_outage_of_2800_targets_and_its_end(spread_ms: int, *, operators: bool) -> None:
    there = Office(
        Route(name="all", urls=PEOPLE, default=True, operators=operators),
        *([] if operators else [Route(name="ops", urls=("json://ops",), operators=True)]),
        group_interval_ms=INTERVAL_MS,
        mass_share=0.2,
        targets=TARGETS,
    )
    arrive(there, events(spread_ms, AT, end=False))
    there.wait(20 * MINUTE)
    check(there, AT, "opened", mass=operators)
    begin = there.now
    arrive(there, events(spread_ms, begin, end=True))
    there.wait(20 * MINUTE)
    check(there, begin, "closed", mass=operators)
    mass = [one for one in there.sent if any("mass/" in news.entry for news in one.news)]
    mass_url = PEOPLE[0] if operators else "json://ops"
    told = [one.action for one in mass if one.channel.url == mass_url]
    # Over five minutes, 560 of 2,800 fail in any minute: that is not more than a fifth.
    assert told == ([] if spread_ms else ["opened", "closed"])
    there.wait(HOUR_MS)
    assert not there.paces
