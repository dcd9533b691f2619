"""`portquorum explain`: why there is or is not an incident of a target, on one screen."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import print_json

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.cli.explained import ExplainAnswer

HELP = examples(
    "portquorum explain prod-db",
    "portquorum explain db1.example.com:5432",
    "portquorum explain prod-db --json | jq '.explanation.would_change'",
)


def explain(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="Its id, its name, or its host:port.")
    ],
    json: Json = False,
) -> None:
    """Say why a target has an incident or has none now, and what would change that.

    Applies the log to the stream's newest checkpoint, as the stream does; only reads. Exit code 1
    if an incident is open.
    """
    from foundation.settings import load
    from portquorum.cli import explained

    answer = asyncio.run(_answer(load(), target))
    if json:
        print_json(answer)
    else:
        explained.show(answer)
    raise typer.Exit(1 if answer.explanation is not None and answer.explanation.incidents else 0)


async def _answer(settings: "Settings", text: str) -> "ExplainAnswer":
    from foundation import kafka
    from portquorum.cli.completion import contact
    from portquorum.cli.explained import ExplainAnswer
    from portquorum.cli.notifications import read_sent, told
    from portquorum.cli.target_lookup import which
    from portquorum.inventory import present
    from schemas.partition import host_key, partition_for
    from streams import explain
    from streams.replay import latest_state

    await kafka.check_topics(settings)
    found = await present.read(settings)
    contact.seen_present(found)
    wanted = which(text, {name: placed.target for name, placed in found.targets().items()})
    partition = partition_for(host_key(wanted.host, wanted.id), settings.partitions)
    read = await latest_state.read(settings, partition)
    explanation = explain.explain(read.state, wanted.id)
    incidents = () if explanation is None else explanation.incidents
    now = time.time_ns() // 1_000_000
    return ExplainAnswer(
        target=wanted,
        partition=partition,
        explanation=explanation,
        log_at=read.state.now,
        checkpoint_at=read.checkpoint_at,
        behind=read.behind,
        complete=read.complete,
        told=told(
            wanted,
            (kept.entry for kept in found.policy.values()),
            await read_sent(settings, wanted.id),
            (one.incident_id for one in incidents),
            now,
        ),
        now=now,
    )
