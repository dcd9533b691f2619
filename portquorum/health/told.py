"""What [policy] says of regions, routes and applies. Pure."""

from collections.abc import Iterable

from portquorum.health.facts import AppliedFacts, PolicyFacts
from schemas.policy import ApplyMark, DrillDone, DrillPlan, Policy, Region, Route, Team
from sinks.notifier.routing import Routes


def policy_facts(entries: Iterable[Policy]) -> PolicyFacts:
    """The facts of the present entries of [policy].

    A team without a route of its own is told by those that match it and by the default routes, as
    `sinks.notifier.routing` has it; if there are none, by the notifier's console.
    """
    found = list(entries)
    routes = {one.name for one in found if isinstance(one, Route)}
    teams = [one for one in found if isinstance(one, Team)]
    named = {name for team in teams for name in team.routes}
    for one in found:
        if isinstance(one, Route):
            named.update(one.fallback, *(step.routes for step in one.escalate))
    choice = Routes.of(found)
    untold = [team.name for team in teams if not choice.reaches(team.name)]
    plans = [one.every_ms for one in found if isinstance(one, DrillPlan)]
    newest = max(
        (one for one in found if isinstance(one, DrillDone)), key=lambda one: one.at, default=None
    )
    return PolicyFacts(
        drill_every_ms=min(plans, default=None),
        drill_at=None if newest is None else newest.at,
        drill_overdue=None if newest is None else newest.overdue or None,
        applied=tuple(
            AppliedFacts(one.source, one.at, one.state == "done")
            for one in found
            if isinstance(one, ApplyMark)
        ),
        regions=tuple(sorted({one.name for one in found if isinstance(one, Region)})),
        routes=len(routes),
        missing_routes=tuple(sorted(named - routes)),
        untold_teams=tuple(sorted(untold)) if routes else (),
    )
