"""What spares people and what comes by time, drawn into the histories of a notifier."""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from msgspec.structs import replace

from schemas.incident import IncidentEvent
from schemas.policy import (
    EscalationStep,
    Hours,
    Limit,
    Maintenance,
    Person,
    Quiet,
    Rotation,
    Silence,
)
from sinks.notifier.model import TargetFacts
from tests.unit.sinks.notifier.reference.histories import (
    ALL_TARGETS,
    MANY,
    Histories,
    lags,
    route_names,
    target_names,
    urls,
)
from tests.unit.sinks.notifier.reference.shell import Crash
from tests.unit.sinks.notifier.reference.subject import MINUTE

ZONE: Final = "Europe/Berlin"
"""The histories begin there on a Tuesday at three in the morning."""

CHAIN: Final = ("db", "web", "ssh")
"""Each may depend on those before it, so that nothing depends on itself."""

hours = st.sampled_from(
    (
        Hours(begin="03:00", end="03:01"),
        Hours(begin="03:01", end="03:03"),
        Hours(begin="03:02", end="05:00"),
        Hours(begin="22:00", end="03:05"),
        Hours(days=("tue",), begin="03:00", end="04:00"),
        Hours(begin="04:00", end="03:02"),
    )
)
severities = st.sampled_from(((), ("critical",), ("warning",)))
rotations = st.builds(
    lambda first, second, handover: Rotation(
        people=(Person(name="ann", urls=(first,)), Person(name="bob", urls=(second,))),
        since="2026-11-30",
        days=1,
        handover=handover,
    ),
    urls,
    urls,
    st.sampled_from(("03:01", "03:05", "09:00")),
)
timed = st.one_of(
    st.builds(lambda one: {"when": (one,)}, hours),
    st.builds(lambda one: {"rotation": one}, rotations),
    st.builds(lambda one, loud: {"quiet": Quiet(hours=(one,), unless=loud)}, hours, severities),
    st.builds(
        lambda one: {"remind_every_ms": one}, st.sampled_from((MINUTE, 10 * MINUTE, 60 * MINUTE))
    ),
    st.builds(
        lambda after, name: {"escalate": (EscalationStep(after_ms=after, routes=(name,)),)},
        st.sampled_from((MINUTE, 5 * MINUTE)),
        route_names,
    ),
    st.builds(
        lambda most, per: {"limit": Limit(messages=most, per_ms=per)},
        st.sampled_from((1, 2, 3)),
        st.sampled_from((MINUTE, 60 * MINUTE)),
    ),
    st.builds(lambda one: {"group_interval_ms": one}, st.sampled_from((10_000, 30_000))),
    st.sampled_from(({"stop": True}, {"default": True}, {"operators": True}, {"teams": ("*",)})),
)
extras = st.lists(timed, min_size=1, max_size=2).map(
    lambda many: {"timezone": ZONE} | {name: one for each in many for name, one in each.items()}
)
matches = st.one_of(
    st.builds(lambda one: {"targets": (one,)}, target_names | st.just("*b")),
    st.builds(lambda one: {"severities": (one,)}, st.sampled_from(("critical", "warning"))),
    st.sampled_from(({}, {"teams": ("red",)}, {"tags": ("go*",)}, {"kinds": ("tcp",)})),
)
spans = st.sampled_from((MINUTE, 2 * MINUTE, 10 * MINUTE, 120 * MINUTE))
starts = st.sampled_from((-MINUTE, 0, 0, 1_000, 30_000))


