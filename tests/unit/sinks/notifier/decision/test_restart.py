"""A run that is cut anywhere and goes on from its records: nothing twice, nothing forgotten."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import notifier_state
from schemas.incident import Event
from schemas.notifier_state import Subject
from schemas.policy import Route
from sinks.notifier.decision.desk import Desk
from sinks.notifier.model import Channel, Delivery
from tests.unit.sinks.notifier.decision.office import HOUR, Office, class_of
from tests.unit.sinks.notifier.events import incident_event

URLS = ("json://a", "json://b", "pagerduty://k", "alertmanager://m")
ROUTES = (
    (Route(name="all", urls=URLS),),
    (Route(name="all", urls=(URLS[1], URLS[0])), Route(name="duty", urls=URLS[2:])),
    (Route(name="all", urls=(URLS[0], "json://c")), Route(name="duty", urls=URLS[2:])),
)
NEXT = {
    "": ("opened",),
    "opened": ("updated", "improved", "closed"),
    "updated": ("updated", "improved", "closed"),
    "improved": ("worsened", "closed"),
    "worsened": ("updated", "improved", "closed"),
    "closed": (),
}

steps = st.one_of(
    st.tuples(st.just("event"), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("wait"), st.sampled_from([1, 1_999, 2_000, 10_000, 61_000, 200_000])),
    st.tuples(
        st.just("answer"),
        st.sampled_from(URLS),
        st.sampled_from(["confirmed", "unreachable", "uncertain", "refused", "hangs"]),
    ),
    st.tuples(st.just("land"), st.sampled_from(["confirmed", "unreachable", "uncertain"])),
    st.tuples(st.just("routes"), st.integers(0, 2)),
    st.tuples(st.just("restart"), st.booleans()),
)


class Life:
    """The events of four incidents on two hosts, in an order that a stream could have."""

    def __init__(self) -> None:
        self.last = [""] * 4
        self.acknowledged = [False] * 4
        self.episode = [1] * 4
        self.number = 0

    def event(self, incident: int, choice: int, now: int) -> Event | None:
        kinds = NEXT[self.last[incident]]
        if not kinds:
            return None
        kind = kinds[choice % len(kinds)]
        self.last[incident] = kind
        self.number += 1
        if kind == "worsened":
            self.episode[incident] += 1
            self.acknowledged[incident] = False
        elif kind == "updated":
            self.acknowledged[incident] = True
        fields: dict[str, Any] = {"closed_because": "recovered"} if kind == "closed" else {}
        if self.episode[incident] > 1:
            fields["episode"] = self.episode[incident]
        return incident_event(
            event=kind,
            event_id=f"{incident}/{self.number}/{kind}",
            incident_id=f"i{incident}",
            host=f"h{incident % 2}",
            at=now,
            acknowledged_by="eve" if self.acknowledged[incident] else None,
            **fields,
        )


@settings(max_examples=120, deadline=None)
@given(st.lists(steps, max_size=40))
@example(
    [
        ("routes", 1),
        ("answer", "pagerduty://k", "hangs"),
        ("event", 0, 0),
        ("routes", 0),
        ("land", "confirmed"),
    ]
)
def test_nothing_is_told_twice_and_nothing_is_forgotten(  # noqa: C901 - a case a step
    script: list[Any],
) -> None:
    there, life = Office(*ROUTES[0]), Life()
    arrived: Counter[tuple[object, ...]] = Counter()
    land = there.land

    def landing(delivery: Delivery, answer: Any = "confirmed") -> None:
        if answer == "confirmed" and delivery.action != "refresh":
            for news in delivery.news:
                marks = news.marks[-1].event_id
                arrived[delivery.channel.url, delivery.action, news.entry, news.key, marks] += 1
        land(delivery, answer)

    there.land = landing  # type: ignore[method-assign]
    taken: list[Event] = []
    for step in script:
        match step:
            case "event", incident, choice:
                event = life.event(incident, choice, there.now)
                if event is not None:
                    taken.append(event)
                    there.take(event)
            case "wait", ms:
                there.wait(ms)
            case "answer", url, answer:
                there.answers[url] = answer
            case "land", answer:
                there.land_all(answer)
            case "routes", number:
                there.route(*ROUTES[number])
            case "restart", again:
                there.restart(dies=True)
                if again:
                    there.take(*taken)
    there.answers.clear()
    there.land_all("unreachable")
    there.wait(2 * HOUR)
    assert [what for what, times in arrived.items() if times > 1] == []
    at_rest(there, life)
    said = {row.event_id for row in there.rows}
    assert {one.event_id for one in taken if one.event != "updated"} <= said


def at_rest(there: Office, life: Life) -> None:
    """Who is told of what is open, and of nothing that is over."""
    wanted = {one.url for one in there.routes.channels(incident_event(), there.now)}
    for number, last in enumerate(life.last):
        key = f"incident/i{number}"
        if not last:
            continue
        subject = there.subject(key)
        assert subject.phase == {"closed": "closed", "improved": "improved"}.get(last, "down")
        if subject.phase == "closed":
            assert subject.audience == ()
            continue
        assert subject.audience
        for one in subject.audience:
            assert one.due_at == 0, (key, one)
            assert one.told_episode == life.episode[number]
        assert {one.url for one in subject.audience} & wanted
    words = last_words(there)
    for (url, entry), action in words.items():
        closed = life.last[int(entry.removeprefix("incident/i"))] == "closed"
        if class_of(Channel("", url)) == "on_call":
            assert (action == "resolve") == closed, (url, entry, action)
        else:
            assert (action in {"closed", "missed"}) == closed, (url, entry, action)


def last_words(there: Office) -> dict[tuple[str, str], str]:
    """The last action that each channel confirmed of each subject."""
    found = {}
    # A row has the name that the channel has when the answer comes: other routes may have given it
    # another one since the sending.
    names = {
        one.name: one.url
        for routes in (Office(*each).routes for each in ROUTES)
        for one in routes.channels(incident_event(), there.now)
    }
    names |= {one.channel.name: one.channel.url for one in reversed(there.sent)}
    for row in there.rows:
        if row.status == "sent" and row.action != "acknowledge":
            url = names[row.channel]
            found[url, f"incident/{row.incident_id}"] = str(row.action)
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, max_size=25))
def test_records_are_the_whole_state(script: list[Any]) -> None:
    """A desk that is restored records, when asked, exactly what the first one recorded."""
    there, life = Office(*ROUTES[0]), Life()
    for step in script:
        match step:
            case "event", incident, choice:
                event = life.event(incident, choice, there.now)
                if event is not None:
                    there.take(event)
            case "wait", ms:
                there.wait(ms)
            case "answer", url, answer if answer != "hangs":
                there.answers[url] = answer
    desk = Desk(group_wait_ms=2_000, class_of=class_of, needs_refresh=lambda _: False)
    for value in there.log.values():
        subject = notifier_state.decode(value)
        assert isinstance(subject, Subject)
        desk.restore(subject)
    desk.set_routes(there.routes, there.now)
    assert desk.changes() == []
    for key in there.log:
        desk._core.mark_changed(desk._subjects[key])
    again = {
        one.key: notifier_state.encode(one) for one in desk.changes() if isinstance(one, Subject)
    }
    assert again == there.log


@pytest.mark.parametrize("key", ["", "i1", "mass/1", "region/eu"])
def test_a_record_whose_key_is_none_of_its_event_is_refused(key: str) -> None:
    """Forged: the key `` was told to an on-call system 20,000 times in a second."""
    there = Office(Route(name="all", urls=URLS))
    there.take(incident_event())
    record = msgspec.structs.replace(there.subject("incident/i1"), key=key)
    with pytest.raises(msgspec.DecodeError, match="expected a key that begins with 'incident/'"):
        there.desk.restore(record)
