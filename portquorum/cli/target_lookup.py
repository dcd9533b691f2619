"""Finds a target by its id, its name, its `host:port` or its host."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

from portquorum.cli.errors import WrongUseError
from schemas.target import Target

SHOWN: Final = 5


def which(text: str, targets: Mapping[str, Target]) -> Target:
    """The only target, by id, that matches `text`; ignores case.

    Raises:
        WrongUseError: none or more than one; the text lists near or possible ones.
    """
    wanted = text.strip()
    if wanted in targets:
        return targets[wanted]
    folded = wanted.casefold()
    for names in (_id_or_name, _places, _hosts):
        found = sorted(
            target.id
            for target in targets.values()
            if folded in {name.casefold() for name in names(target)}
        )
        if len(found) == 1:
            return targets[found[0]]
        if found:
            listed = ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
            raise WrongUseError(f"{len(found)} targets are {text!r}, name one by its id: {listed}")
    near = _near(folded, targets.values())
    advice = f"did you mean {', '.join(near)}?" if near else "`portquorum status` lists them"
    raise WrongUseError(f"no target has the id, name, host:port or host {text!r}; {advice}")


def _id_or_name(target: Target) -> tuple[str, ...]:
    return target.id, target.name


def _places(target: Target) -> tuple[str, ...]:
    return (target.place,)


def _hosts(target: Target) -> tuple[str, ...]:
    return () if target.host is None else (target.host,)


def _near(folded: str, targets: Iterable[Target]) -> list[str]:
    """The ids of the targets with a similar name, the nearest first."""
    by_name: dict[str, str] = {}
    for target in targets:
        for name in (*_id_or_name(target), *_places(target), *_hosts(target)):
            by_name.setdefault(name.casefold(), target.id)
    near = difflib.get_close_matches(folded, by_name, n=SHOWN, cutoff=0.6)
    parts = sorted(name for name in by_name if folded in name) if len(folded) > 1 else []
    return list(dict.fromkeys(by_name[name] for name in (*near, *parts)))[:SHOWN]
