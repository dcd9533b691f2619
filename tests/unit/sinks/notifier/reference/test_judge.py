"""The judge of the notifier's decision notices what is wrong, and says nothing of what is right."""

from typing import Any

import msgspec
import pytest

from schemas.incident import RegionEvent
from schemas.notifier_state import AudienceMember, Subject
from schemas.policy import Route
from sinks.notifier.decision.desk import RemovedSubject
from sinks.notifier.model import (
    Action,
    Channel,
    ChannelEvent,
    Delivery,
    News,
    OutcomeKind,
    SendOutcome,
)
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.events import AT, incident_event
from tests.unit.sinks.notifier.reference.memory import Memory
from tests.unit.sinks.notifier.reference.shell import class_of, needs_refresh
from tests.unit.sinks.notifier.reference.wrong import Wrong

MAIL, CHAT, PAGER, ALERT = "mail://a", "chat://c", "pager://p", "alert://m"
WAIT = 2_000


def routes(*urls: str, **fields: Any) -> Routes:
    return Routes({"day": Route(name="day", urls=urls, **fields)})


class Play:
    """A history that a test tells the judge, with what a notifier did in it."""

    def __init__(self, *urls: str, **fields: Any) -> None:
        self.judge = Memory(WAIT, class_of, needs_refresh)
        self.now = AT
        self.number = 0
        self.routes = routes(*urls, **fields)
        self.judge.routes_set(self.routes, self.now)

    def takes(self, event: str, **fields: Any) -> None:
        self.number += 1
        values = {"event_id": f"e{self.number}", "event": event, "at": self.now, **fields}
        self.event = incident_event(**values)
        self.judge.taken(self.event, self.now)

    def closes(self, because: str = "recovered") -> None:
        self.takes("closed", closed_because=because)

    def delivery(self, url: str, action: Action, **fields: Any) -> Delivery:
        episode = fields.pop("episode", 1)
        news = News(
            entry="incident/i1",
            event=self.event,
            key=fields.pop("key", f"i1/{episode}"),
            episode=episode,
            due_at=self.now,
        )
        values: dict[str, Any] = {
            "id": f"{url} {action} {news.key} {self.event.event_id}",
            "channel": Channel("day", url),
            "action": action,
            "news": (news,),
            "attempt": 1,
            "plain": False,
            "at": self.now,
        }
        return Delivery(**values | fields)

    def starts(self, url: str, action: Action, **fields: Any) -> Delivery:
        delivery = self.delivery(url, action, **fields)
        self.judge.started(delivery, self.now)
        return delivery

    def ends(
        self, delivery: Delivery, kind: OutcomeKind = "confirmed", after: float | None = None
    ) -> None:
        outcome = SendOutcome(
            kind=kind, error=None if kind == "confirmed" else "no", retry_after_s=after
        )
        self.judge.finished(delivery, outcome, kind in ("confirmed", "uncertain"), self.now)

    def sends(self, url: str, action: Action, kind: OutcomeKind = "confirmed", **more: Any) -> None:
        after = more.pop("after", None)
        self.ends(self.starts(url, action, **more), kind, after)

    def writes(self) -> None:
        self.judge.wrote((), (), (), self.now, whole=False)
        self.judge.unwritten.clear()

    def crashes(self, *flying: tuple[Delivery, bool]) -> None:
        self.judge.crashed(flying, self.now)
        self.judge.routes_set(self.routes, self.now)

    def on_time(self) -> None:
        self.judge.late(self.now, after=True)