class TimelyHistories(Histories):
    """`silence` adds and ends silences, and so on: any of it beside all of the rest."""

    @initialize(
        pairs=st.sets(st.sampled_from((("web", "db"), ("ssh", "db"), ("ssh", "web"))), max_size=2),
        settle=st.sampled_from((5_000, 40_000, 90_000)),
        answer=st.sampled_from((3_000, 15_000)),
        total=st.sampled_from((0, 20, 20, 100)),
    )
    def know_targets(
        self, pairs: set[tuple[str, str]], settle: int, answer: int, total: int
    ) -> None:
        self.shell.total = total
        for number, (name, fields) in enumerate(ALL_TARGETS.items()):
            self.shell.facts[name] = TargetFacts(
                id=name,
                name=name,
                place=f"{fields['host']}:{fields['port']}",
                tags=tuple(fields.get("tags", ())),
                depends_on=tuple(sorted(on for one, on in pairs if one == name)),
                settle_ms=settle + number * 1_000,
                answer_ms=answer,
            )
            self.shell.note(f"facts {self.shell.facts[name]}")

    @precondition(lambda self: self.routes)
    @rule(data=st.data(), more=extras)
    def set_more(self, data: st.DataObject, more: dict[str, Any]) -> None:
        """A route goes by hours, a rotation, quiet hours, a limit, reminders, escalation."""
        name = data.draw(st.sampled_from(sorted(self.routes)))
        self.routes[name] = replace(self.routes[name], **more)
        self.apply()

    @rule(fields=matches, start=starts, span=spans)
    def add_silence(self, fields: dict[str, Any], start: int, span: int) -> None:
        now = self.shell.now
        self.number += 1
        silence = Silence(
            name=f"s{self.number}",
            begins_at=now + start,
            ends_at=now + start + span,
            reason="we know",
            by="ann",
            created_at=now,
            **fields,
        )
        self.more.append(silence)
        self.shell.note(f"silence {silence}")
        self.apply()

    @precondition(lambda self: any(isinstance(one, Silence) for one in self.more))
    @rule(data=st.data())
    def end_silence(self, data: st.DataObject) -> None:
        """A silence is ended early."""
        names = sorted(one.name for one in self.more if isinstance(one, Silence))
        name = data.draw(st.sampled_from(names))
        for number, one in enumerate(self.more):
            if isinstance(one, Silence) and one.name == name and one.ends_at > self.shell.now:
                ended = replace(one, ends_at=max(self.shell.now, one.begins_at), ended_by="bob")
                self.more[number] = ended
                self.shell.note(f"ended {ended}")
        self.apply()

    @rule(
        of=st.sampled_from(("db", "web", "tag:gold", "ssh")),
        start=starts,
        span=spans,
        daily=st.booleans(),
    )
    def plan_maintenance(self, of: str, start: int, span: int, daily: bool) -> None:
        self.number += 1
        window = Maintenance(
            name=f"m{self.number}",
            targets=(of,),
            start=(self.shell.now + start) // 1000 * 1000,
            duration_ms=span,
            rrule="FREQ=DAILY" if daily else None,
            timezone=ZONE,
        )
        self.more.append(window)
        self.shell.note(f"maintenance {window}")
        self.apply()

    @rule(name=st.sampled_from(CHAIN), kind=st.sampled_from(("slow", "flapping")), lag=lags)
    def open_another_kind(self, name: str, kind: str, lag: int) -> None:
        if name in self.open:
            return
        incident = f"i{self.number + 1}"
        fields = {"event": "opened", "incident_id": incident, "incident_type": kind}
        self.open[name] = self.incident(name, lag, **fields)

    @rule(name=st.sampled_from(CHAIN), lag=lags)
    def flap(self, name: str, lag: int) -> None:
        """Up and down so often that it is called flapping: one incident ends by another."""
        if name in self.open and self.open[name].incident_type == "unreachable":
            self.close_one(name, lag, "flapping")
            self.open_another_kind(name, "flapping", lag)

    @rule(order=st.permutations(CHAIN), pause=st.sampled_from((0, 500, 2_500)), back=st.booleans())
    def gateway_fails(self, order: list[str], pause: int, back: bool) -> None:
        """What depends on each other fails, in any order, and comes back or does not."""
        for name in order:
            self.open_incident(name, 0)
            self.shell.advance(pause)
        self.shell.advance(5_000)
        if back and "db" in self.open:
            self.close_one("db", 0, "recovered")
            self.shell.advance(120_000)

    @rule(
        number=st.sampled_from((9, 10, 12)),
        pause=st.sampled_from((0, 500, 6_000)),
        then=st.sampled_from(("wait", "crash", "end", "end")),
    )
    def many_fail(self, number: int, pause: int, then: str) -> None:
        for name in list(MANY)[:number]:
            self.open_incident(name, 0)
            self.shell.advance(pause)
        if then == "crash":
            self.crash(Crash("in_flight", arrives=(True, False)))
        self.shell.advance(45_000)
        if then == "end":
            for name in MANY:
                if name in self.open:
                    self.close_one(name, 0, "recovered")
            self.shell.advance(61_000)

    @precondition(lambda self: self.open)
    @rule(ms=st.sampled_from((MINUTE, 5 * MINUTE, 11 * MINUTE)))
    def stay_down(self, ms: int) -> None:
        self.shell.advance(ms)

    def incident(self, target: str, lag: int, **fields: Any) -> IncidentEvent:
        before = self.open.get(target)
        if before is not None:
            fields = {"incident_type": before.incident_type, **fields}
        return super().incident(target, lag, **fields)
