"""What has ended is kept for a day, then removed; what has no end stays."""

from schemas import policy
from schemas.duration import DAY_MS
from schemas.policy import PAUSES, SILENCES, Pause, Region, Silence
from sinks.notifier.expired_silences import expired

NOW = 1_800_000_000_000


def silence(ends_at: int) -> Silence:
    return Silence(name="7f3a", begins_at=1, ends_at=ends_at, reason="", by="ann", created_at=1)


def pause(until: int | None) -> Pause:
    return Pause(name="db", paused_at=1, until=until, reason="", by="ann")


def test_silences_and_pauses_go_a_day_after_their_end() -> None:
    for old, young in (
        (silence(NOW - DAY_MS), silence(NOW - DAY_MS + 1)),
        (pause(NOW - DAY_MS), pause(NOW - DAY_MS + 1)),
    ):
        key = policy.key(PAUSES if isinstance(old, Pause) else SILENCES, old)
        assert expired({key: old}, NOW) == [key]
        assert expired({key: young}, NOW) == []


def test_what_has_no_end_stays() -> None:
    assert expired({b"pause/pause/db": pause(None), b"main/region/a": Region(name="a")}, NOW) == []
