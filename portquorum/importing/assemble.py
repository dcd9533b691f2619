"""What a wing found, through the inventory's own loader: the inventory, and the report.

Whatever that loader does not take is left out with its problem, so that `inventory check` of what
is written ends with 0. No entry is lost on the way: those in are those in the report.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from portquorum.importing.entries import (
    Entry,
    by_key,
    connect,
    identified,
    number,
    taken,
    window,
)
from portquorum.importing.leaving_out import without, without_all
from portquorum.importing.model import Ignored, Import, Options, Report, Secret
from portquorum.importing.operators import with_operators
from portquorum.importing.regions import is_place, regions_for
from portquorum.importing.without_secrets import without_secrets
from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.errors import InventoryError, Problem
from portquorum.inventory.resolve import Inventory, resolve

_FILE: Final = "the inventory"
_MOST_ROUNDS: Final = 1_000


def assemble(found: Import, options: Options) -> tuple[dict[str, Any], Report]:
    """The inventory as plain values, and the report on all entries of `found`."""
    found = without_secrets(found)
    entries = identified(found.entries)
    warnings: list[str] = []
    regions = regions_for(entries, options, warnings)
    places = [place for place in found.connectivity if is_place(place)]
    for region in regions.values() if places else ():
        region["connectivity"] = list(dict.fromkeys(places))
    connect(entries)
    routes, told = with_operators(found)
    teams, maintenance = dict(found.teams), list(found.maintenance)
    dropped: list[Ignored] = []
    document: dict[str, Any] = {}
    inventory: Inventory | None = None
    for _ in range(_MOST_ROUNDS):
        keys = by_key(entries)
        windows = [made for one in maintenance if (made := window(one, keys))]
        document, owners = _document(regions, teams, routes, entries, windows)
        inventory, problems = _resolved(document)
        if inventory is not None:
            break
        if not without(problems, entries, owners, (routes, teams, maintenance), dropped):
            without_all(problems, entries)
    by_id = {} if inventory is None else {target.id: target for target in inventory.targets}
    warnings += [f"{one.what} was left out: {one.why}" for one in dropped]
    warnings += _remarks(entries, inventory)
    return document, Report(
        source=found.source,
        entries=tuple(taken(entry, by_id) for entry in entries),
        routes={name: tuple(told.get(name, ())) for name in routes},
        secrets=_used(found.secrets, document),
        ignored=(*found.ignored, *dropped),
        unreadable=tuple(found.unreadable),
        warnings=tuple(warnings),
    )


def _document(
    regions: Mapping[str, Any],
    teams: Mapping[str, Any],
    routes: Mapping[str, Any],
    entries: Iterable[Entry],
    windows: list[dict[str, Any]],
) -> tuple[dict[str, Any], list[Entry]]:
    """The inventory, and of each target in it the entry."""
    kept = {target["id"] for entry in entries for target in entry.targets}
    owners, targets = [], []
    for entry in entries:
        for target in entry.targets:
            wanted = [name for name in target.get("depends_on", ()) if name in kept]
            others = {name: value for name, value in target.items() if name != "depends_on"}
            targets.append(others | ({"depends_on": wanted} if wanted else {}))
            owners.append(entry)
    sections: dict[str, Any] = {
        "regions": dict(regions),
        "teams": dict(teams),
        "routes": dict(routes),
        "targets": targets,
        "maintenance": windows,
    }
    return {name: value for name, value in sections.items() if value}, owners


def _resolved(document: Mapping[str, Any]) -> tuple[Inventory | None, tuple[Problem, ...]]:
    entries = Entries()
    problems = decode(tree.Root(_FILE, tree.planted(document), 0), entries)
    try:
        return resolve(entries, "import", problems), ()
    except InventoryError as error:
        return None, error.problems


def _used(secrets: Iterable[Secret], document: Mapping[str, Any]) -> tuple[Secret, ...]:
    """The secrets that what is written needs, not those of entries that were left out."""
    text = json.dumps(document)
    return tuple(one for one in secrets if f"${{{one.name}}}" in text)


def _remarks(entries: Iterable[Entry], inventory: Inventory | None) -> list[str]:
    """Warnings of the loader, each sentence once with its number, and what else is new."""
    probes = [t.get("probe") or {} for entry in entries for t in entry.targets]
    found: list[str] = []
    clear = sum(1 for probe in probes if probe.get("insecure"))
    if clear:
        found.append(
            f"{number(clear, 'target')} with a secret that goes without TLS, or to a server whose "
            "certificate is not verified, as before: `insecure: true` stands there"
        )
    warning = sum("critical_days" in probe and "warn_days" not in probe for probe in probes)
    if warning:
        found.append(
            f"{number(warning, 'target')} with TLS open an incident of type `expiring` 14 days "
            "before a certificate ends, which is new; `warn_days: 0` turns that off"
        )
    warned = Counter(one.message for one in inventory.warnings) if inventory is not None else {}
    return found + [f"{text} (× {count})" if count > 1 else text for text, count in warned.items()]
