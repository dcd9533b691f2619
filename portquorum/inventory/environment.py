"""What an inventory's channels need from the environment of the notifier."""

from collections.abc import Iterator, Mapping

from portquorum.inventory.decode import Entries, Entry
from portquorum.inventory.document import RouteEntry
from portquorum.inventory.errors import Path, Problem, Where
from sinks.notifier.channels.problem import problem
from sinks.notifier.secrets import placeholders


def environment_problems(entries: Entries, env: Mapping[str, str]) -> list[Problem]:
    """The channels that can't be used in the environment `env`; those that never can are not here.

    A variable that is missing is named, once for all channels that lack the same. The texts contain
    no secrets.
    """
    found = []
    lacking: dict[tuple[str, ...], list[Where]] = {}
    for entry in entries.routes:
        for path, url in _channels(entry):
            if problem(url) is not None:
                continue
            missing = [f"${{{name}}}" for name in placeholders(url) if not env.get(name)]
            if missing:
                lacking.setdefault(tuple(missing), []).append(entry.where(*path))
            elif (wrong := problem(url, env)) is not None:
                found.append(Problem(entry.where(*path), wrong))
    return [
        *(Problem(places[0], _not_set(names, len(places))) for names, places in lacking.items()),
        *found,
    ]


def _channels(entry: Entry[RouteEntry]) -> Iterator[tuple[Path, str]]:
    """The channels of a route and of the people of its rotation, each with its place."""
    for position, url in enumerate(entry.value.urls or ()):
        yield ("urls", position), url
    if entry.value.rotation is not None:
        for name, urls in entry.value.rotation.people.items():
            for position, url in enumerate(urls):
                yield ("rotation", "people", name, position), url


def _not_set(missing: tuple[str, ...], channels: int) -> str:
    *others, last = missing
    names = f"{', '.join(others)} and {last}" if others else last
    are, them = ("are", "them") if others else ("is", "it")
    more = f" and {channels - 1} more" if channels > 1 else ""
    return (
        f"{names} of this channel{more} {are} not set in this environment; "
        f"the notifier needs {them} in its own"
    )
