"""`portquorum notify`: the role, and what people ask of it."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portquorum.cli import dry_run
from portquorum.cli.options import Json, examples
from portquorum.presentation.output import print_json

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.delivery.channel_status import ChannelStatus
    from portquorum.delivery.why import WhyAnswer
    from schemas.policy import Policy, Route
    from sinks.notifier.model import Channel

app = typer.Typer(
    invoke_without_command=True,
    epilog=examples(
        "portquorum notify",
        "portquorum notify test db-oncall",
        "portquorum notify channels",
        "portquorum notify why prod-db",
        "portquorum notify dry-run --since 30d",
    ),
)

ID_LETTERS = "0123456789abcdef-"
LONG_ID = 8
"""Characters from which on a text of hex digits is taken for an id that nobody knows."""


@app.callback()
def notify(context: typer.Context) -> None:
    """Tell people about incidents by their channels, until SIGTERM or Ctrl-C.

    Without a command it is the role. The commands look at it, or test it.
    """
    if context.invoked_subcommand is None:
        from portquorum.cli.roles import notify as role

        role()


@app.command(
    "test",
    epilog=examples(
        "portquorum notify test db-oncall",
        "portquorum notify test db-oncall --file inventory.yaml --channel slack",
    ),
)
def send_test(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The name of the route.")],
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="Take the route from this inventory, not from the applied ones; may be repeated.",
        ),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL", help="Only this channel: its scheme or id; may be repeated."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Send a test message through each channel of a route now, from this machine.

    It says that it is a test. An on-call system gets a trigger with a key of its own, and then its
    resolve: whoever is on call may be paged. Secrets are those of this environment. Exit code 1 if
    a channel did not confirm.
    """
    from foundation.settings import load
    from portquorum.cli.notify_shown import show_rehearsed
    from portquorum.delivery.rehearsal import rehearse
    from sinks.notifier.channels.classes import class_of
    from sinks.notifier.channels.send import send

    found = _route(route, file or [])
    channels = _picked(found, channel or [])
    source = load().event_source("notifier")
    done = rehearse(channels, class_of, lambda one: send(one, may_send=lambda: True, source=source))
    if json:
        print_json({"route": found.name, "results": done})
    else:
        show_rehearsed(done)
    raise typer.Exit(0 if all(one.confirmed for one in done) else 1)


@app.command(
    epilog=examples(
        "portquorum notify channels",
        "portquorum notify channels --json | jq '.channels[] | select(.condition == \"fails\")'",
    )
)
def channels(json: Json = False) -> None:
    """List the channels of all routes: what they take, whether they work, what waits for them.

    What the notifier knows comes from its topics; secrets are looked for in this environment,
    which need not be the notifier's. Exit code 1 if a channel fails.
    """
    from foundation.settings import load
    from portquorum.cli.notify_shown import show_channels

    found = asyncio.run(_channels(load()))
    if json:
        print_json({"channels": found})
    else:
        show_channels(found, _now_ms())
    raise typer.Exit(1 if any(one.condition == "fails" for one in found) else 0)


@app.command(
    epilog=examples(
        "portquorum notify why prod-db",
        "portquorum notify why 0b7c1f52",
        "portquorum notify why eu-west --json",
    )
)
def why(
    what: Annotated[
        str,
        typer.Argument(
            metavar="EVENT|INCIDENT|TARGET",
            help="The id of an event or an incident (its first 4 characters are enough), a target "
            "by id, name or host:port, or a region.",
        ),
    ],
    limit: Annotated[
        int, typer.Option(min=0, max=2**31, metavar="N", help="At most N incidents; 0: all.")
    ] = 5,
    json: Json = False,
) -> None:
    """Say who was told of something, by which channel and when, and who was not and why.

    It knows what is open, and what the notifier decided in the last 30 days. Exit code 1 if
    somebody should know and does not.
    """
    from foundation.settings import load
    from portquorum.cli.notify_shown import show_why

    answer = asyncio.run(_why(load(), what))
    shown = answer.subjects[: limit or None]
    if json:
        print_json({"asked": what, "matched": answer.matched, "subjects": shown})
    else:
        show_why(answer, shown, _now_ms())
    raise typer.Exit(1 if any(one.untold for one in answer.subjects) else 0)


