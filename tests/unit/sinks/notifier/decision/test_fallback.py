"""The fallback of a route is told when a channel has not confirmed for long."""

import msgspec

from schemas import notifier_state
from schemas.policy import Route
from sinks.notifier.model import Channel
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, C, STAND_IN, LAST = "json://a", "json://c", "json://stand-in", "json://last"


def routes(**fields: object) -> tuple[Route, ...]:
    return (
        Route(name="all", urls=(A,), tags=("prod",), fallback=("b",), **fields),  # type: ignore[arg-type]
        Route(name="b", urls=(STAND_IN,), tags=("never",), fallback=("last",)),
        Route(name="last", urls=(LAST,), tags=("never",)),
    )


def office(*policy: Route, down: tuple[str, ...] = (A,)) -> Office:
    there = Office(*(policy or routes()))
    there.answers = dict.fromkeys(down, "unreachable")
    there.take(incident_event(tags=("prod",)))
    return there


def broken(there: Office, url: str) -> list[tuple[str, str]]:
    return [
        (one.action, one.news[0].event.event)
        for one in there.sent
        if one.channel.url == url and one.news[0].entry.startswith("channel/")
    ]


def test_after_two_minutes_the_fallback_is_told_and_that_the_channel_is_broken() -> None:
    there = office()
    there.wait(WAIT_MS + 2 * MINUTE - 1)
    assert there.told(STAND_IN) == []
    there.wait(WAIT_MS + 1)
    assert there.told(STAND_IN) == ["opened", "opened"]
    assert broken(there, STAND_IN) == [("opened", "channel.broken")]
    event = next(one for one in there.sent if one.news[0].entry.startswith("channel/"))
    assert event.news[0].event.waiting == 1  # type: ignore[union-attr]
    assert event.news[0].event.error == "it was unreachable"  # type: ignore[union-attr]


def test_who_stands_in_knows_for_whom() -> None:
    there = office()
    there.wait(5 * MINUTE)
    (said,) = [
        one.news[0].stands_in_for
        for one in there.sent
        if one.channel.url == STAND_IN and one.news[0].entry == "incident/i1"
    ]
    assert said == Channel("all", A).name
    assert not any(one.news[0].stands_in_for for one in there.sent if one.channel.url == A)


def test_that_it_is_broken_is_told_once_until_it_works() -> None:
    there = office()
    for number in range(5):
        there.wait(10 * MINUTE)
        there.take(incident_event(incident_id=f"n{number}", event_id=f"n{number}", tags=("prod",)))
    there.wait(10 * MINUTE)
    assert broken(there, STAND_IN) == [("opened", "channel.broken")]
    there.answers.clear()
    there.wait(10 * MINUTE)
    assert broken(there, STAND_IN) == [("opened", "channel.broken"), ("closed", "channel.works")]
    there.answers = {A: "unreachable"}
    there.take(incident_event(incident_id="z", event_id="z", tags=("prod",)))
    there.wait(10 * MINUTE)
    assert broken(there, STAND_IN)[2:] == [("opened", "channel.broken")]


def test_who_stood_in_is_told_of_the_end() -> None:
    there = office()
    there.wait(5 * MINUTE)
    there.take(
        incident_event(event="closed", event_id="e2", at=there.now, closed_because="recovered")
    )
    there.wait(5 * MINUTE)
    incident = [
        one.action
        for one in there.sent
        if one.channel.url == STAND_IN and one.news[0].entry == "incident/i1"
    ]
    assert incident == ["opened", "closed"]


def test_a_fallback_that_fails_has_its_own() -> None:
    there = office(down=(A, STAND_IN))
    there.wait(10 * MINUTE)
    assert "opened" in there.told(LAST)


def test_a_channel_that_confirms_in_time_needs_none() -> None:
    there = office(*routes(fallback_after_ms=5 * MINUTE))
    there.wait(4 * MINUTE)
    there.answers.clear()
    there.wait(HOUR)
    assert there.told(STAND_IN) == []


def test_without_a_fallback_nothing_is_told_in_its_place() -> None:
    there = office(Route(name="all", urls=(A,)), Route(name="b", urls=(C,), tags=("never",)))
    there.wait(HOUR)
    assert set(there.told()) == {f"opened {A}"}
    assert {row.status for row in there.rows} == {"retrying"}


def test_a_broken_channel_that_no_route_has_any_more_is_no_longer_broken() -> None:
    there = office()
    there.wait(5 * MINUTE)
    there.route(Route(name="all", urls=(C,), tags=("prod",)), *routes()[1:])
    there.wait(MINUTE)
    assert broken(there, STAND_IN) == [("opened", "channel.broken"), ("closed", "channel.works")]


