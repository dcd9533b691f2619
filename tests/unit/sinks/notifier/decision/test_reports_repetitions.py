"""Public reports of other monitors: reminders, escalations, acknowledgements, silences, limits.

Each test names the report, what was complained of, and what ours does.
"""

import pytest

from schemas.policy import EscalationStep, Limit, Route, Silence
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, SECOND
from tests.unit.sinks.notifier.decision.reported import CHAT, PAGER, WAIT_MS, Reported
from tests.unit.sinks.notifier.events import AT

LEAD = "json://lead"
TEAM = Route(name="team", urls=(CHAT, PAGER), default=True)
ESCALATING = Route(
    name="first",
    urls=(CHAT,),
    default=True,
    escalate=(EscalationStep(after_ms=5 * MINUTE, routes=("lead",)),),
)
SECOND_LINE = Route(name="lead", urls=(LEAD,), default=False)


def silence(minutes: int, begins_at: int = AT) -> Silence:
    return Silence(
        name="7f3a",
        targets=("t0",),
        begins_at=begins_at,
        ends_at=begins_at + minutes * MINUTE,
        reason="known",
        by="ann",
        created_at=begins_at,
    )


def test_one_message_that_nobody_saw() -> None:
    """https://github.com/louislam/uptime-kuma/issues/233

    There is one notification of an outage; somebody forgot it, and found out after 20 days. Ours
    has `remind_every`, for as long as it is down, and says which reminder it is.
    """
    there = Reported(Route(name="team", urls=(CHAT,), default=True, remind_every_ms=30 * MINUTE))
    there.fails("t0")
    there.wait(20 * DAY)
    told = there.told_of()
    assert told[0] == "opened t0"
    assert set(told[1:]) == {"reminder t0"}
    assert 950 <= len(told) <= 20 * 48
    there.recovers("t0")
    there.wait(DAY)
    assert there.told_of()[len(told) :] == ["closed t0"]


def test_reminders_come_at_their_time_and_not_with_each_check() -> None:
    """https://github.com/TwiN/gatus/issues/1765

    `minimum-reminder-interval: 1h`, and the alert comes with each failure of a heartbeat, every
    five minutes. Ours goes by the clock, whatever the stream has to say.
    """
    there = Reported(Route(name="team", urls=(CHAT,), default=True, remind_every_ms=HOUR))
    there.fails("t0")
    for _ in range(36):
        there.wait(5 * MINUTE)
        there.take(there.event("t0", "updated"))
    assert there.told_of() == ["opened t0", "reminder t0", "reminder t0"]


def test_an_escalation_of_what_is_over() -> None:
    """https://github.com/OneUptime/oneuptime/issues/1690

    The rules of an escalation run although the incident is resolved. Ours end with it.
    """
    there = Reported(ESCALATING, SECOND_LINE)
    there.fails("t0")
    there.wait(4 * MINUTE)
    there.recovers("t0")
    there.wait(DAY)
    assert there.told_of() == ["opened t0", "closed t0"]
    assert there.told_of(LEAD) == []


def test_an_escalation_after_an_acknowledgement() -> None:
    """https://github.com/grafana-cold-storage/oncall/issues/4654

    Somebody acknowledges by telephone, and gets the text message a minute later all the same. Ours
    tells nobody more, and the end to who was told.
    """
    there = Reported(ESCALATING, SECOND_LINE)
    there.fails("t0")
    there.wait(5 * MINUTE)
    there.acknowledges("t0")
    there.wait(DAY)
    there.recovers("t0")
    there.wait(MINUTE)
    assert there.told_of() == ["opened t0", "closed t0"]
    assert there.told_of(LEAD) == []


