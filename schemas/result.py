"""The result of one check, one line of a batch on [results]."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas._types import (
    ExpectedState,
    Host,
    Kind,
    LatencyMs,
    Millis,
    Port,
    ProberName,
    RegionName,
    TargetId,
)

Status = Literal["up", "down", "missed"]
Cause = Literal["schedule", "retry", "recheck", "manual"]
Reason = Literal[
    "connection_refused",
    "timed_out",
    "dns_failed",
    "network_unreachable",
    "host_unreachable",
    "connection_reset",
    "too_many_connections",
    "no_answer",
    "tls_failed",
    "certificate_ending",
    "certificate_expired",
    "certificate_invalid",
    "protocol_mismatch",
    "unexpected_response",
    "address_blocked",
    "heartbeat_missed",
    "job_failed",
    "job_overran",
    "port_open",
    "too_slow",
    "domain_ending",
    "domain_expired",
    "secret_missing",
    "prober_error",
]

REASON_TEXT: Final[dict[Reason, str]] = {
    "connection_refused": "Connection refused",
    "timed_out": "Connection timed out",
    "dns_failed": "DNS resolution failed",
    "network_unreachable": "Network unreachable",
    "host_unreachable": "Host unreachable",
    "connection_reset": "Connection reset",
    "too_many_connections": "Too many connections",
    "no_answer": "Connected, but no answer",
    "tls_failed": "TLS handshake failed",
    "certificate_ending": "Certificate about to expire",
    "certificate_expired": "Certificate expired",
    "certificate_invalid": "Certificate invalid",
    "protocol_mismatch": "Port open, but not the expected protocol",
    "unexpected_response": "Unexpected response",
    "address_blocked": "Address blocked by policy",
    "heartbeat_missed": "Heartbeat missed",
    "job_failed": "Job failed",
    "job_overran": "Job ran too long",
    "port_open": "Port is open",
    "too_slow": "Answer took too long",
    "domain_ending": "Domain registration about to end",
    "domain_expired": "Domain registration ended",
    "secret_missing": "Secret missing on the prober",
    "prober_error": "Prober error",
}
"""Texts for people. The first four are fixed."""

NEVER_COUNTED: Final[frozenset[str]] = frozenset(
    {"address_blocked", "secret_missing", "prober_error"}
)
"""Reasons about the prober or the policy, not about the target."""

Signal = Literal["success", "start", "fail", "log"]
"""What a job reports: it ended well, it begins, it failed, or a word that changes nothing."""

RECEIVER: Final = "receiver"
"""The region of all heartbeats; reserved for the receivers."""


class CheckResult(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The record of one measurement.

    `status` is `missed` when nothing was measured: the check did not start within its interval,
    or it ended as one of `NEVER_COUNTED`. `reason` is None exactly when the status is
    `up`, or when a job only spoke (`signal`). A check that never started has its scheduled time as
    `started_at`.

    `connect_ms` is the network's time for the handshake (TCP_INFO), not the event loop's;
    `total_ms` is DNS + connect (+ TLS and dialogue). `dns_ms` is null without a lookup: the host is
    an address, or the answer of an earlier lookup is still valid.
    `attempt` is the position in a retry series, 0 = first. `target_version` is the
    `Target.version` at the time of the check.

    `expect` is what the target's definition asked for. Of a port that must be `closed`, `down` has
    the reason `port_open`, and `up` has a `total_ms` only if the host itself refused: silence, and
    the word of a router, have none. There `missed` may also have the reason `dns_failed`.

    A heartbeat has a `signal`, other results have none: `success` is `up`, `fail` is `down`
    (`job_failed`), `start` and `log` measure nothing and are `missed` without a reason. Its region
    is `RECEIVER`, its prober the receiver that took it, its times those of the arrival. `run` is
    what the job calls this run (a start and its end have the same), `exit_code` that of its
    command, `output` the last lines of what it said.

    The identity of a result is (`target`, `region`, `prober`, `started_at`, `attempt`).
    """

    target: TargetId
    kind: Kind
    host: Host | None
    port: Port | None
    region: RegionName
    prober: ProberName
    scheduled_at: Millis
    started_at: Millis
    status: Status
    reason: Reason | None
    attempt: Annotated[int, Meta(ge=0, le=255)]
    cause: Cause
    target_version: Millis
    detail: Annotated[str, Meta(max_length=300)] | None = None
    address: Annotated[str, Meta(max_length=64)] | None = None
    dns_ms: LatencyMs | None = None
    connect_ms: LatencyMs | None = None
    tls_ms: LatencyMs | None = None
    total_ms: LatencyMs | None = None
    cert_expires_at: Millis | None = None
    http_status: Annotated[int, Meta(ge=100, le=999)] | None = None
    banner: Annotated[str, Meta(max_length=300)] | None = None
    expect: ExpectedState = "open"
    signal: Signal | None = None
    exit_code: Annotated[int, Meta(ge=0, le=255)] | None = None
    run: Annotated[str, Meta(max_length=64)] | None = None
    output: Annotated[str, Meta(max_length=4_000)] | None = None

    @property
    def counted(self) -> bool:
        """Whether the rules count this result (docs/rules.md)."""
        return self.status != "missed" and self.reason not in NEVER_COUNTED

    @property
    def identity(self) -> str:
        """The identity as one string; unique among all results."""
        return f"{self.target}|{self.region}|{self.prober}|{self.started_at}|{self.attempt}"


class LoggedResult(CheckResult, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A result as a reader of [results] decodes it: target, kind and region are any strings.

    To check the patterns of these three takes longer than the rest of decoding. A reader checks
    each distinct name once, or against the targets that it knows.
    """

    target: str
    kind: str
    region: str
