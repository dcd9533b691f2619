"""From a page as asked for to one as it is stored. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from msgspec import UNSET, Struct

from portquorum.access.passwords import problem_of
from portquorum.changing.status_edits import (
    PageSeen,
    WantedComponent,
    WantedGroup,
    WantedPage,
)
from portquorum.status_editing.wrong import Wrongs
from schemas.target_id import slug as slug_of
from schemas.web import StatusComponent, StatusGroup, StatusPage

MOST_COMPONENTS: Final = 1_000
MOST_TARGETS: Final = 10_000
"""Targets of all components of a page together, each as often as it is named."""
MOST_GROUPS: Final = 100
MOST_NAME: Final = 100
MOST_TEXT: Final = 5_000
MOST_LINK: Final = 500
_MOST_OF_ONE: Final = 1_000
_MOST_ID: Final = 63
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
RESERVED: Final = frozenset({"new"})
"""Slugs that are addresses of forms."""

IsThere = Callable[[str], bool]
"""Whether there is a target of this id."""


class Content(Struct, frozen=True, kw_only=True):
    """What is stored of a wanted page, but for its password and its version."""

    title: str
    groups: tuple[StatusGroup, ...]
    description: str
    contact: str


def is_slug(text: str) -> bool:
    """True if `/status/TEXT` can be a page."""
    return _SLUG.fullmatch(text) is not None and text not in RESERVED


def content_of(
    wanted: WantedPage, before: StatusPage | None, is_there: IsThere, wrongs: Wrongs
) -> Content:
    """The content of a page; what is wrong with it is added to `wrongs`.

    A target that the page has and that is gone may stay; a new one must be there.
    """
    kept = frozenset(targets_of(before)) if before is not None else frozenset()
    if isinstance(wanted.password, str) and (problem := problem_of(wanted.password)):
        wrongs.add("password", problem)
    _count(wanted, wrongs)
    return Content(
        title=wrongs.line("title", wanted.title, MOST_NAME, needed=True),
        groups=_groups(wanted, before, lambda one: one in kept or is_there(one), wrongs),
        description=wrongs.text("description", wanted.description, MOST_TEXT),
        contact=_contact(wanted.contact, wrongs),
    )


def targets_of(page: StatusPage) -> Iterator[str]:
    """The ids of the targets of all components, each as often as it is named."""
    for _, component in components_of(page):
        yield from component.targets


def components_of(page: StatusPage) -> Iterator[tuple[StatusGroup, StatusComponent]]:
    """All components in their order, with their groups."""
    for group in page.groups:
        for component in group.components:
            yield group, component


def seen(page: StatusPage) -> PageSeen:
    """A page as people who change it see it: without the hash of its password."""
    return PageSeen(
        slug=page.slug,
        version=page.version,
        at=page.at,
        by=page.by,
        has_password=page.password is not None,
        entry=wanted_of(page),
    )


def wanted_of(page: StatusPage) -> WantedPage:
    """What would make this page once more; its password stays as it is."""
    return WantedPage(
        title=page.title,
        groups=tuple(
            WantedGroup(
                name=group.name,
                components=tuple(
                    WantedComponent(
                        id=one.id, name=one.name, targets=one.targets, description=one.description
                    )
                    for one in group.components
                ),
            )
            for group in page.groups
        ),
        description=page.description,
        access=page.access,
        password=UNSET,
        days=page.days,
        show_uptime=page.show_uptime,
        show_response_times=page.show_response_times,
        contact=page.contact,
    )


def _count(wanted: WantedPage, wrongs: Wrongs) -> None:
    components = [one for group in wanted.groups for one in group.components]
    if not components:
        wrongs.add("groups", "expected at least one component, found none")
    if len(wanted.groups) > MOST_GROUPS:
        wrongs.add("groups", f"expected at most {MOST_GROUPS} groups, found {len(wanted.groups)}")
    if len(components) > MOST_COMPONENTS:
        wrongs.add(
            "groups", f"expected at most {MOST_COMPONENTS} components, found {len(components)}"
        )
    targets = sum(len(one.targets) for one in components)
    if targets > MOST_TARGETS:
        wrongs.add("groups", f"expected at most {MOST_TARGETS} targets, found {targets}")


def _contact(text: str, wrongs: Wrongs) -> str:
    found = wrongs.line("contact", text, MOST_LINK)
    if found and not _is_link(found):
        wrongs.add("contact", f"expected a link (https://…, mailto:…), found {found[:80]!r}")
    return found


def _is_link(text: str) -> bool:
    if any(one.isspace() or one in "<>\"'" for one in text):
        return False
    try:
        url = urlsplit(text)
        host = url.hostname
    except ValueError:
        return False
    if url.scheme == "mailto":
        return "@" in url.path
    return url.scheme in {"http", "https"} and bool(host)


def _groups(
    wanted: WantedPage, before: StatusPage | None, is_there: IsThere, wrongs: Wrongs
) -> tuple[StatusGroup, ...]:
    ids = _Ids(wanted, before, wrongs)
    made = []
    for at, group in enumerate(wanted.groups[:MOST_GROUPS]):
        components = []
        for number, one in enumerate(group.components):
            place = f"groups[{at}].components[{number}]"
            components.append(
                StatusComponent(
                    id=ids.of(one, place),
                    name=wrongs.line(f"{place}.name", one.name, MOST_NAME, needed=True),
                    targets=_targets(one, place, is_there, wrongs),
                    description=wrongs.text(f"{place}.description", one.description, MOST_TEXT),
                )
            )
        name = wrongs.line(f"groups[{at}].name", group.name, MOST_NAME)
        if " / " in name or name.startswith("/"):
            wrongs.add(f"groups[{at}].name", "expected a name without ` / `, found one with it")
        made.append(StatusGroup(name=name, components=tuple(components)))
    _refuse_twins(made, wrongs)
    return tuple(one for one in made if one.components)


def _targets(
    component: WantedComponent, place: str, is_there: IsThere, wrongs: Wrongs
) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(component.targets))
    if not found:
        wrongs.add(f"{place}.targets", "expected at least one target, found none")
    if len(found) > _MOST_OF_ONE:
        wrongs.add(
            f"{place}.targets", f"expected at most {_MOST_OF_ONE} targets, found {len(found)}"
        )
    for one in found[:_MOST_OF_ONE]:
        if not is_there(one):
            wrongs.add(f"{place}.targets", f"there is no target {one[:128]!r}")
    return found


def _refuse_twins(groups: Iterable[StatusGroup], wrongs: Wrongs) -> None:
    """Two components of one name in one group would be the same to whoever reads them."""
    for at, group in enumerate(groups):
        names = Counter(one.name for one in group.components if one.name)
        for number, one in enumerate(group.components):
            if names[one.name] > 1:
                names[one.name] = 0
                wrongs.add(
                    f"groups[{at}].components[{number}].name",
                    f"expected another name: two components of the group have {one.name!r}",
                )


class _Ids:
    """Gives each component its id: the one that it asks for, the one that it had, or a new one."""

    def __init__(self, wanted: WantedPage, before: StatusPage | None, wrongs: Wrongs) -> None:
        self._wrongs = wrongs
        components = [one for group in wanted.groups for one in group.components]
        asked = Counter(one.id for one in components if one.id is not None)
        self._twice = {one for one, count in asked.items() if count > 1}
        self._used = set(asked)
        names = {one.name.strip() for one in components if one.id is None}
        old = [] if before is None else [one for _, one in components_of(before)]
        free = [one for one in old if one.id not in asked]
        self._by_name: dict[str, str] = {}
        for one in free:
            self._by_name.setdefault(one.name, one.id)
        self._by_targets = {frozenset(one.targets): one.id for one in free if one.name not in names}

    def of(self, component: WantedComponent, place: str) -> str:
        """The id of a component; "x" if it has none that can be."""
        if component.id is not None:
            if _SLUG.fullmatch(component.id) is None:
                self._wrongs.add(
                    f"{place}.id",
                    f"expected small letters, digits and -, found {component.id[:80]!r}",
                )
                return "x"
            if component.id in self._twice:
                self._wrongs.add(f"{place}.id", f"two components have the id {component.id!r}")
            return component.id
        found = self._by_name.get(component.name.strip()) or self._by_targets.get(
            frozenset(component.targets)
        )
        if found is None or found in self._used:
            found = self._new(component.name)
        self._used.add(found)
        return found

    def _new(self, name: str) -> str:
        """Free, made from a name; of one without a letter of ASCII: `component`."""
        stem = component_id(name)
        found, number = stem, 2
        while found in self._used:
            found = f"{stem[: _MOST_ID - 6]}-{number}"
            number += 1
        return found


def component_id(name: str) -> str:
    """The id that a new component of this name gets, if nothing else has it."""
    return re.sub(r"[._]+", "-", slug_of(name)).strip("-")[:_MOST_ID].rstrip("-") or "component"
