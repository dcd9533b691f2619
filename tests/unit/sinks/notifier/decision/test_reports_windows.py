"""Public reports of other monitors: maintenance windows, quiet hours, and hours of routes.

Each test names the report, what was complained of, and what ours does.
"""

import pytest

from schemas.policy import Hours, Maintenance, Policy, Quiet, Route
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, SECOND
from tests.unit.sinks.notifier.decision.reported import (
    CHAT,
    PAGER,
    SETTLE,
    WAIT_MS,
    Reported,
    moment,
)
from tests.unit.sinks.notifier.events import AT

BERLIN = "Europe/Berlin"
TEAM = Route(name="team", urls=(CHAT, PAGER), default=True)


def window(name: str, start: str, hours: float, *targets: str, zone: str = BERLIN) -> Maintenance:
    """A window of each day, from this local time on."""
    return Maintenance(
        name=name,
        targets=targets,
        start=moment(start, zone),
        duration_ms=round(hours * HOUR),
        rrule="FREQ=DAILY",
        timezone=zone,
    )


def quiet(begin: str, end: str, zone: str) -> Route:
    hours = (Hours(begin=begin, end=end),)
    return Route(name="team", urls=(CHAT,), default=True, quiet=Quiet(hours=hours), timezone=zone)


@pytest.mark.parametrize("day", ["2026-07-15", "2026-12-15"])
@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/Berlin", "Australia/Sydney", "Asia/Dubai"]
)
@pytest.mark.parametrize("by", ["maintenance", "quiet"])
def test_a_job_at_one_in_the_morning_of_each_region(by: str, zone: str, day: str) -> None:
    """https://github.com/prometheus/alertmanager/issues/2771
    https://github.com/louislam/uptime-kuma/issues/6233
    https://github.com/TwiN/gatus/issues/327

    The same service in four regions has a job at 01:00 local time. Times that mute are in UTC: four
    configurations, wrong for half of the year (uptime-kuma: one hour later in summer). Ours are on
    the wall clock of a zone, in summer and in winter.
    """
    policy: tuple[Policy, ...] = (quiet("01:00", "02:00", zone),)
    if by == "maintenance":
        policy = (TEAM, window("job", "2026-07-01T01:00", 1, "t0", zone=zone))
    there = Reported(*policy, at=moment(f"{day}T00:50", zone))
    there.facts["t0"] = there.fact("t0")
    there.fails("t0")
    there.wait(MINUTE)
    there.recovers("t0")
    there.wait(MINUTE)
    assert there.told_of() == ["opened t0", "closed t0"]
    there.until(moment(f"{day}T01:02", zone))
    there.fails("t0")
    there.until(moment(f"{day}T01:59", zone))
    assert there.messages() == 2
    there.until(moment(f"{day}T02:00", zone) + SETTLE + WAIT_MS)
    assert there.told_of()[2:] == ["opened t0"]


def test_an_evening_window_that_ends_next_morning() -> None:
    """https://github.com/TwiN/gatus/issues/1815

    `start: "19:40", duration: 11h, timezone: Europe/Berlin`, and the alert of 21:15 is sent. Ours
    is held, before and after midnight, each night; what fails at 18:45 is told.
    """
    there = Reported(TEAM, window("daytime only", "2026-09-01T19:40", 11, "t0"))
    for day in (22, 23, 24):
        there.now = max(there.now, moment(f"2026-12-{day}T21:15", BERLIN))
        there.turn()
        there.fails("t0")
        there.until(moment(f"2026-12-{day + 1}T06:00", BERLIN))
        there.recovers("t0")
    assert there.sent == []
    there.until(moment("2026-12-25T18:45", BERLIN))
    there.fails("t0")
    there.wait(WAIT_MS)
    assert there.told_of() == ["opened t0"]


def test_routers_and_disks_that_go_off_in_their_window() -> None:
    """https://github.com/louislam/uptime-kuma/issues/5825
    https://github.com/louislam/uptime-kuma/issues/5080

    The page shows that maintenance is on, and mails of "down" and "up" come all the same. Ours
    sends nothing, and a row of each event says why.
    """
    names = [f"t{number}" for number in range(12)]
    there = Reported(TEAM, window("updates", "2026-11-01T02:30", 2, *names))
    there.fails(*names)
    there.wait(20 * MINUTE)
    there.recovers(*names)
    there.wait(2 * DAY)
    assert there.sent == []
    why = "maintenance: updates until 2026-12-01 04:30 Europe/Berlin"
    assert there.whys("opened", CHAT) == there.whys("closed", CHAT) == [why] * 12


