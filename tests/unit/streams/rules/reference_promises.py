"""What an event or a request promises about itself, whatever led to it."""

from msgspec import UNSET

from schemas.incident import IncidentEvent, RegionVerdict, TargetsEvent
from schemas.recheck import RecheckRequest


def keep_rule_3(request: RecheckRequest, now: int) -> None:
    """Asked now, and not for ever."""
    assert request.requested_at == now < request.expires_at


def keep_rule_5(opened: IncidentEvent) -> None:
    """No incident without its votes at that moment, as the event itself shows them."""
    votes = opened.votes
    fresh = voting(opened)
    if opened.incident_type == "expiring":
        # One region is enough; a region that is down may have seen it.
        assert votes.need == 1 <= votes.down <= votes.fresh == len(fresh)
        assert opened.expires_at is not UNSET
        return
    words = {"down"} | ({"slow"} if opened.incident_type == "slow" else set())
    assert sum(said.verdict in words for said in fresh) == votes.down >= votes.need
    if opened.incident_type == "slow":
        down = sum(said.verdict == "down" for said in fresh)
        assert down < votes.need
        assert 2 * votes.down > votes.configured
    assert len(fresh) == votes.fresh
    assert 2 * votes.down > votes.configured == len(opened.regions)


def keep_rule_6(closed: IncidentEvent) -> None:
    """What recovered is up in every fresh region, and in more than half of those that count."""
    regions = closed.regions
    silent = {"stale", "pending"}
    assert all(regions[region].verdict in silent for region in closed.abandoned_regions)
    if closed.closed_because == "abandoned":
        assert set(closed.abandoned_regions) == set(regions)
    if closed.closed_because != "recovered":
        return
    fresh = voting(closed)
    assert 2 * len(fresh) > len(regions) - len(closed.abandoned_regions)
    if closed.incident_type != "flapping":
        # One that is set aside may have no word against it, either.
        words = {"unreachable": {"down"}, "slow": {"down", "slow"}}
        against = words.get(closed.incident_type, set[str]())
        assert against.isdisjoint(said.verdict for said in regions.values())


def keep_rule_12(told: TargetsEvent, before: TargetsEvent | None) -> None:
    """The first that is told is bad, the last is good, and belongs to what was told before it."""
    assert told.since <= told.at
    if told.event == "targets.unwatched":
        assert len(told.most_critical) == min(told.count, 3) > 0
        assert told.at - told.since >= 300_000
        return
    assert before is not None
    assert (told.count, told.most_critical, told.silent_regions) == (0, (), {})
    assert (told.cause_id, told.severity, told.since) == (
        before.cause_id,
        before.severity,
        before.since,
    )


def voting(told: IncidentEvent) -> list[RegionVerdict]:
    return [
        said
        for said in told.regions.values()
        if said.verdict in {"up", "down", "slow"} and not said.set_aside
    ]
