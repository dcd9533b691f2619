"""The comparison of two policies: incidents that both open, and incidents that only one opens."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from schemas.target import Target
from streams.backtest import reasons
from streams.backtest.figures import PolicyFigures, a_day, figures
from streams.backtest.outcome import PastIncident
from streams.backtest.plan import Policies


class OneSidedIncident(Struct, frozen=True, kw_only=True):
    """An incident that only one of the policies opens; `why` is a sentence."""

    incident: PastIncident
    name: str
    place: str
    team: str | None
    lasted_ms: int
    why: str


class Side(Struct, frozen=True):
    """One policy: all of it, and how many incidents opened on each day."""

    figures: PolicyFigures
    days: list[int]


class Group(Struct, frozen=True):
    """The figures of a team, or of a target, under both policies."""

    name: str
    present: PolicyFigures
    proposed: PolicyFigures


class PolicyComparison(Struct, frozen=True, kw_only=True):
    """Both policies on the history from `since` to `until` (UTC ms).

    `gone` are incidents that only the present policy opens, `new` those that only the proposed one
    opens, the oldest first; `kept` counts those of the present policy that meet one of the
    proposed. `teams` are all teams by name (`` for targets without one). `targets` are those with a
    different number of incidents or minutes, the greatest difference first.
    """

    since: int
    until: int
    present: Side
    proposed: Side
    kept: int
    gone: list[OneSidedIncident]
    new: list[OneSidedIncident]
    teams: list[Group]
    targets: list[Group]


def compare(
    policies: Policies,
    present: Sequence[PastIncident],
    proposed: Sequence[PastIncident],
    *,
    since: int,
    until: int,
    group_wait_ms: int,
) -> PolicyComparison:
    """Compares the incidents that opened within the time; earlier ones belong to the warm-up."""
    before = [one for one in present if since <= one.opened_at < until]
    after = [one for one in proposed if since <= one.opened_at < until]
    # An incident that began in the warming up may be the other policy's, opened a little later.
    gone = _alone(before, proposed, until)
    new = _alone(after, present, until)

    def add_up(some: Sequence[PastIncident], targets: Mapping[str, Target]) -> PolicyFigures:
        return figures(some, targets, since=since, until=until, group_wait_ms=group_wait_ms)

    def by_group(key: Mapping[str, str]) -> list[Group]:
        parts: dict[str, tuple[list[PastIncident], list[PastIncident]]] = {}
        for number, some in enumerate((before, after)):
            for one in some:
                parts.setdefault(key[one.target], ([], []))[number].append(one)
        return [
            Group(name, add_up(first, policies.present), add_up(second, policies.proposed))
            for name, (first, second) in sorted(parts.items())
        ]

    everything = {**policies.present, **policies.proposed}
    groups = by_group({key: key for key in everything})
    differing = [one for one in groups if _difference(one) >= (0, 1.0)]
    return PolicyComparison(
        since=since,
        until=until,
        present=Side(add_up(before, policies.present), a_day(before, since=since, until=until)),
        proposed=Side(add_up(after, policies.proposed), a_day(after, since=since, until=until)),
        kept=len(before) - len(gone),
        gone=[_told(one, policies.present, policies.proposed, until) for one in gone],
        new=[_told(one, policies.proposed, policies.present, until) for one in new],
        teams=by_group({key: one.team or "" for key, one in everything.items()}),
        targets=sorted(differing, key=_difference, reverse=True),
    )


def _difference(group: Group) -> tuple[int, float]:
    first, second = group.present, group.proposed
    return (
        abs(first.incidents - second.incidents),
        abs(first.minutes_down - second.minutes_down),
    )


def _alone(
    some: Iterable[PastIncident], others: Iterable[PastIncident], until: int
) -> list[PastIncident]:
    """Those of `some` that meet none of `others` of the same target.

    They meet if they share a moment between first failure and closing. Slowness never meets an
    outage; an outage meets the flapping that contains it.
    """
    by_target: dict[tuple[str, bool], list[PastIncident]] = {}
    for one in others:
        by_target.setdefault((one.target, one.incident_type == "slow"), []).append(one)
    return [
        one
        for one in some
        if not any(
            one.first_failed_at <= other.ends_at(until)
            and other.first_failed_at <= one.ends_at(until)
            for other in by_target.get((one.target, one.incident_type == "slow"), ())
        )
    ]


def _told(
    one: PastIncident, ours: Mapping[str, Target], theirs: Mapping[str, Target], until: int
) -> OneSidedIncident:
    target = ours[one.target]
    return OneSidedIncident(
        incident=one,
        name=target.name,
        place=target.place,
        team=target.team,
        lasted_ms=one.lasted_ms(until),
        why=reasons.why(one, target, theirs.get(one.target)),
    )