def test_a_window_is_for_the_monitors_that_it_names() -> None:
    """https://github.com/louislam/uptime-kuma/issues/1908
    https://github.com/TwiN/gatus/issues/312

    There is one window for everything, or none: services with windows of their own have to be
    paused by hand, or hide what else fails at night. Ours names ids and tags.
    """
    there = Reported(
        TEAM,
        window("backup", "2026-11-01T02:30", 1, "t0"),
        window("restart", "2026-11-01T03:30", 1, "tag:java"),
    )
    there.facts |= {"t1": there.fact("t1", tags=("java",)), "t2": there.fact("t2")}
    there.fails("t0", "t1", "t2")
    there.wait(10 * MINUTE)
    assert sorted(there.told_of()) == ["opened t1", "opened t2"]
    there.recovers("t0", "t1", "t2")
    there.until(moment("2026-12-01T03:40", BERLIN))
    there.fails("t0", "t1", "t2")
    there.wait(10 * MINUTE)
    assert sorted(there.told_of()[4:]) == ["opened t0", "opened t2"]


def test_down_before_and_after_a_window_is_not_told_again() -> None:
    """https://github.com/louislam/uptime-kuma/issues/7148
    https://github.com/louislam/uptime-kuma/issues/2846

    After the window of each night whatever was down before it is told as down again. Ours has told
    it.
    """
    there = Reported(TEAM, window("reboot", "2026-11-01T04:00", 0.5, "t0"))
    there.fails("t0")
    there.wait(5 * DAY)
    assert there.told_of() == ["opened t0"]
    assert there.told(PAGER) == ["trigger"]


def test_down_before_and_up_within_a_window_is_told() -> None:
    """https://github.com/louislam/uptime-kuma/issues/4004
    https://github.com/grafana/grafana/issues/87007

    It was told as down, comes back during maintenance (a mute timing), and "up" is never sent: an
    alert stays open in Opsgenie. Ours tells the end to whoever knows of the beginning.
    """
    there = Reported(TEAM, window("reboot", "2026-11-01T04:00", 0.5, "t0"))
    there.fails("t0")
    there.until(moment("2026-12-01T04:10", BERLIN))
    there.recovers("t0")
    there.wait(MINUTE)
    assert there.told_of() == ["opened t0", "closed t0"]
    assert there.told(PAGER) == ["trigger", "resolve"]


def test_what_is_down_when_the_quiet_is_over_is_told_then() -> None:
    """https://github.com/prometheus/alertmanager/issues/3367
    https://github.com/grafana/grafana/issues/50266

    What still fails after the hours that mute is told at the next repetition, up to four hours
    later, or never. Ours is told when they end.
    """
    there = Reported(quiet("02:00", "04:00", "UTC"))
    there.fails("t0", "t1")
    there.wait(HOUR)
    there.recovers("t1")
    there.until(AT + 2 * HOUR - SECOND)
    assert there.sent == []
    there.wait(SECOND + WAIT_MS)
    assert sorted(there.told_of()) == ["missed t1", "opened t0"]


def test_nobody_hears_of_the_backup_of_the_night() -> None:
    """https://github.com/louislam/uptime-kuma/issues/1337
    https://github.com/louislam/uptime-kuma/issues/1140

    Services go down for the backup of each night, and people want to hear of them in working hours
    alone. Ours: `quiet` with `missed: drop`; one that did not come back is told at the beginning of
    the day.
    """
    working = (Hours(days=("mon", "tue", "wed", "thu", "fri"), begin="18:00", end="08:00"),)
    there = Reported(
        Route(
            name="office",
            urls=(CHAT,),
            default=True,
            quiet=Quiet(hours=working),
            timezone=BERLIN,
            missed="drop",
        )
    )
    for night in (1, 2):
        there.until(moment(f"2026-12-0{night}T03:00", BERLIN))
        there.fails("t0", "t1")
        there.wait(10 * MINUTE)
        there.recovers("t0")
        if night == 1:
            there.recovers("t1")
        there.until(moment(f"2026-12-0{night}T07:59", BERLIN))
        assert there.sent == []
    there.wait(2 * MINUTE)
    assert there.told_of() == ["opened t1"]


def test_the_shift_ends_while_it_is_down() -> None:
    """https://github.com/prometheus/alertmanager/issues/876

    Chat by day and pager at night was asked for, and feared: is everything that is open told again
    to the shift that begins, and resolved for the one that ends? Ours does neither; who was told of
    the beginning is told of the end, and what nobody confirmed goes to who is on then.
    """
    day = Hours(begin="06:00", end="18:00")
    night = Hours(begin="18:00", end="06:00")
    there = Reported(
        Route(name="day", urls=(CHAT,), when=(day,), default=True),
        Route(name="night", urls=(PAGER,), when=(night,), default=True),
        at=AT + 15 * HOUR,
    )
    there.fails(*(f"t{number}" for number in range(5)))
    there.wait(30 * MINUTE)
    there.answers[CHAT] = "unreachable"
    there.fails("t9")
    there.wait(HOUR)
    assert there.told(PAGER) == ["trigger"]
    assert there.told_of(PAGER) == ["trigger t9"]
    there.answers.clear()
    there.wait(10 * MINUTE)
    there.recovers(*(f"t{number}" for number in range(5)))
    there.wait(MINUTE)
    assert sorted(one for one in there.told_of() if "closed" in one) == [
        f"closed t{number}" for number in range(5)
    ]
    assert there.told(PAGER) == ["trigger"]
