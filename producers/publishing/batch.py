"""A batch as it will be sent: its bytes are fixed here, so that sending it again is the same."""

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
    """Where a batch lies in the spool's file: a segment of this process, and bytes."""

    segment: int
    offset: int
    length: int


class SealedBatch(Struct, frozen=True, gc=False, kw_only=True):
    """A message for one partition. `kept` tells for each line whether it is more than routine.

    Of two batches the one with the smaller `number` was sealed first. `place`: where it lies in the
    spool's file, if it does.
    """

    partition: int
    number: int
    payload: bytes
    kept: tuple[bool, ...]
    packed: bool = False
    place: SpoolPosition | None = None

    @property
    def count(self) -> int:
        """How many results it carries."""
        return len(self.kept)

    @property
    def routine(self) -> int:
        """How many of them are routine."""
        return len(self.kept) - sum(self.kept)

    def value(self) -> bytes:
        """The value of the message."""
        return zlib.decompress(self.payload) if self.packed else self.payload

    def pack(self) -> "SealedBatch":
        """The same, small in memory: for one that has to wait."""
        if self.packed:
            return self
        return replace(self, payload=zlib.compress(self.payload, 1), packed=True)

    def without_routine(self) -> "SealedBatch | None":
        """What is left without routine results, None if nothing is."""
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
    """Makes a message of results; those that have no line yet get theirs by what is known now."""
    shift_ms = clock.at_ms(0.0)
    lines = [
        line(item.check, item.outcome, shift_ms, region, prober) if item.line is None else item.line
        for item in items
    ]
    return SealedBatch(
        partition=partition,
        number=number,
        payload=b"".join(lines),
        kept=tuple(item.worth != "routine" for item in items),
    )


def line(
    check: PlannedCheck, outcome: CheckOutcome, shift_ms: float, region: str, prober: str
) -> bytes:
    """The line of a result; here its local time becomes the broker's: by `shift_ms` more."""
    return batch.encode([_result(check, outcome, shift_ms, region, prober)])


def _result(
    check: PlannedCheck, outcome: CheckOutcome, shift_ms: float, region: str, prober: str
) -> CheckResult:
    target = check.target
    return CheckResult(
        target=target.id,
        kind=target.kind,
        host=target.host,
        port=target.port,
        region=region,
        prober=prober,
        scheduled_at=round(check.due_ms),
        # A check that never began has no start of its own.
        started_at=round(
            check.due_ms if outcome.started_at is None else outcome.started_at * 1000 + shift_ms
        ),
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
    )
