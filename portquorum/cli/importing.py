"""`portquorum import`: what another monitor watches, as an inventory."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.text import Text

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import err, out, print_json, print_notes
from portquorum.presentation.plain_console import PlainConsole
from portquorum.presentation.streams import write_document
from schemas.plain_text import one_line
from schemas.result import RECEIVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portquorum.importing.model import Report

HELP = examples(
    "portquorum import gatus config.yaml",
    "portquorum import gatus config/ --env-file .env --output inventory.yaml --report report.md",
    "portquorum import gatus config.yaml --output - --json",
    "portquorum import kuma kuma.db --report report.md",
    "portquorum import prometheus prometheus.yml rules/*.yml --blackbox blackbox.yml",
    "portquorum import alertmanager alertmanager.yml --output routes.yaml",
    "portquorum import nagios nagios.cfg --report report.md",
    "portquorum import csv servers.csv --private allow",
    "portquorum import nmap scan.xml",
)
_STDOUT: Final = Path("-")
_REGION: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def import_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="What the files are of: gatus, kuma, blackbox, prometheus, alertmanager, nagios, "
            "csv, nmap.",
            show_default=False,
        ),
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Its files, or folders of them.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The inventory; - is stdout.")
    ] = Path("inventory.yaml"),
    force: Annotated[
        bool, typer.Option("--force", help="Replace an --output that is there.")
    ] = False,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A region to check from; may be repeated. Default: local."
        ),
    ] = None,
    private: Annotated[
        Literal["internal", "allow", "refuse"],
        typer.Option(
            help="Private hosts: the regions become internal, allow their addresses alone, or the "
            "entries are left out."
        ),
    ] = "internal",
    env_file: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Values of the variables in the files (dotenv); may be repeated."
        ),
    ] = None,
    env: Annotated[
        bool, typer.Option("--env", help="Take variables from this environment, too.")
    ] = False,
    blackbox: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Modules of the blackbox exporter, for prometheus."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The whole report: Markdown (.md), or JSON (.json)."),
    ] = None,
    json: Json = False,
) -> None:
    """Take over what another monitor watches: writes an inventory, and says what became of it.

    Each entry is exact (the same verdict on the same answers, told after the same time), nearly
    (with what differs), or left out (with the reason). Values of secrets are never copied.

    Exit codes: 0 all was taken, 1 something was left out or not read, 2 wrong use. Where nothing
    was taken no inventory is written.
    """
    from portquorum.cli.errors import WrongUseError
    from portquorum.importing import report as reporting
    from portquorum.importing import writer
    from portquorum.importing.assemble import assemble
    from portquorum.importing.model import Options
    from portquorum.importing.wings import WINGS

    wing = next((one for name, one in WINGS.items() if name == kind), None)
    if wing is None:
        raise WrongUseError(f"expected a KIND of {', '.join(WINGS)}, found {kind!r}")
    for path in (*files, *(blackbox or [])):
        if not path.exists():
            shown = one_line(str(path))
            raise typer.BadParameter(f"{shown} does not exist", param_hint="FILE…")
    _check_names(region or [], None if force else output, None if force else report)
    _check_apart([*files, *(blackbox or []), *(env_file or [])], output, report)
    options = Options(
        regions=tuple(dict.fromkeys(region or ["local"])),
        private=private,
        variables=_variables(env_file or [], env=env),
        blackbox=tuple(blackbox or []),
    )
    inventory, found = assemble(wing(files, options), options)
    text = writer.document(inventory, found)
    nothing = not inventory.get("targets") and not inventory.get("routes")
    if nothing:
        pass  # an inventory without anything would take the place of one that may be there
    elif output != _STDOUT:
        _write_inventory(output, text)
    elif not json:
        write_document(text)
    if report is not None:
        _write_report(report, found)
    if json:
        whole = reporting.as_json(found)
        written: dict[str, str | None] = {"output": None if nothing else str(output)}
        if output == _STDOUT:
            written = {"inventory": None if nothing else text}
        print_json(written | whole)
    else:
        _show(found, output, inventory, reported=report is not None)
    raise typer.Exit(1 if nothing or found.count("left_out") or found.unreadable else 0)


def _check_names(regions: list[str], output: Path | None, report: Path | None) -> None:
    """Raises `WrongUseError` for names that can't be taken; `output` must not be there."""
    from portquorum.cli.errors import WrongUseError

    if output is not None and output != _STDOUT and output.exists():
        raise WrongUseError(f"{output} is there; --force replaces it, --output names another file")
    if report is not None and report.is_file() and not _is_report(report):
        raise WrongUseError(f"{report} is there and no report of an import; --force replaces it")
    for name in regions:
        if not _REGION.fullmatch(name) or name == RECEIVER:
            raise WrongUseError(
                "expected a --region of small letters, digits, hyphens and underscores that is not "
                f"{RECEIVER}, found {name!r}"
            )


