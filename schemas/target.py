"""A target: one thing to check, with its policy; the value of [targets]."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas._types import (
    DurationMs,
    ExpectedState,
    Host,
    Kind,
    LongText,
    Millis,
    Name,
    Names,
    Port,
    RegionName,
    TargetId,
    Text,
)
from schemas.json_decoder import JsonDecoder
from schemas.probe import Probe

Criticality = Literal["critical", "important", "normal"]
CRITICALITY_INTERVAL_MS: dict[Criticality, int] = {
    "critical": 30_000,
    "important": 60_000,
    "normal": 300_000,
}

Regions = Annotated[tuple[RegionName, ...], Meta(min_length=1, max_length=1_000)]
IntervalMs = Annotated[int, Meta(ge=1000, le=86_400_000)]
TimeoutMs = Annotated[int, Meta(ge=50, le=3_600_000)]
Retries = Annotated[int, Meta(ge=0, le=10)]
RecoverAfter = Annotated[int, Meta(ge=1, le=100)]
Fraction = Annotated[float, Meta(gt=0, le=1)]
Consensus = Literal["quorum", "unanimous"] | Fraction
MaxMs = Annotated[float, Meta(gt=0, le=3_600_000)]
"""The longest time of a check that is up."""

Slo = Annotated[float, Meta(ge=50, le=100)]
"""The uptime objective, in percent."""

Price = Annotated[float, Meta(ge=0, le=1e12)]
"""The cost of an hour, in the currency of the inventory."""


class LatencyLimit(Struct, frozen=True, gc=False, kw_only=True):
    """The conditions for a slow target (rule 7 of docs/rules.md).

    `max_ms`: the highest normal connect time. `times_usual`: the highest normal multiple of the
    usual connect time (to a thousandth). At least one of the two is set. `warn_ahead_ms`: a rising
    connect time that will reach `max_ms` within this time is slow, too (only with `max_ms`).
    `for_results`: the number of consecutive slow results that is needed. `of`: the time that is
    meant, of the connection or of the whole check (`total_ms`).
    """

    max_ms: Annotated[float, Meta(gt=0, le=86_400_000)] | None = None
    for_results: Annotated[int, Meta(ge=1, le=1000)] = 3
    times_usual: Annotated[float, Meta(ge=1.5, le=1000)] | None = None
    warn_ahead_ms: Annotated[int, Meta(ge=1, le=2_592_000_000)] | None = None
    of: Literal["connect", "total"] = "connect"


class Target(Struct, frozen=True, gc=False, kw_only=True):
    """One target with its policy, regions and defaults resolved.

    All fields are always written: a default that changes in a later version must not change what
    an old record means. `host` is canonical (see `schemas.partition.canonical_host`); it is None
    only for a target without a host (a heartbeat). `version` is the UTC ms of the `apply` of this
    definition and grows with each change; results carry it back. `slo` and
    `downtime_cost_per_hour` are for reports (docs/analytics.md); no rule reads them. `probe` has
    the options of the kind (docs/kinds.md), None when there are none; of them the rules read only
    how the end of a certificate is judged (rule 13). `depends_on_hosts` are the canonical hosts of
    the targets `depends_on`: a first failure asks for rechecks of these, too (rule 3). `expect`:
    a port that is open is up, or with `closed` (`tcp`, `udp`) down (`port_open`). `max_ms`: a check
    whose `total_ms` is longer is down (`too_slow`). `resolver`: the name server (address, or
    `address:port`) that is asked for the host, in place of the system's. `enabled`:
    False is a target that nobody checks.
    """

    id: TargetId
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Kind
    host: Host | None
    port: Port | None
    regions: Regions
    interval_ms: IntervalMs
    timeout_ms: TimeoutMs
    version: Millis
    source: Annotated[str, Meta(min_length=1, max_length=200)]
    retries: Retries = 1
    retry_delay_ms: DurationMs = 1000
    consensus: Consensus = "quorum"
    open_after_ms: DurationMs = 0
    recover_after: RecoverAfter = 1
    abandon_after_ms: DurationMs = 1_800_000
    latency: LatencyLimit | None = None
    criticality: Criticality = "normal"
    team: Name | None = None
    purpose: LongText | None = None
    tags: Names = ()
    depends_on: Names = ()
    runbook: Text | None = None
    slo: Slo | None = None
    downtime_cost_per_hour: Price | None = None
    probe: Probe | None = None
    depends_on_hosts: Annotated[tuple[Host, ...], Meta(max_length=1_000)] = ()
    expect: ExpectedState = "open"
    max_ms: MaxMs | None = None
    resolver: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    enabled: bool = True

    @property
    def place(self) -> str:
        """`host:port` for people, IPv6 in brackets; the id when there is no host."""
        if self.host is None:
            return self.id
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


_decoder: JsonDecoder[Target] = JsonDecoder(Target)


def decode(value: bytes) -> Target:
    """Decodes a value of [targets].

    Raises:
        msgspec.DecodeError: not a target.
    """
    return _decoder.decode(value)
