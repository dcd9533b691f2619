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

app = typer.Typer(no_args_is_help=True, help="The topics in Kafka: check and repair them.")

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
