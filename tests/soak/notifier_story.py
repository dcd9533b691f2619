"""What happens in the world during the soak of the notifiers, drawn from a seed: incidents, edits.

Each event's `name` is `i0042x3`: the incident and the number of the event in it. So a message says
which event it was made of, whatever its words.
"""

import random
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from schemas import incident
from schemas.incident import EventKind, IncidentEvent, RegionVerdict, Votes
from schemas.policy import Policy, Route, Team

TOKEN: Final = re.compile(r"\b(i\d{4,})x(\d+)\b")
PROBE_TEAM: Final = "probe"
TEAMS: Final = ("red", "green", "blue")

Phase = Literal["down", "improved", "closed"]


class Step(Struct, frozen=True):
    """One event, and the incident's state by it. `at_ms` is when the broker had it."""

    incident: str
    seq: int
    event: str
    event_id: str
    phase: Phase
    episode: int
    team: str
    at_ms: int


class Open(Struct):
    """An incident that is not closed."""

    incident: str
    episode: int = 1
    phase: Phase = "down"
    seq: int = 0
    acknowledged: bool = False


class Story:
    """The world: draws what comes next, and keeps what was."""

    def __init__(self, seed: int, targets: int) -> None:
        self._random = random.Random(f"story {seed}")  # noqa: S311
        self._targets = targets
        self._open: dict[int, Open] = {}
        self._incidents = 0
        self.steps: list[Step] = []

    def draw(self) -> IncidentEvent:
        """The next event of some target."""
        target = self._random.randrange(self._targets)
        team = TEAMS[target % len(TEAMS)]
        # Two targets share a host, so that some messages are of several.
        host = f"h{target // 2}.example.com"
        now = self._open.get(target)
        if now is None:
            now = self._open[target] = self._begin()
            return self._event(now, "opened", f"t{target}", host, team)
        kind = self._next(now)
        if kind == "closed":
            del self._open[target]
        return self._event(now, kind, f"t{target}", host, team)

    def probe(self) -> tuple[IncidentEvent, IncidentEvent]:
        """An incident of the team that nothing is done to: its opening and its closing."""
        now = self._begin()
        name = f"probe-{now.incident}"
        opened = self._event(now, "opened", name, f"{name}.example.com", PROBE_TEAM)
        return opened, self._event(now, "closed", name, f"{name}.example.com", PROBE_TEAM)

    def published(self, event: IncidentEvent, at_ms: int) -> None:
        """Notes that the broker has the event."""
        found = TOKEN.fullmatch(event.name)
        assert found
        closed, improved = event.event == "closed", event.votes.down < event.votes.need
        self.steps.append(
            Step(
                incident=found[1],
                seq=int(found[2]),
                event=event.event,
                event_id=event.event_id,
                phase="closed" if closed else "improved" if improved else "down",
                episode=int(event.episode or 1),
                team=event.team or "",
                at_ms=at_ms,
            )
        )

    def _begin(self) -> Open:
        self._incidents += 1
        return Open(f"i{self._incidents:04d}")

    def _next(self, now: Open) -> EventKind:
        if now.phase == "improved":
            choices: dict[EventKind, float] = {"worsened": 4, "closed": 3}
        else:
            choices = {"improved": 3, "closed": 5}
        if not now.acknowledged:
            choices["updated"] = 2
        return self._random.choices(list(choices), list(choices.values()))[0]

    def _event(
        self, now: Open, kind: EventKind, target: str, host: str, team: str
    ) -> IncidentEvent:
        match kind:
            case "improved":
                now.phase = "improved"
            case "worsened":
                now.phase, now.acknowledged = "down", False
                now.episode += 1
            case "updated":
                now.acknowledged = True
            case "closed":
                now.phase = "closed"
        now.seq += 1
        name = f"{now.incident}x{now.seq}"
        at = 1_700_000_000_000 + now.seq
        down = 2 if now.phase == "down" else 1
        verdicts = ["down" if number < down else "up" for number in range(3)]
        return IncidentEvent(
            event_id=str(uuid.uuid5(incident.NAMESPACE, name)),
            event=kind,
            incident_id=now.incident,
            incident_type="unreachable",
            severity="critical",
            target=target,
            name=name,
            kind="tcp",
            host=host,
            port=443,
            team=team,
            tags=(),
            criticality="critical",
            depends_on=(),
            regions={
                f"region-{number}": RegionVerdict(
                    verdict=verdict,  # type: ignore[arg-type]
                    reason="connection_refused" if verdict == "down" else None,
                    since=at,
                )
                for number, verdict in enumerate(verdicts)
            },
            votes=Votes(down=down, need=2, fresh=3, configured=3),
            first_failed_at=at,
            opened_at=at,
            closed_at=at if kind == "closed" else None,
            closed_because="recovered" if kind == "closed" else None,
            at=at,
            host_targets=(),
            summary="Nothing listens.",
            first_steps=("Look whether the service runs",),
            runbook=None,
            episode=now.episode,
            acknowledged_by="ann" if now.acknowledged else None,
        )


class PolicyVersion(Struct, frozen=True):
    """The channels of each team, from `at_ms` on."""

    at_ms: int
    channels: Mapping[str, frozenset[str]]


class Inventory:
    """Teams and routes, and edits of them drawn from a seed.

    `people` are the base URLs of people's receivers, one for each route; `on_call` their systems.
    """

    def __init__(
        self, seed: int, people: Mapping[str, str], on_call: Mapping[str, str], probe: str
    ) -> None:
        self._random = random.Random(f"inventory {seed}")  # noqa: S311
        self._people = dict(people)
        self._number = 0
        self._urls = {
            name: [f"{base}/{name}", *([on_call[name]] if name in on_call else [])]
            for name, base in people.items()
        }
        self._urls[PROBE_TEAM] = [probe]
        self._teams = {team: [team, "all"] for team in TEAMS}
        self._teams[PROBE_TEAM] = [PROBE_TEAM]
        self.versions: list[PolicyVersion] = []

    def entries(self) -> list[Policy]:
        """All of it."""
        routes = [Route(name=name, urls=tuple(urls)) for name, urls in self._urls.items()]
        return [*routes, *(Team(name=name, routes=tuple(r)) for name, r in self._teams.items())]

    def edit(self) -> Policy:
        """Changes something; the entry that is to be published."""
        name = self._random.choice(list(self._people))
        urls = self._urls[name]
        match self._random.choice(("url", "swap", "more", "team", "team")):
            case "url":
                self._number += 1
                old = next(i for i, url in enumerate(urls) if url.startswith("json"))
                urls[old] = f"{self._people[name]}/{name}-{self._number}"
            case "swap":
                urls.reverse()
            case "more":
                extra = f"{self._people[name]}/{name}-extra"
                if extra in urls:
                    urls.remove(extra)
                else:
                    urls.append(extra)
            case _:
                team = self._random.choice(TEAMS)
                routes = self._teams[team]
                other = self._random.choice([one for one in ("all", *TEAMS) if one != team])
                if other in routes:
                    routes.remove(other)
                else:
                    routes.append(other)
                return Team(name=team, routes=tuple(routes))
        return Route(name=name, urls=tuple(urls))

    def published(self, at_ms: int) -> None:
        """Notes that the broker has the present version."""
        self.versions.append(
            PolicyVersion(
                at_ms,
                {
                    team: frozenset(url for route in routes for url in self._urls[route])
                    for team, routes in self._teams.items()
                },
            )
        )


def by_incident(steps: Iterable[Step]) -> dict[str, list[Step]]:
    """The steps of each incident, in their order."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(step.incident, []).append(step)
    return found
