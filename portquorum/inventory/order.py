"""Finds circles among names: targets that depend, routes that fall back."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter


def find_circle(depends_on: Mapping[str, Iterable[str]]) -> list[str]:
    """A circle, with its first element repeated at the end; empty if there is none."""
    try:
        TopologicalSorter({key: tuple(on) for key, on in depends_on.items() if on}).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []
