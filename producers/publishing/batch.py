"""A sealed batch: its bytes are fixed, so that a repeated send has the same bytes."""

import zlib
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, PlannedCheck
from producers.publishing.batcher import Finished
from schemas import batch
from schemas.result import CheckResult


class SpoolPosition(Struct, frozen=True, gc=False, kw_only=True):
    """Position of a batch in the spool's file: a segment of this process, and bytes."""

    segment: int
    offset: int
    length: int


class SealedBatch(Struct, frozen=True, gc=False, kw_only=True):
    """A message for one partition. `kept`: for each line, whether it is more than routine.

    A smaller `number` was sealed earlier. `place` is the position in the spool's file, None outside
    of it.
    """

    partition: int
    number: int
    payload: bytes
    kept: tuple[bool, ...]
    packed: bool = False
    place: SpoolPosition | None = None

    @property
    def count(self) -> int:
        """The number of its results."""
        return len(self.kept)

    @property
    def routine(self) -> int:
        """The number of its routine results."""
        return len(self.kept) - sum(self.kept)

    def value(self) -> bytes:
        """The value of the message."""
        return zlib.decompress(self.payload) if self.packed else self.payload

    def pack(self) -> "SealedBatch":
        """The same batch, compressed for a longer wait in memory."""
        if self.packed:
            return self
        return replace(self, payload=zlib.compress(self.payload, 1), packed=True)

    def without_routine(self) -> "SealedBatch | None":
        """The batch without its routine results, None if it has no others."""
        if not any(self.kept):
            return None
        lines = self.value().splitlines(keepends=True)
        payload = b"".join(line for line, kept in zip(lines, self.kept, strict=True) if kept)
        left = replace(
            self, payload=payload, kept=(True,) * sum(self.kept), packed=False, place=None
        )
        return left.pack() if self.packed else left

    def halves(self) -> "tuple[SealedBatch, SealedBatch]":
        """Two messages with the first and the second half of at least two lines."""
        lines = self.value().splitlines(keepends=True)
        middle = len(lines) // 2
        first, second = (
            replace(self, payload=b"".join(part), kept=kept, packed=False, place=None)
            for part, kept in (
                (lines[:middle], self.kept[:middle]),
                (lines[middle:], self.kept[middle:]),
            )
        )
        return first, second


def seal(
    partition: int,
    items: Sequence[Finished],
    clock: Clock,
    region: str,
    prober: str,
    *,
    number: int,
) -> SealedBatch:
    """Makes a message of results; results without a line get one by the present clock offset."""
    shift_ms, ahead_ms = clock.at_ms(0.0), clock.ahead_ms()
    lines = [
        line(item.check, item.outcome, shift_ms, region, prober, ahead_ms=ahead_ms)
        if item.line is None
        else item.line
        for item in items
    ]
    return SealedBatch(
        partition=partition,
        number=number,
        payload=b"".join(lines),
        kept=tuple(item.worth != "routine" for item in items),
    )


def line(
    check: PlannedCheck,
    outcome: CheckOutcome,
    shift_ms: float,
    region: str,
    prober: str,
    *,
    ahead_ms: float = 0.0,
) -> bytes:
    """The line of a result; its local times become those of the prober's clock by `shift_ms`.

    The clock may be ahead of the broker's by `ahead_ms`, which is taken off.
    """
    return batch.encode([_result(check, outcome, shift_ms, ahead_ms, region, prober)])


def _result(  # noqa: PLR0917 - what a result is made of
    check: PlannedCheck,
    outcome: CheckOutcome,
    shift_ms: float,
    ahead_ms: float,
    region: str,
    prober: str,
) -> CheckResult:
    target = check.target
    due_ms = check.due_ms - ahead_ms
    started_ms = due_ms  # a check that never began has no start time
    if outcome.started_at is not None:
        started_ms = outcome.started_at * 1000 + shift_ms - ahead_ms
    return CheckResult(
        target=target.id,
        kind=target.kind,
        host=target.host,
        port=target.port,
        region=region,
        prober=prober,
        scheduled_at=round(due_ms),
        started_at=round(started_ms),
        status=outcome.status,
        reason=outcome.reason,
        attempt=check.attempt,
        cause=check.cause,
        target_version=target.version,
        detail=outcome.detail,
        address=outcome.address,
        dns_ms=outcome.dns_ms,
        connect_ms=outcome.connect_ms,
        tls_ms=outcome.tls_ms,
        total_ms=outcome.total_ms,
        cert_expires_at=outcome.cert_expires_at,
        http_status=outcome.http_status,
        banner=outcome.banner,
        expect=target.expect,
    )
