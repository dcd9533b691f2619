"""docs/oncall-systems.md, made of what the systems received.

python -m tests.integration.sinks.notifier.on_call.table
"""

import sys
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import apprise
from msgspec import Struct

from sinks.notifier.channels.on_call_systems import on_call_system
from tests.integration.sinks.notifier.on_call import probe
from tests.integration.sinks.notifier.on_call.intercept import Intercept, Request, intercept
from tests.integration.sinks.notifier.on_call.probe import KEY_1, STORY, Told
from tests.integration.sinks.notifier.on_call.systems import PLUGINS, Plugin, field

PAGE: Final = Path(__file__).parents[5] / "docs" / "oncall-systems.md"

_HASH_LENGTH: Final = 20
_INTRODUCTION: Final = """\
# On-call systems

Which on-call and incident systems Apprise reaches, what each is given, and what it would get from
Apprise alone.

This page is made by running every one of these plugins, of Apprise {version}, against a receiver
that stands in for the system's own host (a proxy with a test certificate; Apprise is unchanged):

```sh
python -m tests.integration.sinks.notifier.on_call.table
```

A test runs them again and compares.

## What portquorum gives them

`KEY` is the incident's key: the incident's id and its episode, `region:NAME`, `targets:CAUSE` or
`channel:ID`. An incident that was better and is worse again begins an episode: its old alert is
resolved, another begins. Each cell shows the fields of the request by which the system decides.

"""


class _Findings(Struct, frozen=True):
    """What running one plugin showed."""

    plugin: Plugin
    written: dict[str, Told]
    story: dict[str, tuple[Told, ...]]


def run(proxy: Intercept) -> list[_Findings]:
    with probe.through(proxy):
        return [
            _Findings(
                plugin,
                probe.as_written(plugin, proxy),
                probe.as_notifier(plugin, proxy),
            )
            for plugin in PLUGINS
            if apprise.Apprise.instantiate(plugin.url) is not None  # older ones have fewer
        ]


def page(found: list[_Findings]) -> str:
    """The whole page."""
    lines = [_INTRODUCTION.format(version=apprise.__version__)]
    parts = [part for part, _ in STORY]
    lines.append(f"| system | {' | '.join(parts)} |\n|---|{'---|' * len(parts)}\n")
    lines += [
        f"| {one.plugin.name} | "
        + " | ".join(_told(one.plugin, one.story[part]) for part in parts)
        + " |\n"
        for one in found
    ]
    lines.append(_ABILITIES)
    lines += [_abilities(one) for one in found]
    lines.append(_ALONE)
    lines += [_alone(one) for one in found]
    return "".join(lines)


_ABILITIES: Final = """
To PagerDuty, Opsgenie and Jira Service Management portquorum speaks itself, since Apprise can't
close their alerts by key. All others are reached through Apprise.

## What they can do

| system | schemes | URL parameters that we set | one alert by key | acknowledges | resolves |
|---|---|---|---|---|---|
"""

_ALONE: Final = """
Older versions of Apprise have fewer of them: 1.9.0 knows PagerTree and Splunk On-Call alone, and
gives them the same. `inventory check` refuses a scheme that the installed Apprise does not know.

A system without a key opens another incident at each message, so it is given openings alone, and
nothing at an acknowledgement or a recovery: a person closes the incident there.

A parameter of these names in a URL of the inventory is replaced: a fixed key would make one alert
of all incidents, a fixed action would never close one.

## What Apprise would send by itself

The same URLs without these parameters. *Opened* and *closed* are given with Apprise's types
`failure` and `success`, as few programs do; without a type Apprise takes `info`. Long hashes are
cut.

| system | opened | without a type | closed | what that means |
|---|---|---|---|---|
"""


def _told(plugin: Plugin, told: tuple[Told, ...]) -> str:
    return "<br>then ".join(
        _requests(plugin, one) if one.confirmed else "nothing: can't" for one in told
    )


