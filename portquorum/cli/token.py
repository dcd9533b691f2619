"""`portquorum token`: access of programs to the API."""

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from portquorum.cli.office import ScopeOption, Tag, Team, asked, day, limits_of, scope_of
from portquorum.cli.options import Json, examples
from portquorum.presentation.output import err, out, print_json
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portquorum.access.principal import Principal
    from portquorum.changing.office import Office, TokenShown

app = typer.Typer(no_args_is_help=True, help="Access of programs to the API.")

_DAYS: Final = re.compile(r"([0-9]{1,5})d?")


@app.callback()
def token() -> None:
    """Access of programs to the API, as `Authorization: Bearer pq_…`."""


@app.command(
    epilog=examples(
        "portquorum token add deploy --scope operator --team database",
        "portquorum token add dashboard --expires 365d",
        "portquorum token add ci --scope operator --json | jq -r .token.secret",
    )
)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    scope: ScopeOption = None,
    team: Team = None,
    tag: Tag = None,
    expires: Annotated[
        str, typer.Option(metavar="DAYS", help="When it ends: 90d; 0: never.")
    ] = "90d",
    json: Json = False,
) -> None:
    """Make a token and print it, this once: only its hash is kept.

    It belongs to the name under which this command runs. If there is a user of this name, it does
    no more than that user may.
    """
    from portquorum.changing.office import WantedToken

    found = _DAYS.fullmatch(expires.strip())
    if found is None:
        raise typer.BadParameter(
            f"expected days, such as 90d, found {expires!r}", param_hint="--expires"
        )
    wanted = WantedToken(
        name=name,
        scope=scope_of(scope) or "viewer",
        teams=tuple(team or ()),
        tags=tuple(tag or ()),
        expires_in_days=int(found[1]),
    )
    made = asked(lambda office, who: office.add_token(who, wanted))
    if json:
        print_json({"token": made})
        return
    out().print(Text(made.secret or ""), soft_wrap=True)
    ends = f"until {day(made.expires_at, '')}" if made.expires_at else "without an end"
    words = f"{made.scope} {ends}; it is not shown again; portquorum token revoke {made.id} ends it"
    err().print(Text(words, style="dim"))


@app.command("list", epilog=examples("portquorum token list", "portquorum token list --json"))
def list_(json: Json = False) -> None:
    """List tokens: whose each is, what it may do, when it ends and was used last (to the hour)."""

    async def read(office: "Office", who: "Principal") -> "Sequence[TokenShown]":
        return office.tokens(who)

    found = asked(read)
    if json:
        print_json({"tokens": found})
    elif found:
        _show_list(found)
    else:
        out().print(Text("no tokens"))


@app.command(
    epilog=examples("portquorum token revoke 9c41f0aa", "portquorum token revoke 9c41f0aa 07b1e22d")
)
def revoke(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="As `token list` shows them.")],
    json: Json = False,
) -> None:
    """Revoke tokens; a whole token is taken for its id, too."""
    short = [_id_of(one) for one in ids]

    async def revoke_all(office: "Office", who: "Principal") -> None:
        from portquorum.cli.errors import TroubleError

        known = {one.id for one in office.tokens(who)}
        missing = [one for one in short if one not in known]
        if missing:
            raise TroubleError(f"there is no token {missing[0]}; `portquorum token list`")
        for one in dict.fromkeys(short):
            await office.revoke_token(who, one)

    asked(revoke_all)
    if json:
        print_json({"revoked": short})
    else:
        out().print(Text.assemble(("revoked", "green"), f" {', '.join(short)}"))


def _id_of(text: str) -> str:
    """The id in a whole token, so that its secret is in no message."""
    from portquorum.access.tokens import parse

    found = parse(text)
    return one_line(text)[:20] if found is None else found.id


def _show_list(tokens: "Sequence[TokenShown]") -> None:
    from portquorum.presentation.output import table

    rows = [
        (
            one.id,
            one.name,
            one.owner,
            one.scope,
            limits_of(one.teams, one.tags),
            day(one.expires_at, "never"),
            day(one.last_used_at, "never"),
        )
        for one in tokens
    ]
    columns = ("id", "name", "owner", "scope", "limits", "ends", "last used")
    out().print(table(columns, rows, fold=("name", "limits"), drop=("last used",)))
