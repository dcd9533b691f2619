"""What may happen to a notifier: events, routes, channels, time, crashes."""

import sys
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.policy import Policy, Route, Team
from sinks.notifier.model import OutcomeKind
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.events import incident_event, targets_event
from tests.unit.sinks.notifier.reference.shell import HEALTHY, Crash, Decision, Mode, Shell, World
from tests.unit.sinks.notifier.reference.subject import DAY, HOUR, MINUTE, subject_key

TARGETS: Final[dict[str, dict[str, Any]]] = {
    "db": {"host": "one.example.com", "port": 5432, "team": "red", "tags": ("gold",)},
    "ssh": {"host": "one.example.com", "port": 22, "team": "red", "severity": "warning"},
    "web": {"host": "two.example.com", "port": 443, "team": "blue"},
    "beat": {"host": None, "port": None, "kind": "heartbeat", "team": None},
}
MANY: Final[dict[str, dict[str, Any]]] = {
    f"many{number}": {"host": f"h{number // 3}.example.com", "port": number + 1, "team": "red"}
    for number in range(12)
}
"""They fail together or not at all."""
ALL_TARGETS: Final = TARGETS | MANY
REGIONS: Final = ("eu", "us")
CAUSES: Final = ("c1", "c2")
PEOPLE: Final = ("mail://a", "mail://b", "chat://c", "sms://d")
ON_CALL: Final = ("pager://p", "pager://q", "alert://m")
URLS: Final = PEOPLE + ON_CALL
ROUTES: Final = ("day", "night", "both", "backup")
KINDS: Final[tuple[OutcomeKind, ...]] = (
    "uncertain",
    "unreachable",
    "refused",
    "misconfigured",
    "not_attempted",
)

target_names = st.sampled_from(tuple(TARGETS))
urls = st.sampled_from(URLS)
url_lists = st.lists(urls, min_size=1, max_size=3, unique=True).map(tuple)
route_names = st.sampled_from(ROUTES)
lags = st.sampled_from((0, 0, 0, 1, 400, 30_000, 2 * HOUR))
pauses = st.sampled_from((0, 1, 300, 1_999, 2_000, 2_001, 5_000, 30_000, 61_000))
fallbacks = st.lists(route_names, max_size=2, unique=True).map(tuple)
routes = st.builds(
    lambda urls, severities, tags, fallback, after, missed: {
        "urls": urls,
        "severities": severities,
        "tags": tags,
        "fallback": fallback,
        "fallback_after_ms": after,
        "missed": missed,
    },
    url_lists,
    st.sampled_from(((), (), (), ("critical",), ("critical", "warning"))),
    st.sampled_from(((), (), (), ("gold",))),
    fallbacks,
    st.sampled_from((10_000, 120_000)),
    st.sampled_from(("tell", "tell", "drop")),
)
teams = st.lists(route_names, max_size=3, unique=True).map(tuple)
persistent = st.builds(
    Mode,
    kind=st.sampled_from(("uncertain", "unreachable", "refused", "misconfigured")),
    arrives=st.booleans(),
    retry_after_s=st.sampled_from((None, None, 0.5, 30.0, 700.0, 90_000.0)),
)
passing = st.builds(
    Mode,
    kind=st.sampled_from(KINDS),
    arrives=st.booleans(),
    retry_after_s=st.sampled_from((None, None, None, 20.0)),
    once=st.just(True),
)
modes = persistent | passing | st.just(Mode(plain_only=True)) | st.just(Mode(hangs=True))
crashes = st.builds(
    Crash,
    where=st.sampled_from(("before", "cut", "announced", "in_flight", "in_flight", "unwritten")),
    cut=st.integers(0, 12),
    arrives=st.lists(st.booleans(), min_size=1, max_size=4).map(tuple),
    down_ms=st.sampled_from((0, 1_000, 15_000, 3 * MINUTE)),
    order=st.integers(0, 3),
)
closings = st.sampled_from(
    (
        "recovered",
        "recovered",
        "resolved",
        "target_removed",
        "target_changed",
        "target_paused",
        "policy_changed",
        "steady",
        "flapping",
        "abandoned",
        "abandoned",
    )
)


