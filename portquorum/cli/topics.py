"""`portquorum topics`: whether the topics in Kafka are as they should be."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import err, out, print_json
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portquorum.topic_care.model import ClusterFound, Difference

app = typer.Typer(no_args_is_help=True, help="The topics in Kafka: check, repair, move them.")

_STYLE: Final = {"note": "dim", "warning": "yellow", "trouble": "bold red"}


@app.callback()
def topics() -> None:
    """The topics in Kafka: whether they are as they should be (docs/topics.md)."""


@app.command(
    epilog=examples(
        "portquorum topics check",
        "portquorum topics check --json | jq -r '.differences[] | select(.repair) | .topic'",
    )
)
def check(json: Json = False) -> None:
    """Compare topics with what they should be: settings, partitions, copies, leaders.

    Changes nothing. Says what each difference does, and what mends it. Exit code 1 if there is
    trouble or a warning, 0 for notes alone.
    """
    from foundation.settings import load
    from portquorum.topic_care.look import look
    from portquorum.topic_care.rules import differences, is_fine

    settings = load()
    cluster = asyncio.run(look(settings))
    found = differences(settings, cluster)
    if json:
        print_json(_document(cluster, found))
    else:
        _show(cluster, found)
        if any(one.repair is not None for one in found):
            err().print(Text("`portquorum topics repair` mends what says so", style="dim"))
    raise typer.Exit(0 if is_fine(found) else 1)


@app.command(epilog=examples("portquorum topics repair", "portquorum topics repair --yes --json"))
def repair(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Set settings of topics to what they should be, and make topics that are missing.

    Only what loses no record is changed; roles may run. Partitions and copies are named, not
    changed. Exit code 1 if trouble or a warning remains.
    """
    from foundation.settings import load
    from portquorum.cli.errors import TroubleError
    from portquorum.topic_care.look import look
    from portquorum.topic_care.repair import repair as mend
    from portquorum.topic_care.rules import differences, is_fine

    settings = load()
    found = differences(settings, asyncio.run(look(settings)))
    todo = [one for one in found if one.repair is not None]
    if todo and not yes and not json and sys.stdin.isatty():
        for one in todo:
            out().print(_change(one), soft_wrap=not out().is_terminal)
        if not typer.confirm(f"Change {_counted(len(todo), 'setting')}?"):
            raise TroubleError("nothing was changed")
    refused = asyncio.run(mend(settings, todo)) if todo else []
    not_done = {one.topic for one in refused}
    done = [one for one in todo if one.topic not in not_done]
    cluster = asyncio.run(look(settings))
    left = differences(settings, cluster)
    if json:
        print_json({"repaired": done, "refused": refused, **_document(cluster, left)})
    else:
        for one in done:
            line = Text.assemble(("repaired", "green"), " ", _change(one))
            out().print(line, soft_wrap=not out().is_terminal)
        for no in refused:
            line = Text.assemble(("refused", "bold red"), f" {no.topic}: {one_line(no.why)}")
            out().print(line, soft_wrap=not out().is_terminal)
        _show(cluster, left)
    raise typer.Exit(0 if is_fine(left) else 1)


@app.command(epilog=examples("portquorum topics copies 3 > copies.json"))
def copies(
    number: Annotated[int, typer.Argument(metavar="N", min=1, max=9, help="3, for example.")],
) -> None:
    """Write the plan by which Kafka's `kafka-reassign-partitions.sh` gives topics N copies.

    Changes nothing itself. Copies that are there stay where they are.
    """
    from foundation.settings import load
    from portquorum.topic_care.copies import reassignment
    from portquorum.topic_care.look import look

    cluster = asyncio.run(look(load()))
    try:
        print_json(reassignment(cluster, number))
    except ValueError as error:
        raise typer.BadParameter(f"{error}, found {number}", param_hint="N") from error


@app.command(epilog=examples("portquorum topics grow --partitions 64 --to-prefix portquorum64"))
def grow(
    partitions: Annotated[
        int, typer.Option("--partitions", metavar="N", help="A multiple of the present count.")
    ],
    prefix: Annotated[
        str, typer.Option("--to-prefix", metavar="PREFIX", help="Of topics that are not there yet.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Move to topics of another prefix with more partitions, while all roles but the sink stand.

    States, open incidents with their ids, targets, users, silences and who was told are carried
    over; nobody is told twice. The topics of the present prefix stay as they are. Afterwards the
    roles start with the settings that are printed (docs/kafka.md, More partitions).
    """
    from foundation.settings import load
    from portquorum.cli.errors import TroubleError
    from portquorum.topic_growth.grow import grow as move
    from portquorum.topic_growth.grow import planned

    settings = load()
    after = planned(settings, prefix, partitions)
    question = (
        f"Move {settings.topic_prefix}.* of {settings.partitions} partitions to "
        f"{after.topic_prefix}.* of {after.partitions}?"
    )
    if not yes and not json and sys.stdin.isatty() and not typer.confirm(question):
        raise TroubleError("nothing was changed")
    done = asyncio.run(move(settings, after, _step))
    if json:
        print_json(done)
        return
    line = (
        f": {_counted(done.targets, 'target')}, {_counted(done.open_incidents, 'open incident')}; "
        f"{_counted(done.records, 'record')} that no stream had seen led to "
        f"{_counted(done.events, 'event')}"
    )
    out().print(Text.assemble(("moved", "green"), line), soft_wrap=not out().is_terminal)
    out().print(Text("all roles start with these settings, the sink first, then the notifier:"))
    for name, value in done.settings.items():
        out().print(Text(f"  {name}={value}"), soft_wrap=True)


def _step(text: str) -> None:
    err().print(Text(text, style="dim"), soft_wrap=not err().is_terminal)


def _document(cluster: "ClusterFound", found: "Sequence[Difference]") -> dict[str, object]:
    return {"brokers": len(cluster.brokers), "topics": len(cluster.topics), "differences": found}


def _change(one: "Difference") -> Text:
    if one.setting == "topic":
        return Text(f"{one.topic}: {one.repair}")
    return Text(f"{one.topic}: {one.setting} {one_line(one.found)} → {one_line(one.wanted)}")


def _show(cluster: "ClusterFound", found: "Sequence[Difference]") -> None:
    wide = not out().is_terminal
    if not found:
        brokers = _counted(len(cluster.brokers), "broker")
        line = f"all {len(cluster.topics)} topics on {brokers} are as they should be"
        out().print(Text(line, style="green"))
        return
    for one in found:
        head = Text.assemble(
            (one.level, _STYLE[one.level]),
            f" {one.topic}: ",
            (one.setting, "bold"),
            f" {one_line(one.found)}, expected {one_line(one.wanted)}",
        )
        way = f" ({one.remedy})" if one.remedy else ""
        mended = "; repair sets it" if one.repair is not None and one.setting != "topic" else ""
        out().print(head, soft_wrap=wide)
        out().print(Text(f"  {one.effect}{mended}{way}"), soft_wrap=wide)
    if all(one.level == "note" for one in found):
        out().print(Text("nothing has to be done", style="green"))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
