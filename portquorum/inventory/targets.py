"""Converts a target from its written to its published form: defaults, id, host and limits."""

from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from portquorum.inventory import duration, expected_closed, heartbeats, kind_names, latency
from portquorum.inventory.decode import Entry
from portquorum.inventory.document import DefaultsEntry, LatencyEntry, TargetEntry, TeamEntry
from portquorum.inventory.errors import Problem
from portquorum.inventory.groups import PortGroups
from portquorum.inventory.host_text import beside
from portquorum.inventory.places import default_port, place_text
from portquorum.inventory.probes import ProbeError, probe_of
from portquorum.inventory.retries import default_retries, series_ms
from producers.checks import name_server
from producers.kinds.registry import KINDS
from schemas.partition import canonical_host
from schemas.policy import Team
from schemas.probe import Probe
from schemas.target import CRITICALITY_INTERVAL_MS, LatencyLimit, Target
from schemas.target_id import slug

BUILT_IN: Final[dict[str, Any]] = {
    "criticality": "normal",
    "timeout": "3s",
    "retry_delay": "1s",
    "consensus": "quorum",
    "open_after": "0s",
    "recover_after": 1,
    "abandon_after": "30m",
    "tags": (),
}
"""Values if neither the target nor `defaults:` has one; for `retries` see `retries.py`."""

_SERIES: Final = ("interval", "timeout", "retries", "retry_delay")
"""Fields that decide whether a series of attempts fits within the interval."""

_LIMITS_MS: Final = {
    "interval": (1000, 86_400_000),
    "timeout": (50, 3_600_000),
    "retry_delay": (0, 86_400_000),
    "open_after": (0, 86_400_000),
    "abandon_after": (0, 86_400_000),
}


class _Spans(Struct):
    interval: int
    timeout: int
    retry_delay: int
    open_after: int
    abandon_after: int


