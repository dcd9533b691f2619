"""Deliveries for tests of texts, of made events and of whatever decodes."""

from typing import Any, Final, get_args

from hypothesis import strategies as st
from msgspec import structs

from schemas.incident import Event, IncidentEvent, RegionEvent, RegionVerdict, TargetsEvent
from sinks.notifier.model import (
    Action,
    Channel,
    ChannelEvent,
    Delivery,
    DrillEvent,
    MassEvent,
    News,
    NewsAction,
    OnCallAction,
)
from sinks.notifier.texts.model import Budget, Markup, Units
from tests.unit.schemas import edges
from tests.unit.sinks.notifier.events import AT, incident_event

CHANNEL: Final = Channel("ops", "mailto://ops@example.com")
ACTIONS: Final[tuple[Action, ...]] = (
    *get_args(NewsAction),
    "digest",
    *get_args(OnCallAction),
)
MARKUPS: Final[tuple[Markup, ...]] = get_args(Markup)
UNITS: Final[tuple[Units, ...]] = get_args(Units)

EVIL: Final = (
    '554 @"all" (met)all(met) (rol)42(rol) \N{FULLWIDTH COMMERCIAL AT}ops',
    "554 @everyone <@123456789012345678> <@&1234567890123456> <#1234567890123456> @here",
    "<!channel> <!here|here> <!subteam^S012AB3CD> @channel @all <users/all> <@U012AB3CD>",
    "&lt;!channel&gt; &amp; &#60;!here&#62; </b><script>alert(1)</script><a href='x'>y</a>",
    "**bold** _it_ ~~gone~~ ||spoiler|| `code` ```block``` [text](https://evil.example/x)",
    "![pixel](http://evil.example/p.png) <https://evil.example> www.evil.example bit.ly/3x",
    "# heading",
    "> quote",
    "- item",
    "1. first",
    "=== --- ***",
    "===",
    "| a | b |\n|---|---|\n",
    "\\@everyone \\\\<@1234567890123456> \\*x\\*",
    "a\x1b[31mb\x07\u202ec\u2066d\u2028e\rf\x00",
    "javascript:alert(1) mailto:x@evil.example tel:+123",
    "tom@example.com @tom",
    "\N{FAMILY}\u200d\N{GIRL} \U0001f1e9\U0001f1ea",
    "e\u0301" * 40,
    "\U0001f600" * 300,
    "\N{ARABIC LETTER BEH}" * 80,
)
evil_texts = st.lists(
    st.sampled_from(EVIL)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    | st.text("@<>*_`[]()#!&|~\\ ah-1.\n", max_size=30),
    max_size=4,
).map(" ".join)
long_texts = evil_texts | evil_texts.map(lambda text: text * 200)


def names(most: int = 255) -> st.SearchStrategy[str]:
    """Names as the inventory takes them, and worse ones."""
    return evil_texts.map(lambda text: text[:most]) | st.just("\U0001f600" * most)


def news(event: Event | ChannelEvent | MassEvent, **fields: Any) -> News:
    """News of an event; due when it happened."""
    values: dict[str, Any] = {
        "entry": "incident/i1",
        "event": event,
        "key": "i1/1",
        "due_at": event.at,
    }
    return News(**(values | fields))


def delivery(action: Action, *events: Event | ChannelEvent | MassEvent, **fields: Any) -> Delivery:
    """A delivery of events, sent 3 s after the last of them; `news_…` are fields of each news."""
    mine = [name for name in fields if name.startswith("news_")]
    each = {name.removeprefix("news_"): fields.pop(name) for name in mine}
    values: dict[str, Any] = {
        "id": "d1",
        "channel": CHANNEL,
        "action": action,
        "news": tuple(news(event, **each) for event in events),
        "attempt": 1,
        "plain": False,
        "at": max(event.at for event in events) + 3000,
    }
    return Delivery(**(values | fields))


def verdicts(count: int, **fields: Any) -> dict[str, RegionVerdict]:
    """As many regions that fail."""
    values: dict[str, Any] = {"verdict": "down", "reason": "timed_out", "since": AT}
    return {f"region-{n:03}": RegionVerdict(**(values | fields)) for n in range(count)}


def channel_event(**fields: Any) -> ChannelEvent:
    """The end of a channel's patience."""
    values: dict[str, Any] = {
        "event_id": "c1",
        "event": "channel.broken",
        "channel": "ops/0123456789abcdef/mailto",
        "since": AT,
        "at": AT + 120_000,
        "error": "Connection refused",
        "waiting": 3,
    }
    return ChannelEvent(**(values | fields))


def mass_event(**fields: Any) -> MassEvent:
    """A fifth of all targets."""
    values: dict[str, Any] = {
        "event_id": "m1",
        "event": "mass.down",
        "down": 571,
        "total": 2_800,
        "hosts": ("gw1.example.com", "gw2.example.com"),
        "since": AT,
        "at": AT + 11_000,
    }
    return MassEvent(**(values | fields))


