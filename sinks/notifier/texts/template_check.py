"""Whether the templates of a route can be used: what `inventory check` asks."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from msgspec import structs

from schemas.duration import DAY_MS
from schemas.incident import (
    HostTarget,
    IncidentEvent,
    RegionEvent,
    RegionVerdict,
    TargetsEvent,
    UnwatchedTarget,
    Votes,
)
from schemas.policy import Templates
from sinks.notifier.model import (
    Channel,
    ChannelEvent,
    Delivery,
    DrillEvent,
    MassEvent,
    News,
    NewsAction,
)
from sinks.notifier.texts.model import Budget
from sinks.notifier.texts.render import render
from sinks.notifier.texts.templates.sandbox import fault_text, unknown_variables
from sinks.notifier.texts.templates.values import MessageValues

KNOWN: Final = frozenset({*MessageValues.__struct_fields__, "usual"})
"""The variables of every template."""

IN_MAIL: Final = frozenset({"title", "colour", "passages"})
"""Those that `html` has besides: what `mail.html` shows."""

_GLOBAL: Final = frozenset({"range", "namespace"})
_BUDGETS: Final = (
    Budget(title=250, body=268_435_455, markup="html"),
    Budget(title=0, body=2_000, markup="discord", title_in_body=True, units="utf16"),
    Budget(title=250, body=32_000),
    Budget(title=0, body=160, units="sms"),
)
_AT: Final = 1_796_090_400_000
_CHANNEL: Final = Channel("example", "mailto://ops@example.com")


@lru_cache(maxsize=64)
def template_problem(templates: Templates) -> str | None:
    """What is wrong with the templates, in one sentence; None if nothing is.

    They are rendered with examples of every kind of news, from one target to a large outage, for
    mail, chat, plain text and SMS.
    """
    for name, source in structs.asdict(templates).items():
        if source is None:
            continue
        known = KNOWN | _GLOBAL | (IN_MAIL if name == "html" else frozenset())
        try:
            unknown = sorted(unknown_variables(source) - known)
        except Exception as error:  # noqa: BLE001 - whatever a text brings about
            return f"templates.{name}, {fault_text(error)}"
        if unknown:
            return (
                f"templates.{name}: expected variables of docs/notifications.md, found "
                f"{unknown[0]!r}; known are {', '.join(sorted(known - _GLOBAL))}"
            )
    for delivery in examples():
        told = structs.replace(delivery, templates=templates)
        for budget in _BUDGETS:
            if problem := render(told, budget).problem:
                return f"{problem} (with an example of {delivery.action})"
    return None


def examples() -> Iterator[Delivery]:
    """A message of each action, of each class of event, and digests."""
    opened, closed = _incident(), _incident(closed=True)
    for action in ("opened", "worsened", "improved", "updated", "reminder"):
        yield _delivery(action, [opened])
    for action in ("closed", "missed"):
        yield _delivery(action, [closed])
    several = [_incident(number) for number in range(1, 13)]
    yield _delivery("opened", several[:1] * 2)
    for event in (_REGION, _TARGETS, _BROKEN, _MASS, _DRILL):
        yield _delivery("opened", [event])
    yield _delivery("digest", [*several, closed, _REGION])
    yield _delivery("digest", [_incident(number % 7, port=number) for number in range(1, 200)])


def _delivery(action: Any, events: list[Any]) -> Delivery:
    news = tuple(
        News(
            entry=f"example/{number}",
            event=event,
            key=f"example/{number}",
            action=_action(event) if action == "digest" else None,
            link="https://portquorum.example.com/i/example" if number == 0 else "",
        )
        for number, event in enumerate(events)
    )
    at = _AT + 900_000
    return Delivery(
        id="example", channel=_CHANNEL, action=action, news=news, attempt=1, plain=False, at=at
    )


def _action(event: object) -> NewsAction:
    return "closed" if isinstance(event, IncidentEvent) and event.closed_at else "opened"


def _incident(number: int = 0, *, port: int = 5432, closed: bool = False) -> IncidentEvent:
    host = f"db{number}.example.com"
    down = RegionVerdict(verdict="down", reason="timed_out", since=_AT)
    up = RegionVerdict(verdict="up", since=_AT)
    return IncidentEvent(
        event_id=f"event-{number}",
        event="closed" if closed else "opened",
        incident_id=f"incident-{number}",
        incident_type="unreachable",
        severity="critical",
        target=f"db-{number}-{port}",
        name=f"Database {number}",
        kind="tcp",
        host=host,
        port=port,
        team="database" if number % 2 else None,
        tags=("prod",) if number % 3 else (),
        criticality="critical" if number % 2 else "normal",
        depends_on=(),
        regions={"eu-west": up if closed else down, "us-east": up},
        votes=Votes(down=0 if closed else 1, need=1, fresh=2, configured=2),
        first_failed_at=_AT,
        opened_at=_AT + 5_000,
        closed_at=_AT + 600_000 if closed else None,
        closed_because="recovered" if closed else None,
        at=_AT + (600_000 if closed else 5_000),
        host_targets=(HostTarget(target="ssh", name="SSH", kind="tcp", port=22, status="up"),),
        summary=f"{host}:{port} is unreachable from 1 of 2 regions (Connection timed out).",
        first_steps=() if closed else ("Look whether the service runs",),
        runbook="https://wiki.example.com/database" if number % 2 else None,
    )


_REGION: Final = RegionEvent(
    event_id="region-event",
    event="region.silent",
    region="eu-west",
    at=_AT,
    summary="No prober of region eu-west has reported for 30 s.",
    last_beat_at=_AT - 30_000,
)
_TARGETS: Final = TargetsEvent(
    event_id="targets-event",
    event="targets.unwatched",
    partition=0,
    cause_id="cause",
    severity="critical",
    count=12,
    most_critical=(UnwatchedTarget(target="db", name="Database", criticality="critical"),),
    silent_regions={"eu-west": _AT - 30_000},
    since=_AT,
    at=_AT + 60_000,
    summary="12 targets are not watched.",
)
_BROKEN: Final = ChannelEvent(
    event_id="channel-event",
    event="channel.broken",
    channel="example/0123456789abcdef/slack",
    since=_AT,
    at=_AT + 120_000,
    error="the channel answered 404 Not Found",
    waiting=2,
)
_MASS: Final = MassEvent(
    event_id="mass-event",
    event="mass.down",
    down=571,
    total=2_800,
    hosts=("gw1.example.com", "gw2.example.com"),
    since=_AT,
    at=_AT + 10_000,
)
_DRILL: Final = DrillEvent(
    event_id="drill-event",
    event="drill.overdue",
    every_ms=7 * DAY_MS,
    planned_at=0,
    last_at=_AT - 7 * DAY_MS,
    since=_AT,
    at=_AT,
)
