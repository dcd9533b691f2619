"""The reasons together: their order, their texts, and when each is looked at next."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.incident import Event
from schemas.policy import Hours, Maintenance, Quiet, Route, Silence
from sinks.notifier.model import ChannelEvent, MassEvent, TargetFacts
from sinks.notifier.routing import Routes
from sinks.notifier.sparing.model import (
    Outage,
    Spared,
    kind_of,
    latest,
    outage_of,
    same_reason,
    shortened,
)
from sinks.notifier.sparing.quiet_hours import quiet
from sinks.notifier.sparing.reasons import Reasons
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event

MINUTE = 60_000
HOUR = 60 * MINUTE


def silence(**fields: Any) -> Silence:
    values: dict[str, Any] = {
        "name": "7f3a",
        "begins_at": AT - HOUR,
        "ends_at": AT + HOUR,
        "reason": "known",
        "by": "ann",
        "created_at": AT,
    }
    return Silence(**(values | fields))


def window(**fields: Any) -> Maintenance:
    values: dict[str, Any] = {
        "name": "w",
        "targets": ("prod-db",),
        "start": AT - HOUR,
        "duration_ms": 2 * HOUR,
    }
    return Maintenance(**(values | fields))


def reasons(*policy: Maintenance | Silence, **facts: TargetFacts) -> Reasons:
    found = Reasons(facts.get)
    found.set_policy(Routes(), Routes.of(policy))
    return found


def down(found: Reasons) -> None:
    """The gateway on which prod-db depends is down."""
    gateway = incident_event(target="gw", name="Gateway", host="2001:db8::1", port=443)
    found.dependencies.note("incident/gw", gateway, "down", AT)


OUTAGE = outage_of(incident_event(depends_on=("gw",)), None)


def test_a_silence_comes_before_a_window_and_a_window_before_a_dependency() -> None:
    for policy, kind in (
        ((silence(), window()), "silence"),
        ((window(),), "maintenance"),
        ((), "dependency"),
    ):
        found = reasons(*policy)
        down(found)
        spared = found.of(OUTAGE, AT)
        assert spared is not None
        assert spared.kind == kind_of(spared.why) == kind


def test_the_texts_that_a_row_has() -> None:
    found = reasons(window(timezone="America/New_York"))
    down(found)
    spared = found.of(OUTAGE, AT)
    assert spared is not None
    assert spared.why == "maintenance: w until 2026-11-30 22:00 America/New_York"
    spared = found.dependencies.spared(OUTAGE, AT)
    assert spared == Spared("dependency", "dependency: Gateway ([2001:db8::1]:443) is down")
    spared = reasons(silence()).of(OUTAGE, AT)
    assert spared is not None
    assert spared.why == "silence 7f3a by ann: known (until 2026-12-01 03:00 UTC)"


def test_nothing_spares_without_a_reason() -> None:
    assert reasons().of(OUTAGE, AT) is None
    assert reasons(silence(targets=("x",)), window(targets=("x",))).of(OUTAGE, AT) is None


@pytest.mark.parametrize("policy", [(silence(),), (window(),)])
def test_after_the_end_what_began_before_it_is_spared_for_the_settle_time(
    policy: tuple[Any, ...],
) -> None:
    found = reasons(*policy)
    end = AT + HOUR
    for at, spared in (
        (AT - HOUR - 1, False),
        (AT - HOUR, True),
        (end - 1, True),
        (end, True),
        (end + OUTAGE.settle_ms - 1, True),
        (end + OUTAGE.settle_ms, False),
    ):
        assert (found.of(OUTAGE, at) is not None) is spared, at
    later = outage_of(incident_event(first_failed_at=end), None)
    assert found.of(later, end) is None
    again = outage_of(incident_event(episode=2, episode_began_at=end), None)
    assert found.of(again, end) is None


def test_of_several_the_one_that_ends_last() -> None:
    found = reasons(silence(), silence(name="8", ends_at=AT + 3 * HOUR), silence(name="9"))
    spared = found.of(OUTAGE, AT)
    assert spared is not None
    assert spared.why.startswith("silence 8 by")
    found = reasons(window(), window(name="v"), window(name="x", duration_ms=90 * MINUTE))
    spared = found.of(OUTAGE, AT)
    assert spared is not None
    assert spared.why.startswith("maintenance: v until")


def test_what_is_known_of_a_target_is_newer_than_its_event() -> None:
    facts = TargetFacts("prod-db", "DB", "db:1", ("new",), ("switch",), 1_000, 2_000)
    outage = outage_of(incident_event(tags=("old",), depends_on=("gw",)), facts)
    assert (outage.tags, outage.depends_on, outage.settle_ms) == (("new",), ("switch",), 1_000)
    assert reasons(window(targets=("tag:new",))).of(outage, AT) is not None
    assert reasons(window(targets=("tag:old",))).of(outage, AT) is None


@pytest.mark.parametrize(
    "event",
    [
        targets_event(),
        ChannelEvent(
            event_id="c", event="channel.broken", channel="x", since=AT, at=AT, error="", waiting=1
        ),
        MassEvent(event_id="m", event="mass.down", down=5, total=10, since=AT, at=AT),
    ],
)
def test_what_is_about_no_target_is_spared_by_silences_alone(
    event: Event | ChannelEvent | MassEvent,
) -> None:
    outage = outage_of(event, None)
    assert reasons(window(targets=("*", "prod-db", ""))).of(outage, AT) is None
    assert reasons(silence(targets=("*",))).of(outage, AT) is None
    assert reasons(silence()).of(outage, AT) is not None


NIGHT = Quiet(hours=(Hours(begin="22:00", end="07:00"),), unless=("critical",))


def test_quiet_hours() -> None:
    """02:00 UTC is 03:00 in Berlin."""
    route = Route(name="r", quiet=NIGHT, timezone="Europe/Berlin")
    spared = quiet(route, "warning", AT)
    assert spared == Spared("quiet", "quiet hours until 07:00 Europe/Berlin", AT + 4 * HOUR)
    assert quiet(route, "critical", AT) is None
    assert quiet(route, "warning", AT + 4 * HOUR) is None
    assert quiet(Route(name="r"), "warning", AT) is None
    assert quiet(None, "warning", AT) is None
    always = Route(name="r", quiet=Quiet(hours=(Hours(),)))
    assert quiet(always, "info", AT) == Spared("quiet", "quiet hours at all times")


def test_a_zone_that_nobody_knows_is_utc() -> None:
    route = Route(name="r", quiet=NIGHT, timezone="Mars/Olympus")
    spared = quiet(route, "info", AT)
    assert spared is not None
    assert spared.why == "quiet hours until 07:00 UTC"


def test_a_reason_is_known_by_its_beginning() -> None:
    for why, kind in (
        ("silence 7 by x: y", "silence"),
        ("maintenance: silence ", "maintenance"),
        ("dependency: quiet hours is down", "dependency"),
        ("quiet hours at all times", "quiet"),
        ("flapping: x", "flapping"),
        ("", None),
        ("missed: drop", None),
    ):
        assert kind_of(why) == kind == kind_of(shortened(why))
        if kind:
            assert same_reason(shortened(why), why)
    assert not same_reason("", "silence ")
    assert not same_reason("silence 7 by x: y", "silence 7 by z: y")


def test_what_has_no_end_lasts_longest() -> None:
    one, other = Spared("quiet", "a", 5), Spared("quiet", "b")
    assert latest([one, other]) == latest([other, one]) == other
    assert latest([]) is None


spans = st.tuples(st.integers(-200, 200), st.integers(1, 200))


@given(
    st.lists(spans, max_size=5),
    st.lists(spans, max_size=5),
    st.integers(-400, 400),
    st.integers(-400, 400),
    st.integers(1, 60),
)
def test_each_reason_is_looked_at_again_later_and_is_over_then_or_another(
    windows: list[tuple[int, int]],
    silences: list[tuple[int, int]],
    began: int,
    at: int,
    settle: int,
) -> None:
    """Minutes around AT. A timer in the past would never come to rest."""
    found = reasons(
        *(
            window(name=f"w{n}", start=AT + begin * MINUTE, duration_ms=length * MINUTE)
            for n, (begin, length) in enumerate(windows)
        ),
        *(
            silence(
                name=f"s{n}",
                begins_at=AT + begin * MINUTE,
                ends_at=AT + (begin + length) * MINUTE,
            )
            for n, (begin, length) in enumerate(silences)
        ),
    )
    outage = Outage(
        event=incident_event(),
        began=AT + min(began, at) * MINUTE,
        severity="critical",
        target="prod-db",
        settle_ms=settle * MINUTE,
    )
    now = AT + at * MINUTE
    spared = found.of(outage, now)
    on = [
        begin + length
        for begin, length in (*windows, *silences)
        if begin <= at < begin + length
        or (begin <= at < begin + length + settle and min(began, at) < begin + length)
    ]
    assert (spared is not None) == bool(on)
    rounds = 0
    while spared is not None:
        assert spared.until is not None
        assert spared.until > now
        now = spared.until
        spared = found.of(outage, now)
        rounds += 1
    assert rounds <= len(windows) + len(silences)