class TargetResolver:
    """Resolves targets one by one, and adds problems to `problems`.

    `regions` are those of a target without its own, `goals` the teams, `groups` those of ports.
    """

    def __init__(
        self,
        source: str,
        defaults: Entry[DefaultsEntry] | None,
        problems: list[Problem],
        now: int | None = None,
    ) -> None:
        """`now`: UTC ms, None: that of this machine's clock."""
        self.regions: tuple[str, ...] = ()
        self.goals: dict[str, TeamEntry | Team] = {}
        self.groups = PortGroups()
        self._source = source
        self._defaults = defaults.value if defaults is not None else DefaultsEntry()
        self._defaults_entry = defaults
        self._problems = problems
        self._now = heartbeats.now_ms() if now is None else now

    def resolve(self, entry: Entry[TargetEntry]) -> Target | None:
        """The target, or None if it can't be built (the problems say why)."""
        before = len(self._problems)
        value = entry.value
        if value.kind == heartbeats.KIND or value.kind in KINDS:
            for field, wrong in heartbeats.misplaced(value) if "kind" not in entry.dropped else ():
                self._say(entry, field, wrong)
        else:
            self._say(entry, "kind", kind_names.unknown(value.kind))
        if value.kind == heartbeats.KIND:
            return self._job(entry, before)
        if value.host is None and heartbeats.is_like_one(value):  # what it is was told
            return None
        host = self._host(entry)
        port = self._port(entry)
        probe = self._probe(entry, port)
        spans = self._spans(entry)
        regions = tuple(dict.fromkeys(self.value(entry, "regions") or self.regions))
        limit = None if value.expect == "closed" else self._latency(entry)
        if value.expect == "closed":
            self._closed(entry, probe)
        resolver = self._resolver(entry)
        if spans is not None:
            retries = self._retries(entry, len(regions), spans)
            self._fits(entry, spans, retries, limit)
            self._of_kind(entry, spans, probe)
        target_id = self._must_have_id(entry)
        if len(self._problems) > before or spans is None or entry.dropped:
            return None
        return Target(
            id=target_id,
            name=value.name or place_text(host, port),
            kind=value.kind,
            host=host,
            port=port,
            regions=regions,
            interval_ms=spans.interval,
            timeout_ms=spans.timeout,
            version=0,
            source=self._source,
            retries=retries,
            retry_delay_ms=spans.retry_delay,
            consensus=self.value(entry, "consensus"),
            open_after_ms=spans.open_after,
            recover_after=self.value(entry, "recover_after"),
            abandon_after_ms=spans.abandon_after,
            latency=limit,
            max_ms=None if value.expect == "closed" else self._max_ms(entry),
            probe=probe,
            resolver=resolver,
            expect=value.expect,
            **self._whatever_kind(entry),
        )

    def _job(self, entry: Entry[TargetEntry], before: int) -> Target | None:
        """A target that reports itself; `before` is the number of problems that others have."""
        value = entry.value
        target_id = self._must_have_id(entry)
        if not target_id and not entry.dropped and not value.name:
            self._say(entry, "name", f"expected a name or an id of a {value.kind}, found neither")
        try:
            probe = heartbeats.probe_of(
                value, self.value(entry, "criticality"), self._defaults.zone, self._now
            )
        except heartbeats.HeartbeatError as error:
            self._say(entry, error.field, str(error))
            return None
        if len(self._problems) > before or entry.dropped:
            return None
        return Target(
            id=target_id,
            name=value.name or target_id,
            kind=value.kind,
            host=None,
            port=None,
            regions=heartbeats.REGIONS,
            interval_ms=heartbeats.placeholder_interval_ms(probe),
            timeout_ms=heartbeats.TIMEOUT_MS,
            version=0,
            source=self._source,
            retries=0,
            probe=probe,
            **self._whatever_kind(entry),
        )

    def _whatever_kind(self, entry: Entry[TargetEntry]) -> dict[str, Any]:
        """The fields that targets of each kind have."""
        value = entry.value
        return {
            "criticality": self.value(entry, "criticality"),
            "team": self.value(entry, "team"),
            "purpose": value.purpose,
            "tags": self.value(entry, "tags"),
            "depends_on": self.groups.ids(value.depends_on),
            "runbook": self.value(entry, "runbook"),
            "slo": self._goal(entry, "slo"),
            "downtime_cost_per_hour": self._goal(entry, "downtime_cost_per_hour"),
            "enabled": value.enabled,
        }

    def _must_have_id(self, entry: Entry[TargetEntry]) -> str:
        target_id = self.id_of(entry)
        if not target_id and entry.value.name and not entry.dropped:
            expected = "expected an `id:`, since none can be made from the name"
            self._say(entry, "name", f"{expected} {entry.value.name!r}")
        return target_id

    def id_of(self, entry: Entry[TargetEntry]) -> str:
        """The id of a target, even of one with problems; empty if there is none."""
        value = entry.value
        if value.id or "id" in entry.dropped:
            return value.id or ""
        if value.name:
            return slug(value.name)
        try:
            port = default_port(value.kind) if value.port is None else value.port
            return slug(place_text(canonical_host(value.host or ""), port))
        except ValueError:
            return ""

    def group_of(self, entry: Entry[TargetEntry]) -> str:
        """The id of the entry of which a target is one port; empty if it has none."""
        whole = entry.whole
        return "" if whole is None else whole.id or slug(whole.name or "")

    def _say(self, entry: Entry[Any], field: str, message: str) -> None:
        inherited = getattr(entry.value, field) is None and field not in entry.dropped
        if inherited and self._defaults_entry is not None and getattr(self._defaults, field, None):
            entry = self._defaults_entry
        self._problems.append(Problem(entry.where(field), message))

    def value(self, entry: Entry[TargetEntry], field: str) -> Any:
        """The value of a field of `Policy`: the target's own, the default, or the built-in one."""
        own = getattr(entry.value, field)
        if own is not None:
            return own
        default = getattr(self._defaults, field)
        return BUILT_IN.get(field) if default is None else default

    def _goal(self, entry: Entry[TargetEntry], field: str) -> float | None:
        """The value of a field that teams have too: the target's, the team's, or the default."""
        own: float | None = getattr(entry.value, field)
        team = self.goals.get(self.value(entry, "team") or "")
        of_team: float | None = None if team is None else getattr(team, field)
        return next(
            (one for one in (own, of_team, getattr(self._defaults, field)) if one is not None), None
        )

    def _host(self, entry: Entry[TargetEntry]) -> str | None:
        written = entry.value.host
        if written is None:
            if "host" in entry.dropped:
                return None
            self._say(entry, "host", "expected a host name or an IP address, found none")
            return None
        kind = KINDS.get(entry.value.kind)
        try:
            host = canonical_host(written)
            if kind is not None and kind.check_host is not None:
                kind.check_host(host)
            return host  # noqa: TRY300  (both may refuse it)
        except ValueError as error:
            self._say(entry, "host", f"{error}{beside(written)}")
            return None

    def _port(self, entry: Entry[TargetEntry]) -> int | None:
        value = entry.value
        kind = KINDS.get(value.kind)
        if kind is not None and not kind.has_port:
            if value.port is not None:
                self._say(entry, "port", f"expected none ({value.kind} knows no ports)")
            return None
        port = default_port(value.kind) if value.port is None else value.port
        # A host that is a URL or has a port says it in the wrong place, and that was told.
        is_known = entry.dropped.isdisjoint(("port", "kind")) and not beside(value.host or "")
        if port is None and kind is not None and is_known:
            self._say(entry, "port", "expected a port from 1 to 65535, found none")
        return port

    def _probe(self, entry: Entry[TargetEntry], port: int | None) -> Probe | None:
        value = entry.value
        if value.kind not in KINDS or "probe" in entry.dropped:
            return None
        try:
            return probe_of(value.kind, value.probe, port, entry.tree("probe"))
        except ProbeError as error:
            where = entry.where("probe", *error.path)
            line = entry.where("probe", *error.path, *error.inner).line
            self._problems.append(Problem(replace(where, line=line), str(error)))
            return None

    def _closed(self, entry: Entry[TargetEntry], probe: Probe | None) -> None:
        """Problems of a port that must be closed."""
        for field, wrong in expected_closed.problems(entry.value, probe):
            self._say(entry, field, wrong)

    def _spans(self, entry: Entry[TargetEntry]) -> _Spans | None:
        found: dict[str, int] = {}
        for field, (least, most) in _LIMITS_MS.items():
            written = self._span(entry, field)
            if written is None:  # an interval that is not written follows from the criticality
                found[field] = CRITICALITY_INTERVAL_MS[self.value(entry, "criticality")]
                continue
            found[field] = duration.parse_ms(written)
            if not least <= found[field] <= most:
                limits = f"{duration.text(least)} to {duration.text(most)}"
                self._say(entry, field, f"expected {limits}, found {written}")
                return None
        return _Spans(**found)

    def _span(self, entry: Entry[TargetEntry], field: str) -> str | None:
        """The length of time of a field: the target's own, the kind's, or as any other field."""
        kind = KINDS.get(entry.value.kind)
        of_kind = None if kind is None else kind.spans.get(field)
        own: str | None = getattr(entry.value, field)
        found: str | None = own or of_kind or self.value(entry, field)
        return found

    def _retries(self, entry: Entry[TargetEntry], regions: int, spans: _Spans) -> int:
        written: int | None = self.value(entry, "retries")
        if written is not None:
            return written
        return default_retries(regions, spans.interval, spans.timeout, spans.retry_delay)

    def _latency(self, entry: Entry[TargetEntry]) -> LatencyLimit | None:
        written: LatencyEntry | None = self.value(entry, "latency")
        kind = KINDS.get(entry.value.kind)
        if written is None or (kind is not None and kind.asks_others):
            return None
        try:
            return latency.limit(written, entry.value.kind)
        except ValueError as error:
            self._say(entry, "latency", str(error))
            return None

    def _resolver(self, entry: Entry[TargetEntry]) -> str | None:
        """The name server in its shortest spelling, so that targets share its answers."""
        written: str | None = self.value(entry, "resolver")
        if written is None:
            return None
        try:
            return str(name_server.place_of(written))
        except ValueError as error:
            self._say(entry, "resolver", str(error))
            return None

    def _max_ms(self, entry: Entry[TargetEntry]) -> float | None:
        """The longest time of a check that is up; none of a kind that asks somebody else."""
        kind = KINDS.get(entry.value.kind)
        if kind is not None and kind.asks_others:
            return None
        found: float | None = self.value(entry, "max_ms")
        return found

    def _of_kind(self, entry: Entry[TargetEntry], spans: _Spans, probe: Probe | None) -> None:
        """The problems of a kind that asks somebody else than the target."""
        kind = KINDS.get(entry.value.kind)
        if kind is None or not kind.asks_others:
            return
        for field in ("max_ms", "latency"):
            if getattr(entry.value, field) is not None:
                text = f"expected none ({entry.value.kind} asks somebody else, whose time it is)"
                self._say(entry, field, text)
        least_ms = kind.least_interval_ms(probe) if kind.least_interval_ms is not None else 0
        if spans.interval < least_ms:
            self._say(
                entry,
                "interval",
                f"expected an interval of at least {duration.text(least_ms)} for "
                f"{entry.value.kind}, found {duration.text(spans.interval)}: registries lock out "
                "whoever asks more often",
            )

    def _fits(
        self, entry: Entry[TargetEntry], spans: _Spans, retries: int, limit: LatencyLimit | None
    ) -> None:
        text = duration.text
        series = series_ms(retries, spans.timeout, spans.retry_delay)
        # Where the target itself says one of these, not at the default that does for the others.
        own = (field for field in _SERIES if getattr(entry.value, field) is not None)
        where = next(own, "interval")
        if spans.interval < spans.timeout:
            self._say(
                entry,
                where,
                f"expected an interval of at least the timeout ({text(spans.timeout)}), "
                f"found {text(spans.interval)}",
            )
        elif spans.interval < series:
            self._say(
                entry,
                where,
                f"expected an interval of at least {text(series)}, the longest retry series "
                f"({retries + 1} × {text(spans.timeout)} timeout + {retries} × "
                f"{text(spans.retry_delay)} retry_delay), found {text(spans.interval)}",
            )
        wrong = None if limit is None else latency.misfit(limit, spans.interval, spans.timeout)
        if wrong is not None:
            self._say(entry, "latency", wrong)
        most_ms = self._max_ms(entry)
        if most_ms is not None and most_ms >= spans.timeout:
            below = text(spans.timeout)
            self._say(
                entry, "max_ms", f"expected it below the timeout ({below}), found {most_ms:g}"
            )
