"""The probers of the regions in virtual time, for the told part of the story.

The simulated part (`tests.simulation`) has the real schedule and batches; here what every check
finds is said beforehand.
"""

import heapq
import zlib
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from msgspec import structs

from schemas import batch
from schemas.control import Beat, Tick
from schemas.result import NEVER_COUNTED, Cause, CheckResult, Reason
from schemas.target import Target
from tests.golden.stage import PARTITIONS, Stage, home

REGIONS = ("region-0", "region-1", "region-2")
"""The names of the simulated regions, too."""

DETAIL: dict[str, str] = {
    "connection_refused": "ECONNREFUSED",
    "dns_failed": "NXDOMAIN",
    "too_many_connections": "FATAL: sorry, too many clients already",
    "certificate_expired": "the certificate ended 3 d ago",
    "protocol_mismatch": 'expected 220, found "HTTP/1.1 400 Bad Request"',
    "unexpected_response": "expected status 200-299, found 503",
    "prober_error": "ENOBUFS",
    "address_blocked": "10.0.0.7 is a private address",
}
BANNERS = {"smtp": "220 mail.example.com ESMTP", "ssh": "SSH-2.0-OpenSSH_9.9", "ftp": "220 ready"}
ENCRYPTED = frozenset({"tls", "http"})


class Check(NamedTuple):
    """A check to be begun at `due`, UTC ms; `version` is that of the definition it is of."""

    due: int
    target: str
    region: str
    attempt: int
    cause: Cause
    version: int