@pytest.mark.parametrize("restarts", [False, True])
def test_the_end_of_what_is_silenced(restarts: bool) -> None:
    """https://github.com/prometheus/alertmanager/issues/226
    https://github.com/prometheus/alertmanager/issues/2805

    It was told, somebody silences it for 15 minutes, it ends after five: nobody hears of it, and
    the alert stays open in the on-call system. Ours tells the end to who knows of the beginning.
    """
    there = Reported(TEAM)
    there.fails("t0")
    there.wait(MINUTE)
    there.route(TEAM, silence(15, there.now))
    if restarts:
        there.restart()
    there.wait(5 * MINUTE)
    there.recovers("t0")
    there.wait(DAY)
    assert there.told_of() == ["opened t0", "closed t0"]
    assert there.told(PAGER) == ["trigger", "resolve"]


def test_a_silence_that_ends_says_so() -> None:
    """https://github.com/prometheus/alertmanager/issues/730
    https://github.com/prometheus/alertmanager/issues/2896

    A silence expires, it is still down, and the alert comes hours later (`repeat_interval`), to
    somebody who knows of no silence. Ours comes after one check, and says what held it, whose it
    was and why.
    """
    there = Reported(TEAM, silence(60))
    there.facts["t0"] = there.fact("t0")
    there.fails("t0")
    there.wait(2 * HOUR)
    assert there.told_of() == ["opened t0"]
    (told,) = (one for one in there.sent if one.channel.url == CHAT)
    assert told.at - (AT + HOUR) <= MINUTE
    assert told.news[0].held == "silence 7f3a by ann: known (until 2026-12-01 03:00 UTC)"


def test_after_the_fifth_message_everybody_knows() -> None:
    """https://github.com/OneUptime/oneuptime/issues/1881
    https://github.com/louislam/uptime-kuma/issues/3285

    Hundreds of checks behind one thing that fails: after five or six messages people are at work on
    it, and the others cost money and disturb. Ours: `limit`, and nothing is lost.
    """
    route = Route(name="sms", urls=(CHAT,), default=True, limit=Limit(messages=5, per_ms=HOUR))
    there = Reported(route, interval_ms=SECOND)
    for number in range(300):
        there.fails(f"t{number}")
        there.wait(5 * SECOND)
    there.wait(HOUR - 300 * 5 * SECOND)
    assert there.messages() == 5
    there.wait(HOUR)
    assert sorted(there.told_of()) == sorted(f"opened t{number}" for number in range(300))
    assert there.messages() <= 10
    assert {row.status for row in there.rows} == {"sent", "not_sent"}


def test_the_others_are_not_told_again() -> None:
    """https://github.com/prometheus/alertmanager/issues/2686
    https://github.com/prometheus/alertmanager/issues/3059

    Four alerts are told; one ends or a fifth comes, and all of the group are told again. Ours tells
    what is new, in one message if it comes together.
    """
    there = Reported(Route(name="team", urls=(CHAT,), default=True), interval_ms=30 * SECOND)
    there.fails("t0", "t1", "t2", "t3")
    there.wait(10 * MINUTE)
    there.recovers("t2")
    there.fails("t4")
    there.wait(WAIT_MS + 10 * MINUTE)
    assert there.messages() == 2
    assert sorted(there.told_of()[4:]) == ["closed t2", "opened t4"]


def test_the_pager_is_quiet_as_soon_as_it_is_over() -> None:
    """https://github.com/prometheus/alertmanager/issues/1510

    Somebody is woken by what was over before they sat down: the end waits for `group_interval`, and
    the on-call system goes on calling meanwhile. Ours is resolved at once, whatever the pace and
    the limit of the route are; people read of it in the next digest.
    """
    route = Route(
        name="team",
        urls=(CHAT, PAGER),
        default=True,
        group_interval_ms=HOUR,
        limit=Limit(messages=1, per_ms=HOUR),
    )
    there = Reported(route)
    there.fails(*(f"t{number}" for number in range(20)))
    there.wait(MINUTE)
    there.recovers("t7")
    assert there.sent[-1].at == there.now
    assert there.told_of(PAGER)[-1] == "resolve t7"
    assert there.messages() == 1
    there.wait(HOUR)
    assert there.told_of()[20:] == ["closed t7"]