def _requests(plugin: Plugin, told: Told) -> str:
    if not told.requests:
        said = "sent" if told.confirmed else "failed"
        return f'**no request**, Apprise says "{said}"'
    return "<br>".join(_fields(plugin, request) for request in told.requests)


def _fields(plugin: Plugin, request: Request) -> str:
    names = dict.fromkeys((plugin.state, plugin.key, plugin.severity))
    shown = [
        f"{name} {_value(unquote(field(request, name)))}"
        for name in names
        if name and field(request, name)
    ]
    if plugin.state and plugin.state not in dict.fromkeys(part.split(" ")[0] for part in shown):
        shown.insert(0, f"no {plugin.state}")
    return f"`{', '.join(shown)}`" if shown else "another incident"


def _value(value: str) -> str:
    value = value.replace(KEY_1.partition("/")[0], "KEY")
    if len(value) == 36 and value.count("-") == 4:
        return "(a new UUID)"
    return value if len(value) <= _HASH_LENGTH or "/" in value else f"{value[:8]}…"


def does(plugin: Plugin, told: tuple[Told, ...]) -> list[tuple[str, str]]:
    """What the requests do, each with its key."""
    return [plugin.read(request)[:2] for one in told for request in one.requests]


def abilities(one: _Findings) -> tuple[bool, bool, bool]:
    """One alert by key, acknowledges, resolves: read from the requests."""
    opened = does(one.plugin, one.story["opened"])
    acknowledged = does(one.plugin, one.story["acknowledged"])
    closed = does(one.plugin, one.story["closed"])
    return (
        opened == [("trigger", KEY_1)],
        acknowledged == [("acknowledge", KEY_1)],
        closed == [("resolve", probe.KEY_2)],
    )


def _abilities(one: _Findings) -> str:
    name = (
        f"[{one.plugin.name}]({one.plugin.page})" if " " not in one.plugin.page else one.plugin.name
    )
    answers = " | ".join("yes" if able else "no" for able in abilities(one))
    system = on_call_system(one.plugin.scheme)
    if system is None:
        return f"| {name} | `{one.plugin.scheme}` | none: the requests are ours | {answers} |\n"
    schemes = ", ".join(f"`{scheme}`" for scheme in system.schemes)
    actions = [value for value in (system.trigger, system.acknowledge, system.resolve) if value]
    values = " or ".join(f"`action={value}`" for value in actions)
    parameters = f"`{system.key}=KEY`, {values}" if system.key else "none"
    return f"| {name} | {schemes} | {parameters} | {answers} |\n"


def meaning(one: _Findings) -> list[str]:
    """What is wrong with Apprise's own requests, read from them."""
    plugin, written = one.plugin, one.written
    opened, other, untyped, closed = (
        does(plugin, (written[part],)) for part in ("opened", "another host", "no type", "closed")
    )
    found = []
    if not untyped and written["no type"].confirmed:
        found.append("without a type nobody is paged, and nothing says so")
    elif all(what == "note" for what, _ in untyped):
        found.append("without a type nobody is paged")
    if not closed and written["closed"].confirmed:
        found.append("a restarted program closes nothing, and nothing says so")
    if closed and closed[0][0] == "trigger":
        found.append("a recovery opens another alert")
    if closed and closed[0][0] == "resolve" and not closed[0][1]:
        found.append("a recovery names no alert")
    if closed and closed[0][0] == "resolve" and closed[0][1]:
        if closed[0][1] != opened[0][1]:
            found.append(
                "the key is a hash of the title: a recovery with another title closes nothing"
            )
        elif other == opened:
            found.append("all incidents are one alert: the first recovery closes it for all")
    return found


def _alone(one: _Findings) -> str:
    cells = [_requests(one.plugin, one.written[part]) for part in ("opened", "no type", "closed")]
    return f"| {one.plugin.name} | {' | '.join(cells)} | {'; '.join(meaning(one))} |\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, intercept(Path(folder)) as proxy:
        PAGE.write_text(page(run(proxy)), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is written\n")


if __name__ == "__main__":
    main()
