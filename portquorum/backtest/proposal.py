"""The other policy, reduced to the fields that stored history can judge, and notes on the rest."""

from collections import Counter
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from portquorum.backtest import change
from portquorum.inventory.load import load
from portquorum.inventory.resolve import Known, resolve
from portquorum.inventory.targets import TargetResolver
from schemas.target import Target
from streams.backtest import reasons

JUDGED: Final = (
    "retries",
    "retry_delay_ms",
    "consensus",
    "open_after_ms",
    "recover_after",
    "abandon_after_ms",
    "latency",
)
"""Fields that the rules read and that do not influence the probers' measurements; also `regions`,
as far as they have checked the target."""

MEASURED: Final = {
    "interval_ms": "interval",
    "timeout_ms": "timeout",
    "kind": "kind",
    "host": "host",
    "port": "port",
    "max_ms": "max_ms",
}
"""Fields that influence the probers' measurements: other values would give another history."""


class Proposal(Struct, frozen=True):
    """The targets under the other policy, by id.

    `changes` are the differences, each with its number of targets; `notes` what history can't tell.
    """

    targets: dict[str, Target]
    changes: list[str]
    notes: list[str]


def read(path: Path, present: dict[str, Target], among: Container[str]) -> Proposal:
    """Reads a policy file; see `portquorum.backtest.change` for what it may be.

    `present` are all targets; the result describes only those `among` these ids.

    Raises:
        InventoryError: with every problem.
    """
    if change.is_inventory(path):
        wanted = _inventory(path, present)
    else:
        wanted = change.apply(change.read(path), present)
    return _judged(
        {key: one for key, one in present.items() if key in among},
        {key: one for key, one in wanted.items() if key in among or key not in present},
    )


def _inventory(path: Path, present: dict[str, Target]) -> dict[str, Target]:
    """The targets after an apply of the inventory, without those that its sources omit."""
    entries, problems = load([path])
    own_regions = {entry.name for entry in entries.regions}
    own_teams = {entry.name for entry in entries.teams}
    own_routes = {entry.name for entry in entries.routes}
    routes = {name for entry in entries.teams for name in entry.value.routes}
    routes |= {name for entry in entries.routes for name in entry.value.fallback}
    regions = {name for one in present.values() for name in one.regions}
    teams = {one.team for one in present.values() if one.team is not None}
    resolver = TargetResolver("backtest", None, [])
    own_ids = {resolver.id_of(entry) for entry in entries.targets}
    known = Known(
        regions=dict.fromkeys(regions - own_regions, "present"),
        teams=dict.fromkeys(teams - own_teams, "present"),
        routes=dict.fromkeys(routes - own_routes, "present"),
        targets=dict.fromkeys(present.keys() - own_ids, "present"),
        hosts={key: one.host for key, one in present.items() if one.host and key not in own_ids},
    )
    resolved = resolve(entries, "backtest", problems, known)
    found = {one.id: one for one in resolved.targets}
    sources = {present[one].source for one in found if one in present}
    others = {key: one for key, one in present.items() if one.source not in sources}
    return {**others, **found}


def _judged(present: dict[str, Target], wanted: dict[str, Target]) -> Proposal:
    proposed: dict[str, Target] = {}
    changes: Counter[str] = Counter()
    not_told: Counter[str] = Counter()
    for target_id, new in wanted.items():
        old = present.get(target_id)
        if old is None:
            not_told["is new: nobody has checked it yet"] += 1
            continue
        for field, label in MEASURED.items():
            if getattr(old, field) != getattr(new, field):
                not_told[f"would have another {label}: kept as it was measured"] += 1
        if set(new.regions) - set(old.regions):
            not_told["would have more regions: only those that have checked it count"] += 1
        kept = tuple(one for one in old.regions if one in new.regions) or old.regions
        fields = {field: getattr(new, field) for field in JUDGED}
        proposed[target_id] = replace(old, regions=kept, **fields)
        for text in reasons.changes(old, proposed[target_id]):
            changes[text] += 1
        if new.retries > old.retries:
            not_told[
                "would be tried more often than it was: the next scheduled check or recheck stands "
                "in for the missing retry, so that time to detect is at most what is shown, and "
                "an outage that ended before that check is not confirmed"
            ] += 1
    removed = len(present.keys() - wanted.keys())
    if removed:
        changes["no longer watched"] = removed
    return Proposal(proposed, _counted(changes), _counted(not_told, _sentence))


def _counted(texts: "Counter[str]", shape: Callable[[str, int], str] | None = None) -> list[str]:
    shape = shape or (lambda text, count: f"{text} ({_targets(count)})")
    return [shape(text, count) for text, count in texts.most_common()]


def _sentence(text: str, count: int) -> str:
    return f"{_targets(count)} {text}"


def _targets(count: int) -> str:
    return f"{count:,} target{'' if count == 1 else 's'}"


def filtered(
    present: Iterable[Target],
    *,
    ids: Iterable[str] = (),
    tags: Iterable[str] = (),
    teams: Iterable[str] = (),
) -> dict[str, Target]:
    """Targets with one of the ids, of the tags and of the teams; an empty list allows all."""
    some_ids, some_tags, some_teams = set(ids), set(tags), set(teams)
    return {
        one.id: one
        for one in present
        if (not some_ids or one.id in some_ids)
        and (not some_tags or some_tags & set(one.tags))
        and (not some_teams or one.team in some_teams)
    }