def _is_report(path: Path) -> bool:
    """Whether a file begins as a report of an import: such a one may be replaced."""
    with path.open("rb") as file:
        begin = file.read(40)
    return not begin or begin.startswith((b"# Import of ", b'{\n  "counts":'))


def _check_apart(sources: list[Path], output: Path, report: Path | None) -> None:
    """Raises `WrongUseError` if a file would be written over one that is read, or twice."""
    from portquorum.cli.errors import WrongUseError

    if report is not None and report.suffix not in {".md", ".json"}:
        raise WrongUseError(f"expected a --report that ends in .md or .json, found {report}")
    read = {path.resolve() for path in sources}
    for name, path in (("--output", output), ("--report", report)):
        if path is not None and path != _STDOUT and path.resolve() in read:
            raise WrongUseError(f"{path} is read: expected another file for {name}")
    if report is not None and report.resolve() == output.resolve():
        raise WrongUseError("expected different files for --output and --report, found one")


def _variables(files: list[Path], *, env: bool) -> "Mapping[str, str]":
    from portquorum.cli.errors import WrongUseError
    from portquorum.importing.environment import read_env_file

    found: dict[str, str] = dict(os.environ) if env else {}
    for path in files:
        try:
            found |= read_env_file(path)
        except ValueError as error:
            raise WrongUseError(str(error)) from None
    return found


def _write_inventory(path: Path, text: str) -> None:
    from portquorum.inventory.editor import write_beside
    from portquorum.inventory.replace_file import replace_file

    if path.is_file() or not path.exists():  # beside /dev/null nothing is written
        write_beside(path)
    replace_file(path, text)


def _write_report(path: Path, found: "Report") -> None:
    import msgspec

    from portquorum.importing import report as reporting
    from portquorum.inventory.replace_file import replace_file

    if path.suffix == ".md":
        replace_file(path, reporting.markdown(found))
    else:
        encoded = msgspec.json.encode(reporting.as_json(found), enc_hook=str)
        replace_file(path, msgspec.json.format(encoded, indent=2).decode() + "\n")


def _show(found: "Report", output: Path, inventory: "Mapping[str, Any]", *, reported: bool) -> None:
    """The report on the terminal; beside an inventory on stdout it goes to standard error."""
    from portquorum.importing import report as reporting
    from portquorum.inventory.heartbeats import KIND as HEARTBEAT

    console = err() if output == _STDOUT else out()

    def say(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=not console.is_terminal)

    def indented(text: str) -> None:
        if isinstance(console, PlainConsole):
            console.print_indented(Text(text))

    say(reporting.headline(found), "bold")
    for title, lines in reporting.sections(found):
        say(f"\n{title}", "bold")
        for line in lines:
            indented(line)
    if found.warnings:
        say("")
        print_notes(found.warnings)
    if not inventory.get("targets") and not inventory.get("routes"):
        from portquorum.importing.wings import WINGS

        say("")
        kinds = ", ".join(WINGS)
        wrong = f"nothing was taken over, so no inventory is written; is it of {found.source}?"
        print_notes([f"{wrong} A KIND is one of {kinds}"])
    elif output != _STDOUT:
        say("\nNext", "bold")
        jobs = [one["id"] for one in inventory.get("targets", ()) if one.get("kind") == HEARTBEAT]
        for step in _next_steps(found, output, jobs, reported=reported):
            indented(step)


def _next_steps(found: "Report", output: Path, jobs: list[str], *, reported: bool) -> list[str]:
    """What to do with the inventory, in the order in which it is done."""
    steps = (
        [] if reported else ["--report report.md  writes each entry with its outcome and timing"]
    )
    steps.append(f"portquorum inventory check {output}")
    if found.secrets:
        steps.append(
            "a file secrets.env with NAME='value' for each secret above; then, in a shell:"
        )
        steps.append("set -a; . ./secrets.env; set +a")
    steps.append(f"portquorum up -i {output}")
    if found.secrets:
        steps[-1] += (
            "  (roles elsewhere: PORTQUORUM_SECRET_… are the probers', others the notifier's)"
        )
    if jobs:
        more = "1 more job" if len(jobs) == 2 else f"{len(jobs) - 1} more jobs"
        others = f"  (and of {more})" if len(jobs) > 1 else ""
        steps.append(f"portquorum heartbeat key add {jobs[0]}{others}")
    return steps