app.command("dry-run", epilog=dry_run.HELP)(dry_run.dry_run)


def _route(name: str, files: list[Path]) -> "Route":
    """The route, of an inventory's files or of [policy].

    Raises:
        WrongUseError: no such route.
    """
    from foundation.settings import load
    from portquorum.cli.known_names import expect_known
    from portquorum.inventory import check
    from schemas.policy import Route

    for path in files:
        if not path.exists():
            raise typer.BadParameter(f"{path} does not exist", param_hint="--file")
    policy = check(files).policy if files else asyncio.run(_policy(load()))
    routes = {entry.name: entry for entry in policy if isinstance(entry, Route)}
    expect_known("route", [name], sorted(routes))
    return routes[name]


def _picked(route: "Route", wanted: list[str]) -> list["Channel"]:
    """The channels of a route that have one of the `wanted` schemes or ids; all without any.

    Raises:
        WrongUseError: one of them is no channel of the route.
    """
    from portquorum.cli.errors import WrongUseError
    from sinks.notifier.model import Channel
    from sinks.notifier.moments import urls_of

    all_of_it = [Channel(route.name, url) for url in urls_of(route)]
    names = [one.strip().lower() for one in wanted]
    for name in names:
        if not any(_is(channel, name) for channel in all_of_it):
            there = ", ".join(f"{one.scheme} ({one.id})" for one in all_of_it)
            raise WrongUseError(f"the route {route.name!r} has no channel {name!r}; it has {there}")
    return [
        channel for channel in all_of_it if not names or any(_is(channel, name) for name in names)
    ]


def _is(channel: "Channel", name: str) -> bool:
    from portquorum.delivery.why import LEAST_LETTERS

    return channel.scheme == name or (len(name) >= LEAST_LETTERS and channel.id.startswith(name))


async def _policy(settings: "Settings") -> list["Policy"]:
    from foundation import kafka
    from portquorum.inventory import present

    await kafka.check_topics(settings)
    return [kept.entry for kept in (await present.read_policy(settings)).values()]


async def _channels(settings: "Settings") -> list["ChannelStatus"]:
    from portquorum.delivery.channel_facts import facts_of
    from portquorum.delivery.channel_status import channel_statuses
    from portquorum.delivery.reading import read_memory, read_send_log

    policy = await _policy(settings)
    memory, sent = await asyncio.gather(read_memory(settings), read_send_log(settings))
    return channel_statuses(policy, memory, sent, facts_of)


async def _why(settings: "Settings", what: str) -> "WhyAnswer":
    from foundation import kafka
    from portquorum.cli.errors import TroubleError, WrongUseError
    from portquorum.cli.target_lookup import which
    from portquorum.delivery.reading import read_memory, read_send_log
    from portquorum.delivery.why import WhyAnswer, find
    from portquorum.inventory import present
    from schemas.policy import Region

    if not what.strip():
        raise WrongUseError("expected an event, an incident, a target or a region, found nothing")
    await kafka.check_topics(settings)
    memory, sent, placed, policy = await asyncio.gather(
        read_memory(settings),
        read_send_log(settings),
        present.read_targets(settings),
        present.read_policy(settings),
    )
    target, problem = None, None
    try:
        target = which(what, {one.target.id: one.target for one in placed})
    except WrongUseError as error:
        problem = error
    found = find(what, memory, sent, () if target is None else (target.id,))
    if found is not None:
        return WhyAnswer(asked=what, matched=found[0], subjects=tuple(found[1]))
    if target is not None:
        return WhyAnswer(asked=what, matched="target", subjects=())
    plain = what.strip().lower()
    if any(isinstance(kept.entry, Region) and kept.entry.name == plain for kept in policy.values()):
        return WhyAnswer(asked=what, matched="subject", subjects=())
    if problem is None or (len(plain) >= LONG_ID and set(plain) <= set(ID_LETTERS)):
        raise TroubleError(
            f"the notifier knows no event and no incident with an id that begins with {plain!r}: "
            "it has not handled it yet, or that was more than 30 days ago"
        )
    raise problem


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
