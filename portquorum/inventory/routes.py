"""Resolves the routes of an inventory."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final

from portquorum.inventory import week_hours
from portquorum.inventory.decode import Entry
from portquorum.inventory.document import RotationEntry, RouteEntry
from portquorum.inventory.duration import parse_ms, text
from portquorum.inventory.errors import Problem, Where
from portquorum.inventory.groups import PortGroups
from portquorum.inventory.order import find_circle
from portquorum.inventory.references import not_defined, unknown
from portquorum.inventory.zones import zone_problem
from schemas.duration import DAY_MS
from schemas.policy import (
    EscalationStep,
    Limit,
    Person,
    Quiet,
    Rotation,
    Route,
    Templates,
)
from sinks.notifier.channels.native import canonical
from sinks.notifier.channels.problem import problem
from sinks.notifier.texts.template_check import template_problem

MOST_MESSAGES: Final = 1_000
"""The greatest limit of a route; more is none."""

MINUTE_MS: Final = 60_000
MONTH_MS: Final = 30 * DAY_MS


class RouteResolver:
    """Makes records of routes; what is wrong goes to `problems`, what is odd to `warnings`.

    Args:
        routes, teams, regions, ids: the names that are defined, of other sources too.
        groups: the targets of entries with several ports.
        fallbacks: those of the routes of other sources.
    """

    def __init__(
        self,
        problems: list[Problem],
        warnings: list[Problem],
        *,
        routes: Collection[str],
        teams: Collection[str],
        regions: Collection[str],
        ids: Collection[str],
        groups: PortGroups,
        fallbacks: Mapping[str, Iterable[str]],
    ) -> None:
        self.problems = problems
        self.warnings = warnings
        self.routes = routes
        self.teams = teams
        self.regions = regions
        self.ids = ids
        self.groups = groups
        self.fallbacks = fallbacks

    def resolve(self, entries: Collection[Entry[RouteEntry]]) -> list[Route]:
        """All routes that have channels, in the order in which they are written."""
        found = [route for entry in entries if (route := self._route(entry)) is not None]
        self._no_circle(entries)
        return found

    def _route(self, entry: Entry[RouteEntry]) -> Route | None:
        value = entry.value
        self._names(entry)
        if not value.urls and value.rotation is None:
            if not {"urls", "rotation"} & entry.dropped:
                expected = "expected `urls:` with at least one Apprise URL, or a `rotation:`"
                self._say(entry.where(), f"{expected}, found none")
            return None
        self._urls(value.urls or (), entry, "urls")
        self._zone(entry)
        return Route(
            name=entry.name,
            urls=_canonical(value.urls or ()),
            severities=value.severities,
            incident_types=value.incident_types,
            criticalities=value.criticalities,
            teams=value.teams,
            tags=value.tags,
            targets=self.groups.ids(value.targets),
            kinds=value.kinds,
            regions=value.regions,
            when=week_hours.parse(value.when),
            timezone=value.timezone or "UTC",
            stop=value.stop,
            default=value.default,
            operators=value.operators,
            rotation=self._rotation(value.rotation, entry),
            quiet=self._quiet(entry),
            group_interval_ms=(
                None
                if value.group_interval is None
                else self._span(value.group_interval, entry, "group_interval", most=DAY_MS)
            ),
            remind_every_ms=self._remind_every_ms(entry),
            escalate=tuple(
                EscalationStep(
                    after_ms=self._span(
                        step.after,
                        entry,
                        *("escalate", position, "after"),
                        least=MINUTE_MS,
                        most=MONTH_MS,
                    ),
                    routes=step.routes,
                )
                for position, step in enumerate(value.escalate)
            ),
            limit=self._limit(entry),
            fallback=value.fallback,
            fallback_after_ms=self._span(
                value.fallback_after, entry, "fallback_after", most=DAY_MS
            ),
            missed=value.missed,
            templates=self._templates(entry),
        )

    def _say(self, where: Where, message: str) -> None:
        self.problems.append(Problem(where, message))

    def _names(self, entry: Entry[RouteEntry]) -> None:
        """The references; a name with `*` may match nothing yet."""
        value = entry.value
        for what, names, known, path in (
            ("route", value.fallback, self.routes, ("fallback",)),
            ("region", value.regions, self.regions, ("regions",)),
            *(
                ("route", step.routes, self.routes, ("escalate", position, "routes"))
                for position, step in enumerate(value.escalate)
            ),
        ):
            self.problems += unknown(what, names, known, entry, *path)
        for what, names, known, field in (
            ("team", value.teams, self.teams, "teams"),
            ("target", value.targets, self.ids, "targets"),
        ):
            for position, name in enumerate(names):
                is_group = what == "target" and name in self.groups
                if name not in known and "*" not in name and not is_group:
                    self._say(entry.where(field, position), not_defined(what, name, known))

    def _urls(self, urls: Iterable[str], entry: Entry[RouteEntry], *path: str | int) -> None:
        for position, url in enumerate(urls):
            wrong = problem(url)
            if wrong:
                self._say(entry.where(*path, position), wrong)

    def _zone(self, entry: Entry[RouteEntry]) -> None:
        value = entry.value
        wrong = zone_problem(value.timezone, entry)
        if wrong is not None:
            self.problems.append(wrong)
        by_the_clock = [name for name in ("when", "quiet", "rotation") if getattr(value, name)]
        if value.timezone is None and "timezone" not in entry.dropped and by_the_clock:
            message = (
                "without `timezone:` its hours are those of UTC; write timezone: with the zone "
                "that is meant such as Europe/Berlin, or UTC"
            )
            self.warnings.append(Problem(entry.where(by_the_clock[0]), message))

    def _rotation(self, written: RotationEntry | None, entry: Entry[RouteEntry]) -> Rotation | None:
        if written is None:
            return None
        if not written.people:
            place = entry.where("rotation", "people")
            self._say(place, "expected at least one name with its channels, found none")
            return None
        for name, urls in written.people.items():
            self._urls(urls, entry, "rotation", "people", name)
        since = self._since(written, entry)
        where = ("rotation", "every")
        every_ms = self._span(written.every, entry, *where, least=DAY_MS, most=366 * DAY_MS)
        if every_ms % DAY_MS:
            expected = f"expected whole days such as 7d, found {written.every!r}"
            self._say(entry.where(*where), expected)
        return Rotation(
            people=tuple(
                Person(name=name, urls=_canonical(urls)) for name, urls in written.people.items()
            ),
            since=since,
            days=every_ms // DAY_MS,
            handover=written.handover,
        )

    def _since(self, written: RotationEntry, entry: Entry[RouteEntry]) -> str:
        try:
            date.fromisoformat(written.since)
        except ValueError:
            expected = f"expected a date such as 2026-11-30, found {written.since!r}"
            self._say(entry.where("rotation", "since"), expected)
        return written.since

    def _quiet(self, entry: Entry[RouteEntry]) -> Quiet | None:
        written = entry.value.quiet
        if written is None:
            return None
        return Quiet(hours=week_hours.parse(written.hours), unless=written.unless)

    def _remind_every_ms(self, entry: Entry[RouteEntry]) -> int:
        written = entry.value.remind_every
        if written is None or not parse_ms(written):
            return 0
        return self._span(written, entry, "remind_every", least=MINUTE_MS, most=MONTH_MS)

    def _limit(self, entry: Entry[RouteEntry]) -> Limit | None:
        written = entry.value.limit
        if written is None:
            return None
        messages, _, per = written.partition(" in ")
        if int(messages) > MOST_MESSAGES:
            self._say(entry.where("limit"), f"expected 1 to 1000 messages, found {messages}")
            return None
        per_ms = self._span(per, entry, "limit", least=MINUTE_MS, most=DAY_MS)
        return Limit(messages=int(messages), per_ms=per_ms)

    def _templates(self, entry: Entry[RouteEntry]) -> Templates | None:
        written = entry.value.templates
        if written is None:
            return None
        made = Templates(
            subject=written.subject, text=written.text, html=written.html, short=written.short
        )
        wrong = template_problem(made)
        if wrong is not None:
            self._say(entry.where("templates"), wrong)
        return made

    def _span(
        self,
        written: str,
        entry: Entry[RouteEntry],
        *path: str | int,
        least: int = 0,
        most: int,
    ) -> int:
        """A duration in ms; one that is too short or too long is a problem, and the nearest."""
        found = parse_ms(written)
        if least <= found <= most:
            return found
        low = "0s" if least == 0 else text(least)
        high = "24h" if most == DAY_MS else text(most)
        self._say(entry.where(*path), f"expected {low} to {high}, found {written!r}")
        return min(max(found, least), most)

    def _no_circle(self, entries: Collection[Entry[RouteEntry]]) -> None:
        """Says who falls back in a circle. Escalation may go in one: each step has its time."""
        own = {entry.name: entry for entry in entries}
        fallbacks = {name: entry.value.fallback for name, entry in own.items()}
        circle = find_circle({**self.fallbacks, **fallbacks})
        written = next((own[name] for name in circle if name in own), None)
        if written is not None:
            chain = " → ".join(circle)
            self._say(written.where("fallback"), f"routes fall back in a circle: {chain}")


def _canonical(urls: Iterable[str]) -> tuple[str, ...]:
    """The URLs with pasted addresses in the form of their scheme: one channel, however written."""
    return tuple(canonical(url) for url in urls)
