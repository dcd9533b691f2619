"""What a prober saw last of each target."""

from typing import Any

from producers.checks.model import CheckOutcome
from producers.prober.target_series import ProberTargets


def outcome(status: Any = "up", **changes: Any) -> CheckOutcome:
    reason: Any = None if status == "up" else "timed_out"
    return CheckOutcome(status=status, reason=reason, started_at=0.0, **changes)


def values(seen: ProberTargets) -> dict[str, float]:
    return {
        sample.name.removeprefix("portquorum_target_"): sample.value
        for sample in seen.samples(seen.targets())
    }


def test_the_last_check_counts_and_an_end_is_kept() -> None:
    seen = ProberTargets("eu")
    seen.take("db", outcome(connect_ms=12.5, cert_expires_at=1_800_000_000_500))
    expires = {"certificate_expires_timestamp_seconds": 1_800_000_000.5}
    assert values(seen) == {"check_up": 1.0, "connect_seconds": 0.0125} | expires
    (first, *_) = seen.samples(["db", "unknown"])
    assert first.labels == ("db", "eu")
    seen.take("db", outcome("down"))
    assert values(seen) == {"check_up": 0.0} | expires
    seen.take("db", outcome("missed"))
    assert values(seen) == {"check_up": 0.0} | expires


def test_what_is_no_longer_checked_here_is_forgotten() -> None:
    seen = ProberTargets("eu")
    for name in ("a", "b"):
        seen.take(name, outcome())
    seen.keep({"b", "c"})
    assert seen.targets() == ["b"]