def drill_event(**fields: Any) -> DrillEvent:
    """The last drill is a week old."""
    values: dict[str, Any] = {
        "event_id": "f1",
        "event": "drill.overdue",
        "every_ms": 7 * 86_400_000,
        "planned_at": 0,
        "last_at": AT - 7 * 86_400_000,
        "since": AT,
        "at": AT,
    }
    return DrillEvent(**(values | fields))


@st.composite
def _incidents(draw: st.DrawFn) -> IncidentEvent:
    """Incidents with evil texts wherever a text comes from outside."""
    verdict = st.builds(
        RegionVerdict,
        verdict=st.sampled_from(["up", "down", "slow", "stale", "pending"]),
        reason=st.sampled_from([None, "timed_out", "unexpected_response"]),
        detail=st.none() | long_texts.map(lambda text: text[:10_000]),
        set_aside=st.booleans(),
    )
    closed = draw(st.booleans())
    fields: dict[str, Any] = {
        "event": "closed" if closed else draw(st.sampled_from(["opened", "updated", "worsened"])),
        "closed_at": AT + 60_000 if closed else None,
        "closed_because": draw(st.sampled_from(["recovered", "abandoned", "resolved"]))
        if closed
        else None,
        "name": draw(names()),
        "host": draw(st.sampled_from(["db1.example.com", "2001:db8::1", "h" * 90, None])),
        "summary": draw(long_texts),
        "regions": draw(st.dictionaries(st.sampled_from(["eu", "us", "asia"]), verdict)),
        "first_steps": tuple(draw(st.lists(long_texts, max_size=3))),
        "tags": tuple(draw(st.lists(names(), max_size=3))),
        "team": draw(st.none() | names()),
        "acknowledged_by": draw(st.none() | names()),
        "acknowledged_note": draw(evil_texts),
        "runbook": draw(
            st.sampled_from([None, "https://wiki.example.com/a_b?x=*1*&y=@z", "javascript:x"])
            | evil_texts
        ),
        "port": draw(st.sampled_from([None, 22, 5432])),
    }
    return incident_event(**fields)


incidents = _incidents()
events: st.SearchStrategy[Event | ChannelEvent] = st.one_of(
    incidents,
    edges.decoded(IncidentEvent),
    edges.decoded(RegionEvent),
    edges.decoded(TargetsEvent),
    st.builds(
        channel_event,
        event=st.sampled_from(["channel.broken", "channel.works"]),
        error=long_texts,
        channel=names(),
    ),
    st.builds(
        mass_event,
        event=st.sampled_from(["mass.down", "mass.over"]),
        down=st.integers(0, 10**9),
        total=st.integers(0, 10**9),
        hosts=st.lists(long_texts, max_size=3).map(tuple),
    ),
    st.builds(
        drill_event,
        event=st.sampled_from(["drill.overdue", "drill.done"]),
        every_ms=st.integers(0, 2**40),
        last_at=st.none() | st.integers(0, AT),
        stage=names(),
    ),
)


@st.composite
def deliveries(
    draw: st.DrawFn, each: st.SearchStrategy[Any] = events, most: int = 3, **fields: Any
) -> Delivery:
    """Deliveries of whatever decodes; several events are of one type, as decisions make them."""
    drawn = draw(st.lists(each, min_size=1, max_size=most))
    kind = type(drawn[0])
    values: dict[str, Any] = {
        "attempt": draw(st.integers(1, 9)),
        "plain": draw(st.booleans()),
        "at": draw(st.integers(AT, AT + 10_000_000)),
        "news_maybe_told": draw(st.booleans()),
    }
    return delivery(
        draw(st.sampled_from(ACTIONS)),
        *(event for event in drawn if type(event) is kind),
        **(values | fields),
    )


@st.composite
def digests(draw: st.DrawFn, each: st.SearchStrategy[Any] = events, most: int = 6) -> Delivery:
    """Digests of whatever decodes, each with an action of its own."""
    drawn = draw(st.lists(each, min_size=1, max_size=most))
    base = delivery("digest", *drawn, at=draw(st.integers(AT, AT + 10_000_000)))
    told = tuple(
        news(
            event,
            entry=f"subject/{number}",
            action=draw(st.none() | st.sampled_from(get_args(NewsAction))),
            held=draw(st.just("") | evil_texts),
            escalated_from=draw(st.just("") | names()),
            link=draw(st.sampled_from(["", "https://ports.example.com/i/abc.def", "javascript:x"])),
            reminders=draw(st.integers(0, 3)),
            due_at=draw(st.integers(0, AT + 10_000_000)),
        )
        for number, event in enumerate(drawn)
    )
    return structs.replace(base, news=told)


@st.composite
def budgets(draw: st.DrawFn, least: int = 60, markup: Markup | None = None) -> Budget:
    """Budgets from an SMS to a mail."""
    return Budget(
        title=draw(st.just(0) | st.integers(20, 250)),
        body=draw(st.integers(least, 1200) | st.sampled_from([2000, 4096, 40_000])),
        markup=draw(st.sampled_from(MARKUPS)) if markup is None else markup,
        title_in_body=draw(st.booleans()),
        units=draw(st.sampled_from(UNITS)),
    )
