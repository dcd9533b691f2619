"""Finds open incidents by the first characters of their ids, or by their target; pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from portquorum.cli.errors import TroubleError, WrongUseError

if TYPE_CHECKING:
    from sinks.clickhouse.queries import Incident

SHOWN: Final = 5
_LISTED: Final = "`portquorum incidents --open` lists them"


def chosen(
    found: Sequence["Incident"], ids: Sequence[str], targets: Sequence[str]
) -> list["Incident"]:
    """The open incidents that are meant, each once, in the order in which they were named.

    Args:
        found: all open incidents.
        ids: ids or their first characters; ignores case.
        targets: targets by id, name, `host:port` or host; each must have a single open incident.

    Raises:
        TroubleError: something that was named has no open incident.
        WrongUseError: nothing was named, or it means several incidents; the text lists them.
    """
    if not ids and not targets:
        raise WrongUseError(f"expected the id of an incident, or --target TARGET; {_LISTED}")
    if not found:
        raise TroubleError("no incident is open")
    meant = [_by_id(found, text) for text in ids] + [_by_target(found, text) for text in targets]
    return list({one.incident_id: one for one in meant}.values())


def _by_id(found: Sequence["Incident"], text: str) -> "Incident":
    begin = text.strip().lower()
    if not begin:
        raise WrongUseError(f"expected the id of an incident, found {text!r}; {_LISTED}")
    matching = [one for one in found if one.incident_id.lower().startswith(begin)]
    if not matching:
        target = any(begin in names(one) for one in found for names in _NAMES)
        advice = f"did you mean --target {text}?" if target else _LISTED
        raise TroubleError(f"no open incident has an id that begins with {text!r}; {advice}")
    if len(matching) > 1:
        raise WrongUseError(
            f"{len(matching)} open incidents have ids that begin with {text!r}, type more of it: "
            f"{_named(matching)}"
        )
    return matching[0]


def _by_target(found: Sequence["Incident"], text: str) -> "Incident":
    wanted = text.strip().casefold()
    matching: list[Incident] = []
    for names in _NAMES:
        matching = [one for one in found if wanted and wanted in names(one)]
        if matching:
            break
    else:
        raise TroubleError(
            f"no open incident is of a target with the id, name, host:port or host {text!r}; "
            f"{_LISTED}"
        )
    if len(matching) > 1:
        raise WrongUseError(
            f"{text!r} has {len(matching)} open incidents, name them by id: {_named(matching)}"
        )
    return matching[0]


def _names(one: "Incident") -> tuple[str, ...]:
    return one.target.casefold(), one.name.casefold()


def _place(one: "Incident") -> tuple[str, ...]:
    host = f"[{one.host}]" if ":" in one.host else one.host
    return (f"{host}:{one.port}".casefold(),) if one.host and one.port else ()


def _host(one: "Incident") -> tuple[str, ...]:
    return (one.host.casefold(),) if one.host else ()


_NAMES: Final = (_names, _place, _host)


def _named(found: Sequence["Incident"]) -> str:
    listed = [f"{one.incident_id} ({one.target}, {one.incident_type})" for one in found[:SHOWN]]
    return ", ".join((*listed, *(["…"] if len(found) > SHOWN else [])))
