"""On-call systems that Apprise reaches, and the URL parameters by which each is given its key.

Apprise's own rule (`action=map`) ties a recovery to its alert by the title of the message. Titles
change between opening and closing, so every URL is given the key and the action itself. Apprise is
told the type as well: some plugins take the severity from it. docs/oncall-systems.md shows what
each system receives; it is made by running this module's URLs against a receiver.

Not here, since Apprise can't close their alerts by key: `pagerduty` (before Apprise 2), `opsgenie`
and `jira` (the alert's id is in the memory of one Apprise object). Their channels are ours.

Pure; no I/O.
"""

from typing import Final
from urllib.parse import quote

from msgspec import Struct

from sinks.notifier.model import OnCallAction


class OnCallSystem(Struct, frozen=True, kw_only=True):
    """One system behind a plugin of Apprise.

    `key` is the URL parameter for the alert's key, `key_names` every name of it that the plugin
    knows; both empty: the system has no key, each trigger is an alert of its own and nobody but a
    person can close it. `trigger`, `acknowledge` and `resolve` are the value of the URL parameter
    `action`; empty: no parameter is needed; None: the system can't do it through Apprise.
    """

    name: str
    schemes: tuple[str, ...]
    key: str = ""
    key_names: tuple[str, ...] = ()
    trigger: str = ""
    acknowledge: str | None = None
    resolve: str | None = None


SYSTEMS: Final = (
    OnCallSystem(name="Better Stack", schemes=("betterstack",)),
    OnCallSystem(
        name="FireHydrant Signals",
        schemes=("firehydrant",),
        key="dedup",
        key_names=("dedup",),
        trigger="trigger",
        resolve="resolve",
    ),
    OnCallSystem(
        name="GoAlert",
        schemes=("goalert", "goalerts"),
        key="dedup",
        key_names=("dedup",),
        trigger="map",
        resolve="close",
    ),
    OnCallSystem(
        name="ilert",
        schemes=("ilert",),
        key="dedup",
        key_names=("dedup",),
        trigger="trigger",
        acknowledge="acknowledge",
        resolve="resolve",
    ),
    OnCallSystem(
        name="incident.io",
        schemes=("incidentio",),
        key="dedup",
        key_names=("dedup",),
        trigger="trigger",
        resolve="resolve",
    ),
    OnCallSystem(
        name="OpsiMate",
        schemes=("opsimate", "opsimates"),
        key="dedup",
        key_names=("dedup",),
        trigger="trigger",
        resolve="resolve",
    ),
    OnCallSystem(
        name="PagerTree",
        schemes=("pagertree",),
        key="thirdparty",
        key_names=("thirdparty", "tid", "dedup"),
        trigger="create",
        acknowledge="acknowledge",
        resolve="resolve",
    ),
    OnCallSystem(
        name="SIGNL4",
        schemes=("signl4",),
        key="external_id",
        key_names=("external_id", "dedup"),
        trigger="trigger",
        acknowledge="acknowledge",
        resolve="resolve",
    ),
    OnCallSystem(name="Spike.sh", schemes=("spike",)),
    OnCallSystem(
        name="Splunk On-Call (VictorOps)",
        schemes=("splunk", "victorops"),
        key="entity_id",
        key_names=("entity_id",),
        trigger="critical",
        acknowledge="acknowledgement",
        resolve="recovery",
    ),
    OnCallSystem(
        name="Squadcast",
        schemes=("squadcast",),
        key="dedup",
        key_names=("dedup",),
        trigger="trigger",
        resolve="resolve",
    ),
    OnCallSystem(name="xMatters", schemes=("xmatters",)),
)

_BY_SCHEME: Final = {scheme: system for system in SYSTEMS for scheme in system.schemes}


def on_call_system(scheme: str) -> OnCallSystem | None:
    """The system behind a scheme of Apprise (lower case); None: text for people, or ours."""
    return _BY_SCHEME.get(scheme)


def addressed(system: OnCallSystem, url: str, action: OnCallAction, key: str) -> str | None:
    """The URL that does `action` to the alert `key`; None: the system can't, so nothing is sent.

    Parameters of the same names in `url` are replaced: a fixed key would make one alert of all
    incidents, a fixed action would never close one.
    """
    value = _value(system, action)
    if value is None:
        return None
    given = {"action": value} if value else {}
    if system.key:
        given[system.key] = key
    replaced = {*given, *system.key_names}
    base, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and _name(part) not in replaced]
    made = [f"{name}={quote(text, safe='')}" for name, text in given.items()]
    return "?".join(filter(None, (base, "&".join((*kept, *made)))))


def _value(system: OnCallSystem, action: OnCallAction) -> str | None:
    match action:
        case "acknowledge":
            return system.acknowledge
        case "resolve":
            return system.resolve
    return system.trigger


def _name(parameter: str) -> str:
    return parameter.partition("=")[0].strip().lower()