class Probing:
    """One prober a region. `quiet` regions neither check nor beat; `spooling` ones can't publish.

    `found` says what checks find: a reason, or how long the connection takes (ms). `claims` are
    what a region's beats say instead of the truth: targets, failing, newly failing.
    """

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.rng = Random(seed)  # noqa: S311 - no secret
        self.regions: list[str] = []
        self.quiet: set[str] = set()
        self.spooling: dict[str, list[CheckResult]] = {}
        self.found: dict[tuple[str, str], Reason | float] = {}
        self.claims: dict[str, tuple[int, int, int]] = {}
        self.clock_offsets: dict[str, int | None] = {}
        self.targets: dict[str, Target] = {}
        self._due: list[Check] = []
        self._arriving: list[tuple[int, int, Target, Check, Reason | float]] = []
        self._number = 0
        self._sequence: dict[str, int] = {}
        self._failing: dict[str, dict[str, int]] = {}

    def begin(self, *regions: str) -> None:
        """Probers of these regions start."""
        self.regions += regions

    def look(self, only: Iterable[str] | None = None) -> None:
        """Follows [targets]: new definitions are checked from now on, `only` of these if given."""
        known = {
            name: one
            for name, one in self.stage.targets().items()
            if one.source != "simulation" and (only is None or name in only)
        }
        for name, one in known.items():
            if self.targets.get(name) == one:
                continue
            for region in one.regions:
                wait = zlib.crc32(f"{name} {region}".encode()) % min(one.interval_ms, 60_000)
                self._plan(Check(self.stage.now + wait, name, region, 0, "schedule", one.version))
        self.targets = known

    def forget(self) -> None:
        """Nothing is due any more; `look` plans anew."""
        self._due, self._arriving, self.targets = [], [], {}

    def run(self, seconds: int) -> None:
        """Lets time pass."""
        for _ in range(seconds):
            stage = self.stage
            stage.now = (stage.now // 1000 + 1) * 1000 + self.rng.randrange(1000)
            self._begin_due()
            self._publish_arrived()
            second = stage.now // 1000
            for place, region in enumerate(self.regions):
                if second % 5 == place and region not in self.quiet | set(self.spooling):
                    self.beat(region)
            for partition in range(PARTITIONS):
                if stage.now - stage.last_at(partition) > 10_000:
                    stage.control(partition, Tick("golden"))

    def drain(self, region: str) -> list[bytes]:
        """What `region` could not publish goes out now, late; returns the messages' values."""
        return self.publish(self.spooling.pop(region))

    def publish(self, results: Iterable[CheckResult]) -> list[bytes]:
        """Results as one message a partition; returns their values."""
        parts: dict[int, list[CheckResult]] = {}
        known = self.stage.targets()
        for one in results:
            at = home(known[one.target]) if one.target in known else 0
            parts.setdefault(at, []).append(one)
        values = []
        for partition, some in sorted(parts.items()):
            values.append(batch.encode(some))
            self.stage.append(partition, values[-1])
        return values

    def beat(self, region: str, prober: str = "", **changes: object) -> None:
        """A beat of `region` to every partition."""
        name = prober or f"{region}-1"
        sequence = self._sequence[name] = self._sequence.get(name, -1) + 1
        failing = self._failing.get(region, {})
        mine = sum(region in one.regions for one in self.targets.values())
        newly = sum(self.stage.now - since < 60_000 for since in failing.values())
        targets, fails, began = self.claims.get(region, (mine, len(failing), newly))
        beat = Beat(
            region=region,
            prober=name,
            sequence=sequence,
            started_at=1_799_870_000_000,
            targets=targets,
            failing=fails,
            newly_failing=began,
            connectivity=True,
            lag_ms=round(self.rng.random() * 5, 3),
            spool=0,
            clock_offset_ms=self.clock_offsets.get(region, self.rng.randrange(-40, 40)),
        )
        self.stage.everywhere(structs.replace(beat, **changes))

    def result(
        self, target_id: str, region: str, found: Reason | float, **changes: object
    ) -> CheckResult:
        """A result of a check that began now, published or not by the caller."""
        known = self.targets.get(target_id) or self.stage.targets()[target_id]
        check = Check(self.stage.now, target_id, region, 0, "schedule", known.version)
        return structs.replace(self._result(known, check, found), **changes)

    def _plan(self, check: Check) -> None:
        heapq.heappush(self._due, check)

    def _begin_due(self) -> None:
        now = self.stage.now
        while self.stage.requests:
            request = self.stage.requests.pop(0)
            for one in self.targets.values():
                if request.host == (one.host or one.id):
                    for region in one.regions:
                        self._plan(Check(now, one.id, region, 0, "recheck", one.version))
        while self._due and self._due[0].due <= now:
            check = heapq.heappop(self._due)
            known = self.targets.get(check.target)
            if known is None or known.version != check.version:
                continue
            if check.cause == "schedule" and check.attempt == 0:
                self._plan(check._replace(due=check.due + known.interval_ms))
            if check.region in self.quiet or check.region not in self.regions:
                continue
            found = self.found.get((check.target, check.region), self._usual_ms(known, check))
            took = 15 if isinstance(found, str) else found
            if found == "timed_out":
                took = known.timeout_ms
            self._number += 1
            item = (check.due + round(took), self._number, known, check, found)
            heapq.heappush(self._arriving, item)

    def _publish_arrived(self) -> None:
        parts: dict[tuple[str, int], list[CheckResult]] = {}
        while self._arriving and self._arriving[0][0] <= self.stage.now:
            at, _, known, check, found = heapq.heappop(self._arriving)
            failed = isinstance(found, str) and found not in NEVER_COUNTED
            failing = self._failing.setdefault(check.region, {})
            if failed:
                failing.setdefault(known.id, at)
            elif not isinstance(found, str):
                failing.pop(known.id, None)
            if failed and check.attempt < known.retries:
                again = check._replace(
                    due=at + known.retry_delay_ms, attempt=check.attempt + 1, cause="retry"
                )
                self._plan(again)
            result = self._result(known, check, found)
            if check.region in self.spooling:
                self.spooling[check.region].append(result)
            else:
                parts.setdefault((check.region, home(known)), []).append(result)
        for (_, partition), results in parts.items():
            self.stage.append(partition, batch.encode(results))

    def _usual_ms(self, known: Target, check: Check) -> float:
        base = 5 + zlib.crc32(f"{known.host} {check.region}".encode()) % 40
        return round(base * (1 + self.rng.random() * 0.1), 3)

    def _result(self, known: Target, check: Check, found: Reason | float) -> CheckResult:
        reason: Reason | None = None
        connect_ms: float | None = None
        if isinstance(found, str):
            reason = found
        else:
            connect_ms = found
        up = reason is None
        named = known.host is not None and known.host[-1].isalpha()
        encrypted = up and known.kind in ENCRYPTED
        dns_ms = round(self.rng.random() * 3, 3) if named and self.rng.random() < 0.3 else None
        return CheckResult(
            target=known.id,
            kind=known.kind,
            host=known.host,
            port=known.port,
            region=check.region,
            prober=f"{check.region}-1",
            scheduled_at=check.due,
            started_at=check.due + self.rng.randrange(5),
            status="up" if up else "missed" if reason in NEVER_COUNTED else "down",
            reason=reason,
            attempt=check.attempt,
            cause=check.cause,
            target_version=known.version,
            detail=None if reason is None else DETAIL.get(reason),
            address=None
            if reason == "dns_failed"
            else f"192.0.2.{zlib.crc32((known.host or '').encode()) % 250}",
            dns_ms=dns_ms,
            connect_ms=connect_ms,
            tls_ms=round(connect_ms * 1.5, 3) if encrypted and connect_ms else None,
            total_ms=round(connect_ms * 3, 3) if connect_ms else None,
            cert_expires_at=1_805_000_000_000 if encrypted else None,
            http_status=(200 if up else 503 if reason == "unexpected_response" else None)
            if known.kind == "http"
            else None,
            banner=BANNERS.get(known.kind) if up else None,
        )
