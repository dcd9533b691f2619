"""Public reports of other monitors: what can't be reached because something else is down.

Each test names the report, what was complained of, and what ours does.
"""

import pytest

from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, SECOND
from tests.unit.sinks.notifier.decision.reported import CHAT, PAGER, SETTLE, WAIT_MS, Reported

TEAM = Route(name="team", urls=(CHAT, PAGER), default=True)
DOWN = "dependency: gw (gw.example.com:5432) is down"


def site(behind: int) -> Reported:
    return Reported(TEAM, behind=behind, interval_ms=30 * SECOND)


@pytest.mark.parametrize("behind", [14, 400])
@pytest.mark.parametrize("first", ["the gateway", "the others"])
def test_a_router_that_everything_is_behind(behind: int, first: str) -> None:
    """https://github.com/louislam/uptime-kuma/issues/4956
    https://github.com/TwiN/gatus/issues/1708

    A router goes off, and whatever is behind it is one message each: thousands, for services that
    are well. A dependency was asked for, with which the checks go on. Ours is one message, whoever
    fails first, one of its end, and a service that fails by itself is told as ever.
    """
    there = site(behind)
    names = [f"t{number}" for number in range(behind)]
    order = (("gw",), names) if first == "the gateway" else (names, ("gw",))
    for some in order:
        there.fails(*some)
        there.wait(4 * SECOND)
    there.wait(HOUR)
    there.recovers("gw")
    there.recovers(*names)
    there.wait(HOUR)
    assert there.told_of() == ["opened gw", "closed gw"]
    assert there.told_of(PAGER) == ["trigger gw", "resolve gw"]
    assert there.whys("opened", CHAT) == [DOWN] * behind
    there.fails("t3")
    there.wait(6 * SECOND + WAIT_MS)
    assert there.told_of()[2:] == ["opened t3"]


def test_a_race_between_cause_and_effect() -> None:
    """https://github.com/prometheus/alertmanager/issues/2229
    https://github.com/prometheus/alertmanager/issues/4064

    An alert that should be inhibited is sent because it came before the one that inhibits it, or
    after a restart, for what fails for long is sent at once then. Ours waits for the answer of the
    dependency, and whom it spares is recorded.
    """
    there = site(3)
    there.fails("t0", "t1", "t2")
    there.wait(5 * SECOND)
    there.restart()
    there.fails("gw")
    for _ in range(3):
        there.wait(10 * MINUTE)
        there.restart()
    assert there.told_of() == ["opened gw"]


def test_it_is_told_when_its_cause_is_gone_and_it_is_not_back() -> None:
    """https://github.com/prometheus/alertmanager/issues/1153
    https://github.com/prometheus/alertmanager/issues/2496

    The alert that inhibited is over, and what it inhibited is still shown as inhibited and not
    sent, until a restart or a whole `group_interval` later. Ours is told one check later, and says
    what held it.
    """
    there = site(2)
    there.fails("gw", "t0", "t1")
    there.wait(HOUR)
    there.recovers("gw")
    back = there.now
    there.wait(10 * SECOND)
    there.recovers("t0")
    there.wait(HOUR)
    assert there.told_of() == ["opened gw", "closed gw", "opened t1"]
    assert there.sent[-1].at <= back + SETTLE + WAIT_MS
    assert there.sent[-1].news[0].held == DOWN


def test_an_end_is_told_although_its_cause_is_down() -> None:
    """https://github.com/prometheus/alertmanager/issues/2754

    Alert 1 is in PagerDuty when alert 2 comes, which inhibits it; it ends while inhibited, and
    stays open in PagerDuty for ever. Ours resolves whatever was opened.
    """
    there = site(1)
    there.fails("t0")
    there.wait(MINUTE)
    there.fails("gw")
    there.wait(MINUTE)
    there.recovers("t0")
    there.wait(MINUTE)
    there.recovers("gw")
    there.wait(HOUR)
    assert there.told_of(PAGER) == ["trigger t0", "trigger gw", "resolve t0", "resolve gw"]
    assert there.told_of() == ["opened t0", "opened gw", "closed t0", "closed gw"]


def test_ping_and_api_of_one_device() -> None:
    """https://github.com/OneUptime/oneuptime/issues/3022

    A device has a check by ping and one of its API; it goes off, and there are two alerts for one
    outage. Ours is one if the API depends on the ping; an API that alone fails is told, and so is
    its end.
    """
    there = Reported(TEAM)
    there.facts |= {"ping": there.fact("ping"), "api": there.fact("api", "ping")}
    there.fails("api")
    there.wait(SECOND)
    there.fails("ping")
    there.wait(10 * MINUTE)
    there.recovers("ping", "api")
    there.wait(10 * MINUTE)
    assert there.told_of() == ["opened ping", "closed ping"]
    there.fails("api")
    there.wait(10 * MINUTE)
    there.recovers("api")
    there.wait(10 * MINUTE)
    assert there.told_of()[2:] == ["opened api", "closed api"]