class Histories(RuleBasedStateMachine):
    make: Any = None
    """Gives a new decision; a test sets it."""
    usual_ms = 0
    mass_share = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.shell = Shell(self.new_decision, usual_ms=self.usual_ms, mass_share=self.mass_share)
        self.more: list[Policy] = []
        """Entries of the policy that are neither routes nor teams."""
        self.number = 0
        self.routes: dict[str, Route] = {}
        self.teams: dict[str, Team] = {}
        self.open: dict[str, IncidentEvent] = {}
        self.conditions: dict[tuple[str, str], RegionEvent] = {}
        self.unwatched: dict[int, tuple[str, int]] = {}
        """By partition: the cause and the number that were told last."""
        self.newest: dict[str, int] = {}
        self.ahead = 0
        """The broker's clock is this much ahead of the notifier's, which was set back."""

    def new_decision(self, world: World) -> Decision:
        decision: Decision = type(self).make(world)
        return decision

    def publish(self, make: Any, lag: int) -> Event:
        self.number += 1
        event: Event = make(f"e{self.number}", self.shell.now + self.ahead - lag)
        key = subject_key(event)
        # The log's order is the time's order; two events of one record share its time, but a
        # partition looks for unwatched targets each 10 s.
        at = max(event.at, self.newest.get(key, 0))
        if isinstance(event, TargetsEvent):
            key = f"partition {event.partition}"
            at = max(event.at, self.newest.get(key, 0) + 10_000)
        event = make(event.event_id, at)
        self.newest[key] = at
        self.shell.publish(event)
        return event

    # Policy

    @initialize(
        each=st.tuples(routes, routes, routes),
        red=st.lists(route_names, min_size=1, max_size=2, unique=True).map(tuple),
    )
    def begin(self, each: tuple[dict[str, Any], ...], red: tuple[str, ...]) -> None:
        for name, fields in zip(ROUTES, each, strict=False):
            self.routes[name] = Route(name=name, **fields)
        self.teams["red"] = Team(name="red", routes=red)
        self.apply()

    def apply(self) -> None:
        policy = [*self.routes.values(), *self.teams.values(), *self.more]
        self.shell.set_routes(Routes.of(policy))

    @rule(name=route_names, fields=routes)
    def set_route(self, name: str, fields: dict[str, Any]) -> None:
        self.routes[name] = Route(name=name, **fields)
        self.apply()

    @rule(name=route_names, urls=url_lists)
    def set_urls(self, name: str, urls: tuple[str, ...]) -> None:
        if name in self.routes:
            before = self.routes[name]
            fields = {one: getattr(before, one) for one in before.__struct_fields__}
            self.routes[name] = Route(**fields | {"urls": urls})
            self.apply()

    @rule(one=route_names, other=route_names)
    def swap_urls(self, one: str, other: str) -> None:
        if one in self.routes and other in self.routes:
            first, second = self.routes[one].urls, self.routes[other].urls
            self.set_urls_of(one, second)
            self.set_urls_of(other, first)
            self.apply()

    def set_urls_of(self, name: str, urls: tuple[str, ...]) -> None:
        before = self.routes[name]
        fields = {one: getattr(before, one) for one in before.__struct_fields__}
        self.routes[name] = Route(**fields | {"urls": urls})

    @rule(name=route_names)
    def turn_urls(self, name: str) -> None:
        """The same URLs in another order: nothing changes for anybody."""
        if name in self.routes:
            self.set_urls_of(name, self.routes[name].urls[::-1])
            self.apply()

    @rule(old=route_names, new=route_names)
    def rename_route(self, old: str, new: str) -> None:
        if old in self.routes and new not in self.routes:
            before = self.routes.pop(old)
            fields = {one: getattr(before, one) for one in before.__struct_fields__}
            self.routes[new] = Route(**fields | {"name": new})
            for name, team in self.teams.items():
                named = tuple(new if one == old else one for one in team.routes)
                self.teams[name] = Team(name=name, routes=named)
            self.apply()

    @rule(name=route_names)
    def remove_route(self, name: str) -> None:
        if self.routes.pop(name, None) is not None:
            self.apply()

    @rule(name=st.sampled_from(("red", "blue")), named=teams)
    def set_team(self, name: str, named: tuple[str, ...]) -> None:
        self.teams[name] = Team(name=name, routes=named)
        self.apply()

    # Events

    @rule(name=target_names, lag=lags)
    def open_incident(self, name: str, lag: int) -> None:
        if name in self.open:
            return
        incident = f"i{self.number + 1}"
        self.open[name] = self.incident(name, lag, event="opened", incident_id=incident)

    def incident(self, target: str, lag: int, **fields: Any) -> IncidentEvent:
        base: dict[str, Any] = {"target": target, "name": target, **ALL_TARGETS[target]}
        if target in self.open:
            before = self.open[target]
            kept = ("incident_id", "acknowledged_by", "episode", "tags", "team")
            began = ("first_failed_at", "opened_at")
            base |= {one: getattr(before, one) for one in (*kept, *began)}

        def make(event_id: str, at: int) -> IncidentEvent:
            now = {"first_failed_at": at - 3_000, "opened_at": at, "event_id": event_id, "at": at}
            return incident_event(**now | base | fields)

        event = self.publish(make, lag)
        assert isinstance(event, IncidentEvent)
        return event

    @precondition(lambda self: self.open)
    @rule(data=st.data(), lag=lags)
    def improve(self, data: st.DataObject, lag: int) -> None:
        target = data.draw(st.sampled_from(sorted(self.open)))
        if self.open[target].event != "improved":
            self.open[target] = self.incident(target, lag, event="improved")

    @precondition(lambda self: self.open)
    @rule(data=st.data(), lag=lags, numbered=st.booleans())
    def worsen(self, data: st.DataObject, lag: int, numbered: bool) -> None:
        target = data.draw(st.sampled_from(sorted(self.open)))
        before = self.open[target]
        fields: dict[str, Any] = {"event": "worsened", "acknowledged_by": None}
        if numbered:
            last = before.episode if isinstance(before.episode, int) else 1
            fields["episode"] = max(last, self.episodes(before.incident_id)) + 1
        elif isinstance(before.episode, int):
            return
        self.open[target] = self.incident(target, lag, **fields)

    def episodes(self, incident: str) -> int:
        subject = self.shell.judge.subjects.get(f"incident/{incident}")
        return 1 if subject is None else subject.episode

    @precondition(lambda self: self.open)
    @rule(data=st.data(), lag=lags)
    def acknowledge(self, data: st.DataObject, lag: int) -> None:
        target = data.draw(st.sampled_from(sorted(self.open)))
        by = f"ann{self.number}"
        self.open[target] = self.incident(target, lag, event="updated", acknowledged_by=by)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), lag=lags, team=st.sampled_from((None, "red", "blue")))
    def change_team(self, data: st.DataObject, lag: int, team: str | None) -> None:
        """The target's team and tags are others from now on."""
        target = data.draw(st.sampled_from(sorted(self.open)))
        tags = () if team == "red" else ("gold",)
        self.open[target] = self.incident(target, lag, event="updated", team=team, tags=tags)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), lag=lags, because=closings)
    def close(self, data: st.DataObject, lag: int, because: str) -> None:
        target = data.draw(st.sampled_from(sorted(self.open)))
        self.close_one(target, lag, because)

    def close_one(self, target: str, lag: int, because: str) -> None:
        self.incident(target, lag, event="closed", closed_because=because, closed_at=self.shell.now)
        del self.open[target]

    @rule(region=st.sampled_from(REGIONS), what=st.sampled_from(("silent", "suspect")), lag=lags)
    def region(self, region: str, what: str, lag: int) -> None:
        ended = {"silent": "region.returned", "suspect": "region.cleared"}
        kind: Any = f"region.{what}"
        if self.conditions.pop((region, what), None) is not None:
            kind = ended[what]
        event = self.publish(
            lambda event_id, at: RegionEvent(
                event_id=event_id, event=kind, region=region, at=at, summary="It is so."
            ),
            lag,
        )
        assert isinstance(event, RegionEvent)
        if kind == f"region.{what}":
            self.conditions[region, what] = event

    @rule(
        cause=st.sampled_from(CAUSES),
        partition=st.integers(0, 2),
        count=st.sampled_from((0, 0, 1, 5, 5, 40)),
        severity=st.sampled_from(("critical", "warning")),
        lag=lags,
    )
    def unwatch(self, cause: str, partition: int, count: int, severity: str, lag: int) -> None:
        told, before = self.unwatched.get(partition, (cause, 0))
        if not count:
            cause = told
        if (cause, count) == (told, before):
            return
        self.unwatched[partition] = (cause, count)
        self.publish(
            lambda event_id, at: targets_event(
                event_id=event_id,
                event="targets.unwatched" if count else "targets.watched",
                partition=partition,
                cause_id=cause,
                severity=severity,
                count=count,
                at=at,
                since=at,
            ),
            lag,
        )

    @precondition(lambda self: self.shell.log)
    @rule(back=st.integers(1, 30))
    def read_again(self, back: int) -> None:
        """An event that was read before comes once more (a stream that restarts sends it again)."""
        log = self.shell.log[: self.shell.read]
        event = log[max(0, len(log) - back)]
        if self.shell.now - event.at < 20 * HOUR:
            self.shell.take(event)

    # Channels

    @rule(url=urls, mode=modes)
    def break_channel(self, url: str, mode: Mode) -> None:
        self.shell.note(f"{url} is {mode}")
        self.shell.modes[url] = mode

    @rule(url=urls)
    def mend_channel(self, url: str) -> None:
        self.shell.note(f"{url} works")
        self.shell.modes[url] = HEALTHY

    @rule()
    def mend_all(self) -> None:
        self.shell.note("all channels work")
        self.shell.modes.clear()

    @rule(url=urls, mode=st.just(HEALTHY) | passing)
    def answer(self, url: str, mode: Mode) -> None:
        """What hangs gets its answer."""
        self.shell.end_hanging(url, mode)

    @precondition(lambda self: self.routes)
    @rule(
        data=st.data(),
        name=target_names,
        mode=persistent,
        then=st.sampled_from(("close", "close", "worsen", "edit", "wait", "crash", "again")),
        simple=st.booleans(),
    )
    def outage_with_a_broken_channel(
        self, data: st.DataObject, name: str, mode: Mode, then: str, simple: bool
    ) -> None:
        """What is seen most: a channel does not work, an outage comes, and something else."""
        if simple:
            self.two_channels_and_a_fallback()
        url = data.draw(st.sampled_from(sorted({u for r in self.routes.values() for u in r.urls})))
        self.break_channel(url, mode)
        self.open_incident(name, 0)
        self.shell.advance(3_000)
        match then:
            case "close":
                self.close_one(name, 0, "recovered")
            case "worsen":
                fields = {"event": "worsened", "acknowledged_by": None}
                number = self.episodes(self.open[name].incident_id) + 1
                self.open[name] = self.incident(name, 0, **fields, episode=number)
            case "edit":
                self.replace_url(url, data.draw(urls))
            case "wait":
                self.shell.advance(6_000)
            case "crash":
                self.crash(Crash("in_flight", arrives=(True, False)))
            case _:
                self.open[name] = self.incident(name, 0, event="improved")
        self.shell.advance(3_000)
        self.mend_channel(url)
        self.shell.advance(75_000)

    @rule(name=target_names, then=st.sampled_from(("acknowledge", "worsen", "close")))
    def something_hangs_while_a_refresh_is_due(self, name: str, then: str) -> None:
        """A refresh beside a message of the same key could open it again, or undo it."""
        self.routes = {"day": Route(name="day", urls=("alert://m", "mail://a"))}
        self.teams = {}
        self.apply()
        self.mend_channel("alert://m")
        self.open_incident(name, 0)
        self.shell.advance(45_000)
        self.break_channel("alert://m", Mode(hangs=True))
        match then:
            case "acknowledge":
                fields: dict[str, Any] = {"event": "updated", "acknowledged_by": "bob"}
                self.open[name] = self.incident(name, 0, **fields)
            case "worsen":
                fields = {"event": "worsened", "acknowledged_by": None}
                number = self.episodes(self.open[name].incident_id) + 1
                self.open[name] = self.incident(name, 0, **fields, episode=number)
            case _:
                self.close_one(name, 0, "recovered")
        self.shell.advance(28_000)
        self.shell.end_hanging("alert://m", HEALTHY)
        self.shell.advance(75_000)

    @precondition(lambda self: self.routes and not self.shell.log)
    @rule(
        data=st.data(),
        names=st.lists(target_names, min_size=1, max_size=3, unique=True),
        then=st.lists(st.sampled_from(("updated", "improved", "worsened", "closed")), max_size=3),
        region=st.booleans(),
    )
    def take_over_from_first_version(
        self, data: st.DataObject, names: list[str], then: list[str], region: bool
    ) -> None:
        """The first start after version 0.1: what is open, and who confirmed it, is adopted."""
        told = st.lists(urls, max_size=4, unique=True)
        for name in names:
            incident = f"i{self.number + 1}"
            known = data.draw(told)
            self.open[name] = self.adopt_incident(name, "opened", known, incident_id=incident)
            for what in then:
                # 0.1 told no more than the outage, that it got worse, and the end.
                known = data.draw(told) if what in ("worsened", "closed") else known
                fields: dict[str, Any] = {}
                if what == "closed":
                    fields = {"closed_because": "recovered", "closed_at": self.shell.now}
                event = self.adopt_incident(name, what, known, **fields)
                if what == "closed":
                    del self.open[name]
                    break
                self.open[name] = event
        if region:
            silent = RegionEvent(
                event_id=f"e{self.number + 1}",
                event="region.silent",
                region="eu",
                at=self.shell.now,
                summary="It is so.",
            )
            self.number += 1
            self.newest[subject_key(silent)] = silent.at
            self.conditions["eu", "silent"] = silent
            self.shell.adopt(silent, data.draw(told))
        self.shell.write()

    def adopt_incident(
        self, name: str, what: str, confirmed: list[str], **fields: Any
    ) -> IncidentEvent:
        self.number += 1
        base: dict[str, Any] = {"target": name, "name": name, **TARGETS[name], **fields}
        if name in self.open:
            base["incident_id"] = self.open[name].incident_id
        at = max(self.shell.now, self.newest.get(f"incident/{base['incident_id']}", 0))
        event = incident_event(event_id=f"e{self.number}", event=what, at=at, **base)
        self.newest[subject_key(event)] = at
        self.shell.adopt(event, confirmed)
        return event

    def two_channels_and_a_fallback(self) -> None:
        day = Route(
            name="day",
            urls=("mail://a", "pager://p", "chat://c"),
            fallback=("backup",),
            fallback_after_ms=10_000,
        )
        self.routes = {
            "day": day,
            "backup": Route(name="backup", urls=("sms://d",), severities=("info",)),
        }
        self.teams = {}
        self.apply()

    def replace_url(self, old: str, new: str) -> None:
        for route in sorted(self.routes):
            listed = tuple(new if one == old else one for one in self.routes[route].urls)
            self.set_urls_of(route, tuple(dict.fromkeys(listed)))
        self.apply()

    # Time

    @rule(ms=pauses)
    def wait(self, ms: int) -> None:
        self.shell.advance(ms)

    @rule(ms=st.sampled_from((2 * MINUTE, 2 * MINUTE, HOUR, DAY)))
    def wait_long(self, ms: int) -> None:
        self.shell.advance(ms)

    @rule(ms=st.sampled_from((10_000, 10 * MINUTE)))
    def suspend(self, ms: int) -> None:
        self.shell.suspend(ms)

    @rule(ms=st.sampled_from((1_000, HOUR)))
    def set_clock_back(self, ms: int) -> None:
        self.shell.set_clock_back(ms)
        self.ahead += ms

    @rule(crash=crashes)
    def crash(self, crash: Crash) -> None:
        self.shell.crash(crash)

    # The end

    def teardown(self) -> None:
        if sys.exc_info()[0] is not None:
            # A step was wrong already.
            return
        self.shell.rest()
        for target in sorted(self.open):
            self.close_one(target, 0, "recovered")
        for region, what in sorted(self.conditions):
            self.region(region, what, 0)
        for partition, (cause, _) in sorted(self.unwatched.items()):
            self.unwatch(cause, partition, 0, "critical", 0)
        self.shell.rest()
        self.shell.much_later(self.ahead)
