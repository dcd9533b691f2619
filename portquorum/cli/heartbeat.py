"""`portquorum heartbeat`: jobs that report themselves, and the keys with which they do."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from portquorum.cli.office import day, limits_of
from portquorum.cli.options import Json, examples
from portquorum.presentation.output import err, out, print_json, print_notes
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from portquorum.changing.keys import KeyShown

app = typer.Typer(no_args_is_help=True, help="Jobs that report themselves, and their keys.")
keys = typer.Typer(no_args_is_help=True, help="The addresses to report to.")
app.add_typer(keys, name="key")

URL_SETTING: Final = "PORTQUORUM_BEAT_URL"
"""As of `portquorum beat`: where the receivers are."""

Names = list[str] | None
OfTeam = Annotated[
    Names, typer.Option("--team", metavar="TEAM", help="Only those of this team; repeatable.")
]
WithTag = Annotated[
    Names, typer.Option("--tag", metavar="TAG", help="Only those with this tag; repeatable.")
]
_DAYS: Final = re.compile(r"([0-9]{1,5})d?")
_READ_IT: Final = "-"


@app.callback()
def heartbeat() -> None:
    """Jobs that report themselves (kind heartbeat), and the keys with which they do."""


@keys.callback()
def key() -> None:
    """The secret addresses to which jobs report."""


@app.command(
    "list",
    epilog=examples(
        "portquorum heartbeat list",
        "portquorum heartbeat list --team database",
        "portquorum heartbeat list --json | jq -r '.heartbeats[] | select(.keys == 0).id'",
    ),
)
def list_(team: OfTeam = None, tag: WithTag = None, json: Json = False) -> None:
    """List heartbeats: what is expected of each, what it reported last, when it is due.

    Reports are those that ClickHouse has, some seconds after they came. What is due is by the
    definition alone; `portquorum explain` knows of starts, and of times in which nobody listened.
    """
    from portquorum.cli.heartbeat_list import heartbeats

    found, notes = heartbeats(team or (), tag or ())
    print_notes(notes)
    if json:
        print_json({"heartbeats": found})
    elif found:
        _show_list(found)
    else:
        out().print(Text("no heartbeats: `portquorum target add NAME --kind heartbeat` makes one"))


@keys.command(
    epilog=examples(
        "portquorum heartbeat key add nightly-backup",
        "portquorum heartbeat key add nightly-backup --secret 5f1c2b1e-8a3d-4a5e-9c59-0d1bfa0c2c11",
        "portquorum heartbeat key add --all --name cron --expires 365d",
        "curl -fsS $(portquorum heartbeat key add backup --json | jq -r .key.address)",
    )
)
def add(
    job: Annotated[
        str | None, typer.Argument(metavar="ID", help="The id of the heartbeat; or --all.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Reports any heartbeat, by its id behind the key.")
    ] = False,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    expires: Annotated[
        str, typer.Option(metavar="DAYS", help="When it ends: 365d; 0: never.")
    ] = "0",
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Take over the UUID of a Healthchecks check, or the token of an Uptime Kuma "
            "monitor, so that the job's address keeps its end; - reads it from standard input.",
        ),
    ] = None,
    team: OfTeam = None,
    tag: WithTag = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help=f"Where the receivers are; default: {URL_SETTING}, or the page of this machine.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make a key and print the address to report to, this once: only its hash is kept."""
    from portquorum.changing.keys import WantedKey
    from portquorum.cli.heartbeat_keys import added, address_of

    if (job is None) != all_:
        raise typer.BadParameter("expected the id of a heartbeat, or --all for a key of all")
    days = _DAYS.fullmatch(expires.strip())
    if days is None:
        raise typer.BadParameter(
            f"expected days, such as 365d, found {expires!r}", param_hint="--expires"
        )
    text = sys.stdin.readline().strip() if secret == _READ_IT else secret
    wanted = WantedKey(
        use="ping",
        name=name,
        about=job,
        teams=tuple(team or ()),
        tags=tuple(tag or ()),
        expires_in_days=int(days[1]),
        secret=text,
    )
    made = added(wanted)
    address = address_of(made, url or os.environ.get(URL_SETTING))
    if json:
        import msgspec

        print_json({"key": msgspec.to_builtins(made) | {"address": address}})
        return
    out().print(Text(address), soft_wrap=True)
    _say_how(made, address)


@keys.command(
    "list",
    epilog=examples(
        "portquorum heartbeat key list",
        "portquorum heartbeat key list nightly-backup",
        "portquorum heartbeat key list --json",
    ),
)
def list_keys(
    job: Annotated[
        str | None, typer.Argument(metavar="ID", help="Only those of this heartbeat.")
    ] = None,
    json: Json = False,
) -> None:
    """List keys, without their secrets: what each reports, who made it, when it ends."""
    from portquorum.cli.heartbeat_keys import listed

    found = listed(job)
    if json:
        print_json({"keys": found})
    elif found:
        _show_keys(found)
    else:
        out().print(Text("no keys"))


@keys.command(
    epilog=examples(
        "portquorum heartbeat key revoke 9c41f0aa",
        "portquorum heartbeat key revoke 9c41f0aa 07b1e22d",
    )
)
def revoke(
    ids: Annotated[list[str], typer.Argument(metavar="KEY…", help="As `key list` shows them.")],
    json: Json = False,
) -> None:
    """Revoke keys: nobody reports with them any more."""
    from portquorum.cli.heartbeat_keys import revoked

    named = list(dict.fromkeys(ids))
    revoked(named)
    if json:
        print_json({"revoked": named})
    else:
        out().print(Text.assemble(("revoked", "green"), f" {one_line(', '.join(named))}"))


def _say_how(made: "KeyShown", address: str) -> None:
    """On standard error: the address alone is what scripts take."""
    lines = [f"report with: curl -fsS -m 10 --retry 5 -o /dev/null {address}"]
    if made.about is not None:
        lines.append(f"or around the job: portquorum beat {made.secret} -- COMMAND")
    else:
        lines.append("TARGET-ID stands for the id of a heartbeat")
    lines.append(f"it is not shown again; `portquorum heartbeat key revoke {made.id}` ends it")
    for line in lines:
        err().print(Text(line, style="dim"), soft_wrap=True)


def _show_list(found: Sequence[Mapping[str, Any]]) -> None:
    from portquorum.presentation.output import clock, table

    rows = [
        (
            one["id"],
            one["name"],
            one["how_often"],
            one["state"] or "unknown",
            "never" if one["last_report_at"] is None else clock(one["last_report_at"]),
            "" if one["due_at"] is None else clock(one["due_at"]),
            f"{one['keys']}",
        )
        for one in found
    ]
    columns = ("id", "name", "reports", "state", "last report (UTC)", "due (UTC)", "keys")
    out().print(table(columns, rows, fold=("name", "id"), drop=("name",)))


def _show_keys(found: "Sequence[KeyShown]") -> None:
    from portquorum.presentation.output import table

    rows = [
        (
            one.id,
            one.name,
            one.about or "any heartbeat",
            limits_of(one.teams, one.tags),
            one.owner,
            day(one.created_at, ""),
            day(one.expires_at, "never"),
        )
        for one in found
    ]
    columns = ("id", "name", "reports", "limits", "made by", "made", "ends")
    out().print(table(columns, rows, fold=("name", "reports"), drop=("limits",)))