def test_what_is_right_is_right() -> None:
    play = Play(MAIL, PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger")
    play.now += WAIT
    play.sends(MAIL, "opened")
    play.takes("updated", acknowledged_by="ann")
    play.sends(PAGER, "acknowledge")
    play.takes("worsened", episode=2)
    play.sends(PAGER, "resolve", key="i1/1")
    play.sends(PAGER, "trigger", episode=2)
    play.sends(MAIL, "worsened", episode=2)
    play.closes()
    play.sends(MAIL, "closed", episode=2)
    play.sends(PAGER, "resolve", episode=2)
    play.on_time()
    play.judge.rows.events.clear()
    play.judge.at_rest(play.now)


def test_a_recovery_before_the_outage() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.closes()
    with pytest.raises(Wrong, match="closed, but it must be given"):
        play.starts(MAIL, "closed")


def test_a_recovery_to_todays_routes() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.judge.routes_set(routes(CHAT), play.now)
    play.closes()
    with pytest.raises(Wrong, match="not in its audience"):
        play.starts(CHAT, "closed")


def test_no_recovery_to_a_channel_that_left_the_routes() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.judge.routes_set(routes(CHAT), play.now)
    play.closes()
    play.now += WAIT
    with pytest.raises(Wrong, match=r"\['closed'\] was due"):
        play.on_time()


def test_the_same_twice() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened", "uncertain")
    play.now += 3_000
    play.sends(MAIL, "opened")
    with pytest.raises(Wrong, match="opened, but it must be given"):
        play.starts(MAIL, "opened")


def test_the_same_twice_after_a_takeover_that_knew() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.writes()
    play.crashes()
    with pytest.raises(Wrong, match="opened, but it must be given"):
        play.starts(MAIL, "opened")


def test_a_takeover_that_could_not_know_tells_again() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.writes()
    play.crashes((play.starts(MAIL, "opened"), True))
    play.sends(MAIL, "opened")


def test_an_opening_to_a_channel_that_was_taken_away() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.judge.routes_set(routes(CHAT), play.now)
    with pytest.raises(Wrong, match="opened, but it must be given"):
        play.starts(MAIL, "opened")


def test_nobody_is_told_of_a_repaired_url() -> None:
    play = Play(MAIL, PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger")
    play.judge.routes_set(routes(CHAT, PAGER), play.now)
    play.now += WAIT
    with pytest.raises(Wrong, match=r"'opened'.*chat://c"):
        play.on_time()


def test_late() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.now += WAIT - 1
    play.on_time()
    play.now += 1
    with pytest.raises(Wrong, match="was due"):
        play.on_time()


def test_a_channel_that_waits_for_another() -> None:
    play = Play(MAIL, CHAT)
    play.takes("opened")
    play.now += WAIT
    play.sends(MAIL, "opened", "unreachable")
    with pytest.raises(Wrong, match="chat://c"):
        play.on_time()


@pytest.mark.parametrize(
    ("kind", "after", "early", "late"),
    [
        ("unreachable", None, 1_599, 1_600),
        ("unreachable", 30.0, 29_999, 30_000),
        ("unreachable", 90_000.0, 3_599_999, 3_600_000),
        ("uncertain", None, 1_599, 1_600),
        ("misconfigured", None, 47_999, 48_000),
    ],
)
def test_too_early(kind: OutcomeKind, after: float | None, early: int, late: int) -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened", kind, after=after)
    failed_at = play.now
    play.now = failed_at + early
    with pytest.raises(Wrong, match="too early"):
        play.starts(MAIL, "opened")
    play.now = failed_at + late
    play.starts(MAIL, "opened")


def test_two_in_flight_while_it_fails() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger", "unreachable")
    play.judge.taken(incident_event(event_id="o", incident_id="i2", at=play.now), play.now)
    play.now += 5_000
    play.starts(PAGER, "trigger")
    with pytest.raises(Wrong, match="the channel fails"):
        play.starts(PAGER, "trigger")


def test_two_that_were_under_way_together_fail_once() -> None:
    play = Play(PAGER)
    play.takes("opened")
    first = play.starts(PAGER, "trigger")
    play.takes("opened", incident_id="i2")
    news = News(entry="incident/i2", event=play.event, key="i2/1", episode=1, due_at=play.now)
    second = play.starts(PAGER, "trigger", news=(news,), id="2")
    play.ends(first, "unreachable")
    play.now += 1_500
    play.ends(second, "unreachable")
    with pytest.raises(Wrong, match="too early"):
        play.starts(PAGER, "trigger", news=(news,), id="2")
    play.now += 100
    play.ends(play.starts(PAGER, "trigger", news=(news,), id="2"), "unreachable")
    play.now += 3_199
    with pytest.raises(Wrong, match="too early"):
        play.starts(PAGER, "trigger", news=(news,), id="2")


def test_two_messages_of_one_subject_in_flight() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.starts(MAIL, "opened")
    play.closes()
    with pytest.raises(Wrong, match="in flight"):
        play.starts(MAIL, "closed")


def test_what_came_while_a_message_was_in_flight_is_told_after_it() -> None:
    play = Play(MAIL)
    play.takes("opened")
    opened = play.starts(MAIL, "opened")
    play.takes("improved")
    play.ends(opened)
    play.now += WAIT
    with pytest.raises(Wrong, match=r"\['improved'\] was due"):
        play.on_time()


def test_a_key_that_is_not_open() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger", "unreachable")
    play.closes()
    play.now += 5_000
    with pytest.raises(Wrong, match="resolve i1/1, but"):
        play.starts(PAGER, "resolve")


def test_a_second_key_beside_the_first() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger")
    play.takes("worsened", episode=2)
    with pytest.raises(Wrong, match="trigger i1/2, but"):
        play.starts(PAGER, "trigger", episode=2)


def test_an_acknowledgement_before_the_trigger() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.takes("updated", acknowledged_by="ann")
    with pytest.raises(Wrong, match="acknowledge i1/1, but"):
        play.starts(PAGER, "acknowledge")


def test_an_abandoned_incident_is_not_resolved() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger")
    play.closes("abandoned")
    with pytest.raises(Wrong, match="resolve i1/1, but"):
        play.starts(PAGER, "resolve")


def test_an_opening_continues_an_abandoned_incident() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger")
    play.closes("abandoned")
    play.takes("opened", incident_id="i2")
    news = News(entry="incident/i2", event=play.event, key="i2/1", episode=1, due_at=play.now)
    with pytest.raises(Wrong, match="trigger i2/1, but"):
        play.starts(PAGER, "trigger", news=(news,))


def test_a_key_that_only_the_receiver_knows_is_resolved() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.writes()
    trigger = play.starts(PAGER, "trigger")
    play.closes()
    play.writes()
    play.crashes((trigger, True))
    with pytest.raises(Wrong, match=r"\['resolve i1/1'\] was due"):
        play.on_time()


def test_a_refresh_after_the_end() -> None:
    play = Play(ALERT)
    play.takes("opened")
    play.sends(ALERT, "trigger")
    play.closes()
    with pytest.raises(Wrong, match="is over"):
        play.starts(ALERT, "refresh")
    play.sends(ALERT, "resolve")
    with pytest.raises(Wrong, match="never triggered here, or is resolved"):
        play.starts(ALERT, "refresh")


def test_no_refresh() -> None:
    play = Play(ALERT)
    play.takes("opened")
    play.sends(ALERT, "trigger")
    play.on_time()
    play.now += 120_000
    with pytest.raises(Wrong, match="was to be refreshed"):
        play.on_time()


def test_no_refresh_after_a_takeover() -> None:
    play = Play(ALERT)
    play.takes("opened")
    play.sends(ALERT, "trigger")
    play.writes()
    play.crashes()
    with pytest.raises(Wrong, match="was to be refreshed"):
        play.on_time()


def test_a_refresh_that_failed_after_a_takeover_comes_again_in_the_next_interval() -> None:
    play = Play(ALERT)
    play.takes("opened")
    play.sends(ALERT, "trigger")
    play.writes()
    play.crashes()
    play.sends(ALERT, "refresh", "unreachable")
    play.takes("updated", acknowledged_by="ann")
    play.now += 3_000
    play.sends(ALERT, "acknowledge")
    play.judge.condition(ALERT).posted.clear()
    play.now += 56_999
    play.on_time()
    play.now += 1
    with pytest.raises(Wrong, match="was to be refreshed"):
        play.on_time()


def test_a_fallback_too_early_and_too_late() -> None:
    play = Play(MAIL)
    backup = Route(name="backup", urls=(CHAT,), severities=("info",))
    day = Route(name="day", urls=(MAIL,), fallback=("backup",), fallback_after_ms=10_000)
    play.routes = Routes({"day": day, "backup": backup})
    play.judge.routes_set(play.routes, play.now)
    play.takes("opened")
    play.sends(MAIL, "opened", "unreachable")
    play.judge.fallbacks(play.now + 9_999)
    with pytest.raises(Wrong, match="not in its audience"):
        play.starts(CHAT, "opened")
    play.now += 10_000
    play.judge.fallbacks(play.now)
    play.starts(CHAT, "opened")

    play = Play(MAIL)
    play.judge.routes_set(Routes({"day": day, "backup": backup}), play.now)
    play.takes("opened")
    play.sends(MAIL, "opened", "misconfigured")
    play.now += 10_000 + WAIT + 1
    play.judge.fallbacks(play.now)
    play.now += 10_000
    play.judge.fallbacks(play.now)
    play.now += WAIT - 1
    play.judge.late(play.now, after=False)
    play.now += 1
    with pytest.raises(Wrong, match=r"'opened'.*chat://c"):
        play.on_time()


def test_a_channel_that_confirms_when_it_is_tried_late_needs_no_fallback() -> None:
    play = Play(ALERT)
    play.judge.routes_set(backed_up((ALERT,), CHAT), play.now)
    play.takes("opened")
    play.now += 600_000  # the process was stopped
    play.sends(ALERT, "trigger", "refused")
    play.judge.fallbacks(play.now)
    play.sends(ALERT, "trigger", plain=True)
    play.judge.fallbacks(play.now)
    play.now += 30_000
    play.judge.fallbacks(play.now)
    play.on_time()


def test_missed_is_told_to_everybody_or_to_nobody() -> None:
    play = Play(MAIL, CHAT)
    play.takes("opened")
    play.closes()
    play.now += WAIT
    play.sends(MAIL, "missed")
    with pytest.raises(Wrong, match=r"\['missed'\] was due"):
        play.on_time()

    play = Play(MAIL, CHAT)
    play.takes("opened")
    play.sends(MAIL, "opened")
    play.closes()
    with pytest.raises(Wrong, match="missed, but"):
        play.starts(CHAT, "missed")

    play = Play(MAIL, missed="drop")
    play.takes("opened")
    play.closes()
    with pytest.raises(Wrong, match="missed, but"):
        play.starts(MAIL, "missed")


def test_an_id_of_other_news() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened", id="1")
    play.closes()
    with pytest.raises(Wrong, match="the id was that of"):
        play.starts(MAIL, "closed", id="1")


def test_another_id_for_the_same_news() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened", "unreachable", id="1")
    play.now += 3_000
    with pytest.raises(Wrong, match="had the id 1 before"):
        play.starts(MAIL, "opened", id="2")


def test_no_row_for_what_was_told() -> None:
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened")
    with pytest.raises(Wrong, match="confirmed, and no row says so"):
        play.judge.wrote((), (), (), play.now, whole=True)


def test_no_row_for_what_was_not_told() -> None:
    play = Play(MAIL)
    play.routes = Routes(play.routes.routes, regions=frozenset({"us"}))
    play.judge.routes_set(play.routes, play.now)
    silent = RegionEvent(event_id="s", event="region.silent", region="eu", at=AT, summary="s")
    play.judge.taken(silent, play.now)
    play.judge.wrote((), (), (), play.now, whole=True)
    with pytest.raises(Wrong, match=r"no row for region\.silent"):
        play.judge.at_rest(play.now)


def test_a_key_that_may_be_open_is_continued() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger", "uncertain")
    play.closes("abandoned")
    play.takes("opened", incident_id="i2")
    play.now += 3_000
    news = News(entry="incident/i2", event=play.event, key="i2/1", episode=1, due_at=play.now)
    with pytest.raises(Wrong, match="trigger i2/1, but"):
        play.starts(PAGER, "trigger", news=(news,))
    play.starts(PAGER, "trigger", news=(msgspec.structs.replace(news, key="i1/1"),))


def test_a_continued_key_belongs_to_who_continues_it() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger")
    play.closes("abandoned")
    for number in ("i2", "i3"):
        key = "i1/1" if number == "i2" else "i3/1"
        play.takes("opened", incident_id=number)
        news = News(
            entry=f"incident/{number}", event=play.event, key=key, episode=1, due_at=play.now
        )
        play.sends(PAGER, "trigger", news=(news,), id=f"{number} trigger")
        play.takes("closed", incident_id=number, closed_because="recovered")
        news = msgspec.structs.replace(news, event=play.event)
        play.sends(PAGER, "resolve", news=(news,), id=f"{number} resolve")
    play.on_time()


def test_what_may_have_arrived_waits_though_the_event_is_another() -> None:
    """An acknowledgement is no news to people; the event of several partitions has its own id."""
    play = Play(MAIL)
    play.takes("opened")
    play.sends(MAIL, "opened", "uncertain")
    play.takes("updated", acknowledged_by="ann")
    play.now += 359_999
    play.on_time()
    play.now += 1
    with pytest.raises(Wrong, match="was due"):
        play.on_time()


def channel_record(kind: str, event_id: str, *audience: str) -> Subject:
    event = ChannelEvent(
        event_id=event_id,
        event=f"channel.{kind}",  # type: ignore[arg-type]
        channel="day/x/mail",
        since=AT,
        at=AT,
        error="",
        waiting=1,
    )
    return Subject(
        term=0,
        key=f"channel/{Channel('', MAIL).id}",
        event=msgspec.Raw(msgspec.json.encode(event)),
        phase="down" if kind == "broken" else "closed",
        episode=1,
        began_at=AT,
        changed_at=AT,
        audience=tuple(AudienceMember(route="backup", url=url, since=AT) for url in audience),
    )


def backed_up(day: tuple[str, ...], backup: str) -> Routes:
    return Routes(
        {
            "day": Route(name="day", urls=day, fallback=("backup",), fallback_after_ms=10_000),
            "backup": Route(name="backup", urls=(backup,), severities=("info",)),
        }
    )


def broken_mail() -> Play:
    play = Play(MAIL)
    play.judge.routes_set(backed_up((MAIL,), CHAT), play.now)
    play.takes("opened")
    play.sends(MAIL, "opened", "unreachable")
    play.judge.channels_seen([channel_record("broken", "b1", CHAT)], play.now)
    return play


def test_a_channel_that_confirmed_nothing_does_not_work() -> None:
    play = broken_mail()
    with pytest.raises(Wrong, match="confirmed nothing, and is said to work"):
        play.judge.channels_seen([channel_record("works", "w1", CHAT)], play.now)


def test_a_channel_that_left_all_routes_for_a_moment_is_nobodys_trouble() -> None:
    play = broken_mail()
    play.judge.routes_set(routes(CHAT), play.now)
    play.judge.routes_set(backed_up((MAIL,), CHAT), play.now)
    play.judge.channels_seen([channel_record("works", "w1", CHAT)], play.now)


def test_who_left_a_route_has_its_fallback_and_no_other() -> None:
    play = Play(MAIL)
    play.judge.routes_set(backed_up((MAIL,), CHAT), play.now)
    play.takes("opened")
    play.sends(MAIL, "opened", "unreachable")
    play.judge.routes_set(backed_up((PAGER,), ALERT), play.now)
    play.judge.channels_seen([channel_record("broken", "b1", ALERT)], play.now)
    with pytest.raises(Wrong, match="was never a fallback"):
        play.judge.channels_seen([channel_record("broken", "b1", PAGER)], play.now)


def test_a_day_after_an_end_is_a_day_though_the_clock_was_set_back() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger")
    play.closes()
    play.now -= 3_600_000
    play.judge.clock_set_back(play.now)
    play.judge.wrote((), (), (), play.now, whole=False)
    play.now += 86_400_000
    play.judge.wrote((RemovedSubject("incident/i1"),), (), (), play.now, whole=False)


def test_who_may_have_been_told_and_left_is_told_of_the_next_outage_in_either_word() -> None:
    play = Play(MAIL)
    for number, kind in enumerate(("silent", "returned", "silent")):
        play.event = RegionEvent(
            event_id=f"r{number}",
            event=f"region.{kind}",  # type: ignore[arg-type]
            region="eu",
            at=play.now,
            summary="So.",
        )
        play.judge.taken(play.event, play.now)
        if number == 0:
            news = News(
                entry="region/eu/silent", event=play.event, key="region:eu", due_at=play.now
            )
            play.sends(MAIL, "opened", "uncertain", news=(news,), id="1")
            play.judge.routes_set(routes(CHAT), play.now)
        play.now += 60_000
    news = msgspec.structs.replace(news, event=play.event)
    play.ends(play.starts(MAIL, "worsened", news=(news,), id="2"), "unreachable")
    play.now += 60_000
    play.starts(MAIL, "opened", news=(news,), id="3")


def region_news(kind: str, number: int, at: int) -> News:
    event = RegionEvent(
        event_id=f"r{number}",
        event=f"region.{kind}",  # type: ignore[arg-type]
        region="eu",
        at=at,
        summary="So.",
    )
    return News(entry="region/eu/silent", event=event, key="region:eu", due_at=at)


def test_new_channels_of_a_condition_that_somebody_knows_need_not_be_told() -> None:
    play = Play(MAIL)
    news = region_news("silent", 0, play.now)
    play.event = news.event  # type: ignore[assignment]
    play.judge.taken(news.event, play.now)  # type: ignore[arg-type]
    play.sends(MAIL, "opened", news=(news,), id="1")
    for number, kind in enumerate(("returned", "silent"), 1):
        news = region_news(kind, number, play.now)
        play.judge.taken(news.event, play.now)  # type: ignore[arg-type]
    play.now += 1
    play.judge.routes_set(routes(MAIL, PAGER), play.now)
    play.on_time()
    play.starts(PAGER, "trigger", news=(news,), id="2")


def test_an_older_key_of_an_abandoned_incident_is_resolved_and_its_last_one_is_continued() -> None:
    play = Play(PAGER)
    play.takes("opened")
    play.sends(PAGER, "trigger")
    play.takes("worsened", episode=2)
    play.closes("abandoned")
    play.takes("opened", incident_id="i2")
    news = News(entry="incident/i2", event=play.event, key="i1/1", episode=1, due_at=play.now)
    play.sends(PAGER, "resolve", news=(news,), id="1")
    news = msgspec.structs.replace(news, key="i1/2")
    play.sends(PAGER, "trigger", news=(news,), id="2")
    play.on_time()
