"""Rule 13: certificates, and registrations of domains, that end soon."""

from typing import Final

from schemas.incident import Votes
from schemas.result import CheckResult
from streams.rules.consensus import Tally, counts
from streams.rules.episode import abandoned, heard
from streams.state.partition_state import PartitionState
from streams.state.policy import TargetPolicy
from streams.state.target_state import TargetState
from streams.state.windows import Endings, Window

LOOKS: Final = 10
"""Number of last looks of a region that count."""

ENOUGH: Final = 2
"""Number of those that must have seen an end: a single server of several may have an old one."""

TOLD_AS_DOWN: Final = frozenset(
    {"certificate_ending", "certificate_expired", "domain_ending", "domain_expired"}
)
"""Reasons with which a target is down because of its end."""

DOMAIN: Final = "domain"
"""The kind whose newest look counts alone: a registry knows one end, and is asked once a day, so
that ten looks would keep an incident open for ten days after a renewal."""


def looks_of(kind: str) -> int:
    """The number of last looks of a region that count, of a target of this kind."""
    return 1 if kind == DOMAIN else LOOKS


def sees_end(policy: TargetPolicy, result: CheckResult, effective: int) -> bool:
    """True if the verified chain of a result that counts ends within the target's `warn_days`."""
    end = result.cert_expires_at
    return (
        end is not None
        and policy.warn_ms > 0
        and end - effective < policy.warn_ms
        and result.reason != "certificate_invalid"
    )


def take(entry: TargetState, position: int, result: CheckResult, effective: int) -> bool:
    """Counts a result that looks at an end; True if it saw one that is near, or one before did.

    A result that looks at none has no effect, nor has any of a target without `warn_days`.
    """
    if not entry.policy.warn_ms or not _looks(result):
        return False
    row = None if entry.trouble is None else entry.trouble.endings.get(position)
    near = sees_end(entry.policy, result, effective)
    if row is None:
        if not near:
            return False
        row = entry.troubled().endings[position] = Endings([])
    # An end at the very beginning of time is one, too.
    end = max(1, result.cert_expires_at or 0) if near else 0
    row.looks = [*row.looks, (effective, end)][-looks_of(entry.kind) :]
    if not any(end for _, end in row.looks):
        del entry.troubled().endings[position]
    return True


def says_the_same(entry: TargetState, position: int, result: CheckResult, effective: int) -> bool:
    """True if a result that counts changes nothing of what is told about certificates.

    Most results of a certificate that ends do: they see the same end as all before.
    """
    if not entry.policy.warn_ms or entry.trouble is None or not _looks(result):
        return True
    row = entry.trouble.endings.get(position)
    near = sees_end(entry.policy, result, effective)
    if row is None:
        return not near
    if not near or row.looks[-1][1] != result.cert_expires_at:
        return False
    if len(row.looks) < looks_of(entry.kind):
        return entry.trouble.expiring_incident is not None
    return row.looks[0][1] == result.cert_expires_at


def seen(state: PartitionState, entry: TargetState) -> dict[str, Endings]:
    """The looks of the regions that count and saw an end in their last ten; sorted by region."""
    found: dict[str, Endings] = {}
    for region, position in entry.policy.by_name:
        window = state.window(entry, position)
        if window is not None and window.endings is not None and counts(state, region, window):
            found[region] = window.endings
    return found


def earliest(state: PartitionState, entry: TargetState) -> int | None:
    """The earliest end that regions which count saw in their last ten looks."""
    return min((row.earliest for row in seen(state, entry).values()), default=None)


def votes(state: PartitionState, entry: TargetState, counted: Tally) -> Votes:
    """The count for an event: one region is enough."""
    return Votes(
        down=len(seen(state, entry)),
        need=1,
        fresh=counted.fresh,
        configured=counted.configured,
    )


def opens(state: PartitionState, entry: TargetState, counted: Tally) -> bool:
    """True if an incident opens, were none open or held back."""
    if entry.trouble is None or not entry.trouble.endings:
        return False
    windows = [
        window
        for region, window in zip(entry.policy.regions, state.windows(entry), strict=True)
        if window is not None and counts(state, region, window)
    ]
    if entry.incident is not None and any(one.down and _fails_by_it(one) for one in windows):
        return False
    return any(_sees_it_coming(window, counted, looks_of(entry.kind)) for window in windows)


def over(state: PartitionState, entry: TargetState, gone: tuple[str, ...]) -> bool:
    """True if no region saw an end in its last ten looks; regions in `gone` are abandoned."""
    endings = {} if entry.trouble is None else entry.trouble.endings
    regions = entry.policy.regions
    return all(regions[position] in gone for position in endings) and heard(state, entry, gone)


def clean(state: PartitionState, entry: TargetState) -> bool:
    """True if `over` holds now."""
    return over(state, entry, abandoned(state, entry))


def _looks(result: CheckResult) -> bool:
    if result.status == "up" and result.kind != DOMAIN:
        return True
    return result.cert_expires_at is not None and result.reason != "certificate_invalid"


def _sees_it_coming(window: Window, counted: Tally, looks: int) -> bool:
    if window.endings is None or not window.endings.looks[-1][1]:
        return False
    near = sum(end != 0 for _, end in window.endings.looks)
    if _fails_by_it(window):
        return near == looks and counted.failing < counted.need
    return near >= min(ENOUGH, looks)


def _fails_by_it(window: Window) -> bool:
    return window.failing is not None and window.failing.reason in TOLD_AS_DOWN
