"""`portquorum inventory` and `portquorum target`: what is watched."""

import asyncio
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.text import Text

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import out, print_json, print_notes
from portquorum.presentation.streams import write_document

if TYPE_CHECKING:
    from portquorum.access.principal import Principal
    from portquorum.changing.edits import Written
    from portquorum.editing.page_inventory import PageInventory
    from portquorum.inventory.errors import Problem
    from portquorum.inventory.publish import ApplyReport

app = typer.Typer(no_args_is_help=True, help="Validate, compare and publish what is watched.")

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="Inventory files (YAML), or folders of them."),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The name the targets are applied under; default: the first file's name. "
        "Only targets of the same source are ever removed.",
    ),
]
Republish = Annotated[
    bool, typer.Option("--republish", help="Write what has not changed again too.")
]

_RATE: Final = 100
# With the timeout of a scan it bounds what is on its way, each of it with a descriptor: the usual
# limit of a process is 1,024 of them.
_MOST_RATE: Final = 400


@app.command(
    epilog=examples(
        "portquorum inventory check inventory.yaml",
        "portquorum inventory check --secrets team/",
    )
)
def check(
    files: Files,
    source: Source = None,
    secrets: Annotated[
        bool,
        typer.Option(
            "--secrets",
            help="A channel of a route whose ${SECRET} is not set in this environment is a "
            "problem, not a note. For the machine of the notifier.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Validate files by themselves; no cluster is needed.

    Names of regions, teams and routes must be in these files, or in others named with them.
    """
    from portquorum.inventory import InventoryError
    from portquorum.inventory import check as check_files
    from portquorum.inventory.errors import lines
    from portquorum.inventory.reach import reach

    _must_exist(files)
    try:
        inventory = check_files(files, source=source, env=os.environ, secrets=secrets)
        notes = (*inventory.warnings, *reach(inventory, round(time.time() * 1000)))
    except InventoryError as error:
        if not json:
            raise
        print_json({"fine": False, "problems": _placed(error.problems)})
        raise typer.Exit(1) from error
    if json:
        warnings = _placed(notes)
        fine = {"fine": True, "source": inventory.source, "targets": inventory.targets}
        print_json({**fine, "warnings": warnings})
        return
    print_notes(lines(notes))
    count = len(inventory.targets)
    if not count:
        print_notes(["no target is in it; `apply` of what had some wants --allow-empty"])
    out().print(Text.assemble(("fine", "green"), f": {count} target{'' if count == 1 else 's'}"))


@app.command(
    epilog=examples(
        "portquorum inventory lint inventory.yaml",
        "portquorum inventory lint --scan inventory.yaml",
        "portquorum inventory lint --scan --ports 1-1024,5432 --host db1.example.com team/",
    )
)
def lint(
    files: Files,
    scan: Annotated[
        bool,
        typer.Option(
            "--scan",
            help="Look for open TCP ports of these hosts that are not in the inventory; asks "
            "first. Only hosts of your own.",
        ),
    ] = False,
    ports: Annotated[
        str | None,
        typer.Option(metavar="PORTS", help="With --scan: 1-1024,5432; default: about 100."),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="With --scan: only this host; may be repeated."),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST_RATE,
            metavar="N",
            help=f"With --scan: at most so many connections a second; default: {_RATE}.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --scan: do not ask, the hosts are mine.")
    ] = False,
    json: Json = False,
) -> None:
    """Give advice on an inventory that is right. Exit code 1 if there is any."""
    from portquorum.cli import scanning
    from portquorum.inventory import check as check_files
    from portquorum.inventory.lint import advice, gathered

    _must_exist(files)
    if not scan and (ports or host or rate or yes):
        raise typer.BadParameter("expected --scan beside --ports, --host, --rate or --yes")
    inventory = check_files(files)
    plan = scanning.planned(inventory, ports, host or []) if scan else None
    found = advice(inventory.targets)
    if not json:
        for line in gathered(found):
            out().print(Text(line), soft_wrap=True)
    seen = scanning.on_request(plan, rate or _RATE, yes=yes) if plan is not None else None
    if json:
        more = {"scan": seen and scanning.as_json(seen, inventory)} if scan else {}
        print_json({"advice": found, **more})
    elif seen is not None:
        scanning.show(seen, inventory)
    any_advice = bool(found or (seen and seen.open))
    if not any_advice and not json:
        out().print(Text("nothing to say", style="green"))
    if seen is not None and not seen.complete:
        raise typer.Exit(scanning.EXIT_INTERRUPTED)
    raise typer.Exit(1 if any_advice else 0)


@app.command(
    epilog=examples(
        "portquorum inventory doc inventory.yaml > inventory.md",
        "portquorum inventory doc --format html team/ > inventory.html",
    )
)
def doc(
    files: Files,
    form: Annotated[
        Literal["markdown", "html"],
        typer.Option("--format", help="HTML is one file that needs nothing else."),
    ] = "markdown",
    json: Json = False,
) -> None:
    """Write the inventory as a page for people."""
    from portquorum.inventory import check as check_files
    from portquorum.inventory import html, markdown
    from portquorum.inventory.page import page

    _must_exist(files)
    if json:
        print_json(page(check_files(files)))
        return
    write = html.document if form == "html" else markdown.document
    write_document(write(page(check_files(files))))


@app.command(epilog=examples("portquorum inventory diff inventory.yaml"))
def diff(
    files: Files, source: Source = None, republish: Republish = False, json: Json = False
) -> None:
    """Show what `apply` would change; writes nothing. Exit code 1 if something would change."""
    from foundation.settings import load
    from portquorum.inventory import diff as compare

    _must_exist(files)
    plan = asyncio.run(compare(load(), files, source=source, republish=republish))
    if json:
        print_json({"changes": not plan.empty, "plan": plan})
    else:
        print_notes(plan.warnings)
        for line in plan.lines():
            out().print(Text(line, style=_LINE_STYLE.get(line[:1], "")))
        if plan.empty:
            out().print("nothing would change")
        elif plan.empties:
            print_notes(["the inventory is empty: `apply` wants --allow-empty for it"])
        elif plan.removes_too_many:
            print_notes([f"{len(plan.removed)} targets would go: `apply` wants --yes for it"])
    raise typer.Exit(0 if plan.empty else 1)


@app.command(
    epilog=examples(
        "portquorum inventory apply inventory.yaml",
        "portquorum inventory apply --source web-team --yes web/",
    )
)
def apply(
    files: Files,
    source: Source = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Remove 5 or more targets, over 20 % of the source's, too."),
    ] = False,
    allow_empty: Annotated[
        bool,
        typer.Option(
            "--allow-empty",
            help="Apply an inventory without a target, which removes all of the source's.",
        ),
    ] = False,
    republish: Republish = False,
    json: Json = False,
) -> None:
    """Publish the inventory; on return Kafka has confirmed all of it."""
    from foundation.settings import load
    from portquorum.inventory import apply as publish

    _must_exist(files)
    report = asyncio.run(
        publish(load(), files, source=source, yes=yes, allow_empty=allow_empty, republish=republish)
    )
    if json:
        print_json(report)
        return
    print_notes(report.warnings)
    out().print(Text.assemble(("applied", "green"), f": {applied_words(report)}"))


@app.command(
    epilog=examples(
        "portquorum inventory export > page.yaml",
        "portquorum inventory export --json",
        "portquorum inventory check inventory.yaml page.yaml",
    )
)
def export(json: Json = False) -> None:
    """Write the page's own inventory as a file that `inventory apply` takes.

    Targets that were added on the page or by the API are of its own, not of a file. To have them in
    a file: export them, remove them there (`portquorum target remove`), apply the file. Regions,
    teams and routes are not in it: check and apply it together with the files that have them.
    """
    from portquorum.cli.page_edits import edited

    async def read(inventory: "PageInventory", _who: "Principal") -> "tuple[str, list[Written]]":
        return inventory.yaml(), inventory.targets()

    text, targets = edited(read)
    if json:
        print_json({"targets": targets})
    else:
        write_document(text)


@app.command(
    epilog=examples(
        "portquorum inventory schema --output .portquorum.schema.json",
        "portquorum inventory schema > inventory.schema.json",
    )
)
def schema(
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", dir_okay=False, help="Write it there."),
    ] = None,
) -> None:
    """Write the JSON Schema of inventory files, for editors: completion, words, errors.

    Editors with the YAML language server (VS Code, Neovim, Emacs, …) read it when the first line of
    a file names it; with --output this line is shown. New files of `target add` have both.
    """
    from portquorum.inventory import editor

    if output is None:
        write_document(editor.schema_text())
        return
    output.write_text(editor.schema_text(), encoding="utf-8")
    line = f"{editor.MODELINE.partition('=')[0]}={output.as_posix()}"
    out().print(
        Text.assemble(("written", "green"), f": {output}; the first line of a file: {line}")
    )


def applied_words(report: "ApplyReport") -> str:
    """What an apply did; the entries beside the targets only if there are some."""
    words = (
        f"{len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.removed)} removed, {report.republished} written again, "
        f"{report.unchanged} unchanged (source {report.source})"
    )
    if report.policy_set or report.policy_removed:
        words += (
            f"; of regions, teams, routes and maintenance {report.policy_set} written, "
            f"{report.policy_removed} removed"
        )
    return words


_LINE_STYLE = {"+": "green", "-": "red", "~": "yellow", "=": "dim"}


def _placed(problems: "Iterable[Problem]") -> list[dict[str, Any]]:
    return [
        {
            "file": problem.where.file,
            "line": problem.where.line or None,
            "where": str(problem.where),
            "message": problem.message,
        }
        for problem in problems
    ]


def _must_exist(files: list[Path]) -> None:
    for path in files:
        if not path.exists():
            raise typer.BadParameter(f"{path} does not exist", param_hint="FILE…")
