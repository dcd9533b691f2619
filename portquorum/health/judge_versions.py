"""Which versions run beside each other: a line when they differ. Pure."""

from collections.abc import Iterable

from foundation.upgrade_order import NOUNS, ROLES, Member, Role, disorder, member
from portquorum.health.facts import HealthFacts
from portquorum.health.verdict import HealthLine


def versions_of(role: str, clients: Iterable[str]) -> tuple[str | None, ...]:
    """The version of each member of a role's group, by its client id; programs of others not."""
    for known in ROLES:
        if known == role:
            found = (member(known, client, "") for client in clients)
            return tuple(one.version for one in found if one is not None)
    return ()


def versions_line(facts: HealthFacts) -> HealthLine | None:
    """Who is of which version, while an upgrade is under way; a warning if it is out of order."""
    running = list(_running(facts))
    if len({one.series for one in running}) < 2:
        return None
    wrong = disorder(running)
    if wrong is not None:
        return HealthLine("versions", "warning", wrong)
    told = ", ".join(
        f"{NOUNS[role]} {' and '.join(sorted(of_role))}"
        for role in ROLES
        if (of_role := {one.version or "before" for one in running if one.role == role})
    )
    return HealthLine("versions", "ok", f"{told}: an upgrade in its order")


def _running(facts: HealthFacts) -> Iterable[Member]:
    groups: list[tuple[str, str, tuple[str | None, ...]]] = [
        (group.role, "", group.versions) for group in facts.groups
    ]
    groups += [("probe", region.region, region.group.versions) for region in facts.regions]
    for name, region, versions in groups:
        role = _role(name)
        if role is not None:
            yield from (Member(role, version, "", region) for version in versions)


def _role(name: str) -> Role | None:
    return next((role for role in ROLES if role == name), None)
