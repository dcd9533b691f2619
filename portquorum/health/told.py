"""What [policy] says of regions, routes and applies. Pure."""

from collections.abc import Iterable

from portquorum.health.facts import AppliedFacts, PolicyFacts
from schemas.policy import ApplyMark, Policy, Region, Route, Team


def policy_facts(entries: Iterable[Policy]) -> PolicyFacts:
    """The facts of the present entries of [policy].

    A team without a route of its own is told by the routes that no team names, as
    `sinks.notifier.routing` has it; if there are none, by the notifier's console.
    """
    found = list(entries)
    routes = {one.name for one in found if isinstance(one, Route)}
    teams = [one for one in found if isinstance(one, Team)]
    named = {name for team in teams for name in team.routes}
    untold = [team.name for team in teams if routes.isdisjoint(team.routes)]
    return PolicyFacts(
        applied=tuple(
            AppliedFacts(one.source, one.at, one.state == "done")
            for one in found
            if isinstance(one, ApplyMark)
        ),
        regions=tuple(sorted({one.name for one in found if isinstance(one, Region)})),
        routes=len(routes),
        missing_routes=tuple(sorted(named - routes)),
        untold_teams=tuple(sorted(untold)) if routes and not routes - named else (),
    )
