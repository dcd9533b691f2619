"""Status pages as a YAML file, so that they can be kept in git. Pure.

`status_pages:` has the pages by their slugs, each as a PUT of the API takes it. No password is in
a file, and none is read from one.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from portquorum.changing.status_edits import WantedPage
from portquorum.inventory.errors import Path, Problem
from portquorum.inventory.explain import explain
from portquorum.inventory.tree import Mapping, Root, read
from portquorum.inventory.yaml_text import yaml_text
from portquorum.status_editing.page_rules import wanted_of
from schemas.web import StatusPage

TOP: Final = "status_pages"
_SECRET: Final = "password"  # noqa: S105 - the name of a field
_NOT_IN_FILES: Final = (
    "expected no password in a file: set it on the page, it stays when this file is applied"
)
_DEFAULTS: Final = msgspec.to_builtins(WantedPage(title=""))


def written(pages: Iterable[StatusPage]) -> str:
    """The file of some pages: fields that are not as by default, components one a line."""
    found = list(pages)
    if not found:
        return f"{TOP}: {{}}\n"
    return f"{TOP}:\n" + "".join(_page(one) for one in found)


def wanted_in(text: str, file: str) -> tuple[dict[str, WantedPage], list[Problem]]:
    """The pages of a file by slug, and what is wrong with it."""
    roots, problems = read(text, file)
    pages: dict[str, WantedPage] = {}
    for root in roots:
        for slug, page in _pages_of(root, problems):
            if slug in pages:
                problems.append(Problem(root.where((TOP, slug)), "expected each page once"))
            pages[slug] = page
    if not roots and not problems:
        problems.append(Problem(Root(file, None, 0).where(()), f"expected {TOP}:, found nothing"))
    return pages, problems


def _pages_of(root: Root, problems: list[Problem]) -> Iterator[tuple[str, WantedPage]]:
    top = root.value
    if not isinstance(top, Mapping) or set(top) != {TOP}:
        shown = ", ".join(map(str, top)) if isinstance(top, Mapping) else type(top).__name__
        problems.append(Problem(root.where(()), f"expected {TOP}: alone, found {shown[:200]}"))
        return
    pages = top[TOP]
    if not isinstance(pages, Mapping):
        problems.append(Problem(root.where((TOP,)), "expected pages by their slugs"))
        return
    for slug, item in pages.items():
        place: Path = (TOP, slug)
        if not isinstance(item, Mapping):
            problems.append(Problem(root.where(place), "expected a page with a title and groups"))
        elif _SECRET in item:
            problems.append(Problem(root.where((*place, _SECRET)), _NOT_IN_FILES))
        else:
            page = _converted(root, place, item, problems)
            if page is not None:
                yield slug, page


def _converted(
    root: Root, place: Path, item: dict[str, Any], problems: list[Problem]
) -> WantedPage | None:
    try:
        return msgspec.convert(item, WantedPage)
    except msgspec.ValidationError as error:
        path, message = explain(str(error), item, WantedPage)
        problems.append(Problem(root.where((*place, *path)), message))
        return None


def _page(page: StatusPage) -> str:
    fields = msgspec.to_builtins(wanted_of(page))
    groups = fields.pop("groups")
    text = f"  {page.slug}:\n"
    for name, value in fields.items():
        if name == "title" or value != _DEFAULTS.get(name):
            text += f"    {name}: {yaml_text(value)}\n"
    text += "    groups:\n"
    for group in groups:
        text += f"      - name: {yaml_text(group['name'])}\n        components:\n"
        for one in group["components"]:
            shown = {"name": one["name"], "id": one["id"], "targets": one["targets"]}
            if one["description"]:
                shown["description"] = one["description"]
            text += f"          - {yaml_text(shown)}\n"
    return text