def test_a_restart_tells_it_no_second_time() -> None:
    there = office()
    there.wait(5 * MINUTE)
    count = len(there.told(STAND_IN))
    there.restart()
    there.wait(10 * MINUTE)
    assert len(there.told(STAND_IN)) == count
    there.answers.clear()
    there.wait(10 * MINUTE)
    assert broken(there, STAND_IN)[-1] == ("closed", "channel.works")


def test_rows_of_a_channel_name_it() -> None:
    there = office()
    there.wait(5 * MINUTE)
    row = next(row for row in there.rows if row.event == "channel.broken")
    assert row.target == next(one.channel.name for one in there.sent if one.channel.url == A)
    assert row.event_at > AT


def test_a_notifier_that_stood_still_is_no_broken_channel() -> None:
    there = Office(*routes())
    there.desk.take(incident_event(tags=("prod",)), there.now)
    there.now += 10 * MINUTE
    there.turn()
    there.wait(HOUR)
    assert there.told() == [f"opened {A}"]
    late = Office(*routes())
    late.answers[A] = "unreachable"
    late.desk.take(incident_event(tags=("prod",)), late.now)
    late.now += 10 * MINUTE
    late.turn()
    late.wait(MINUTE)
    assert "opened" in late.told(STAND_IN)


def test_a_renamed_route_keeps_its_fallback_for_the_next_outage() -> None:
    there = office(down=())
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]
    renamed = Route(name="every", urls=(A,), tags=("prod",), fallback=("b",))
    there.route(renamed, *routes()[1:])
    there.answers = {A: "unreachable"}
    there.take(incident_event(event="worsened", event_id="e2", at=AT + MINUTE, tags=("prod",)))
    there.wait(5 * MINUTE)
    assert "opened" in there.told(STAND_IN)
    assert there.rows[-1].route in {"every", "b"}


def test_a_broken_channel_is_not_told_of_itself() -> None:
    there = Office(
        Route(name="all", urls=(A,), tags=("prod",), fallback=("b",)),
        Route(name="b", urls=(A, STAND_IN), tags=("never",)),
    )
    there.answers = {A: "unreachable"}
    there.take(incident_event(tags=("prod",)))
    there.wait(5 * MINUTE)
    assert broken(there, STAND_IN) == [("opened", "channel.broken")]
    there.answers.clear()
    there.wait(5 * MINUTE)
    assert broken(there, A) == []


def test_channels_that_break_one_after_the_other_are_no_storm() -> None:
    """The proxy is gone: 50 channels break within 6 min, and all have one fallback."""
    teams = range(50)
    there = Office(
        *(
            Route(name=f"r{n}", urls=(f"json://r{n}",), teams=(f"t{n}",), fallback=("mail",))
            for n in teams
        ),
        Route(name="mail", urls=("json://mail",), default=True),
        group_interval_ms=30_000,
    )
    for n in teams:
        there.answers[f"json://r{n}"] = "unreachable"
        fields = {"incident_id": f"i{n}", "event_id": f"e{n}", "host": f"h{n}", "team": f"t{n}"}
        there.take(incident_event(**fields, at=there.now))
        there.wait(7_000)
    there.wait(20 * 60_000)
    mails = [one for one in there.sent if one.channel.url == "json://mail"]
    assert len(mails) < 10
    assert {news.entry for one in mails for news in one.news} >= {f"incident/i{n}" for n in teams}
    assert sum(news.entry.startswith("channel/") for one in mails for news in one.news) == 50


def test_a_forged_record_of_a_broken_channel_without_marks_ends_no_takeover() -> None:
    """Who takes over ends it, since no route has the channel: an error would come each time."""
    there = Office(
        Route(name="all", urls=("json://a",), fallback=("mail",)),
        Route(name="mail", urls=("json://mail",), default=False),
    )
    there.answers["json://a"] = "unreachable"
    there.take(incident_event())
    there.wait(5 * 60_000)
    (key,) = (key for key in there.log if key.startswith("channel/"))
    forged = msgspec.structs.replace(there.subject(key), marks=())
    there.log[key] = notifier_state.encode(forged)
    there.routes = Routes.of([Route(name="mail", urls=("json://mail",), default=True)])
    there.restart(calm=False)
    there.wait(60_000)
    assert there.told("json://mail")[-1] == "closed"
