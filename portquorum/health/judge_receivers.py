"""Judges the receivers of heartbeats, which beat as the region `receiver`. Pure."""

from portquorum.health.facts import RegionFacts
from portquorum.health.judge_services import age, plural
from portquorum.health.verdict import HealthLevel
from streams.rules.regions import SILENT_AFTER_MS


def receivers(region: RegionFacts, now: int) -> tuple[HealthLevel, str]:
    """Level and sentence; each receiver takes the reports of all jobs."""
    jobs = max((one.targets for one in region.probers), default=region.targets or 0)
    if region.last_beat is None or now - region.last_beat > SILENT_AFTER_MS:
        return _silent(region, now, jobs)
    # Receivers that are a moment gone stay among the beats for a while.
    alive = tuple(one for one in region.probers if now - one.at <= SILENT_AFTER_MS)
    text = (
        f"{plural(len(alive or region.probers), 'receiver')}, last beat "
        f"{age(now, region.last_beat)} ago, {plural(jobs, 'heartbeat')}"
    )
    return "ok", text


def _silent(region: RegionFacts, now: int, jobs: int) -> tuple[HealthLevel, str]:
    known = region.targets if region.targets is not None else jobs
    if region.targets == 0 or (region.targets is None and region.probers and not jobs):
        return "ok", "no receiver, and no heartbeat is in the inventory"
    lost = f": {plural(known, 'heartbeat')} not judged" if known else ""
    if region.last_beat is not None:
        return "trouble", f"silent for {age(now, region.last_beat)}{lost}"
    return "trouble", f"no receiver runs, no beat in sight{lost}"
