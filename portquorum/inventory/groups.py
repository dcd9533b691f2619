"""Targets that are written as one entry, and problems that several targets have in common. Pure."""

from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from portquorum.inventory.errors import Problem, Where

_IN_COMMON = frozenset({"templates", "defaults"})
"""Sections of which many targets have the same problem."""


class PortGroups:
    """The targets of entries with `ports:`, by the id that the entry has without a port."""

    def __init__(self) -> None:
        self._groups: dict[str, tuple[str, ...]] = {}

    def add(self, members: Iterable[tuple[str, str]], ids: Collection[str]) -> None:
        """Adds pairs of group and target id; a group whose id is one of `ids` is left out."""
        found: dict[str, list[str]] = {}
        for group, member in members:
            if group and group not in ids:
                found.setdefault(group, []).append(member)
        self._groups |= {group: tuple(names) for group, names in found.items()}

    def __contains__(self, name: object) -> bool:
        """True if several targets are meant by the name."""
        return name in self._groups

    def ids(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The names, each group as the ids of its targets."""
        if not self._groups or self._groups.keys().isdisjoint(names):
            return names
        found = (one for name in names for one in self._groups.get(name, (name,)))
        return tuple(dict.fromkeys(found))


def told_once(problems: Iterable[Problem], users: Mapping[str, Where]) -> list[Problem]:
    """The problems; of templates and defaults one a place, whatever target it was found with.

    A template's names the first target that uses it, as `users` has them.
    """
    told: set[Where] = set()
    found: list[Problem] = []
    for problem in problems:
        path = problem.where.path
        if path and path[0] in _IN_COMMON and len(path) > 1:
            if problem.where in told:
                continue
            told.add(problem.where)
            user = users.get(str(path[1])) if path[0] == "templates" else None
            if user is not None:
                here = user.file == problem.where.file
                place = f"line {user.line}" if here else f"{user.file}:{user.line}"
                used = f"{problem.message} (used first in {place})"
                found.append(replace(problem, message=used))
                continue
        found.append(problem)
    return found


def without_told(problems: list[Problem], since: int, told: set[Where]) -> None:
    """Drops the problems from position `since` on of which the place is one of those `told`."""
    new = [one for one in problems[since:] if one.where not in told]
    problems[since:] = new
