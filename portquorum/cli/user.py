"""`portquorum user`: who may come in to the page and the API."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from portquorum.cli.office import ScopeOption, Tag, Team, asked, day, limits_of, scope_of
from portquorum.cli.options import Json, examples
from portquorum.presentation.output import err, out, print_json
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import UnsetType

    from portquorum.access.principal import Principal
    from portquorum.changing.office import Office, UserSeen

app = typer.Typer(no_args_is_help=True, help="Who may come in to the page and the API.")

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="In small letters: a-z 0-9 . _ @ + -, up to 100.")
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="The password is the first line of standard input.")
]
NoPassword = Annotated[
    bool,
    typer.Option(
        "--no-password", help="Comes in by OpenID Connect or a proxy alone, under this name."
    ),
]


@app.callback()
def user() -> None:
    """Who may come in to the page and the API.

    As long as there is no user, everybody on the page's own machine is an admin. The commands write
    to Kafka; the page need not run.
    """


@app.command(
    epilog=examples(
        "portquorum user add ann --scope admin",
        "portquorum user add bob --scope operator --team database",
        "pass show bob | portquorum user add bob --password-stdin",
    )
)
def add(
    name: Name,
    scope: ScopeOption = None,
    team: Team = None,
    tag: Tag = None,
    password_stdin: PasswordStdin = False,
    no_password: NoPassword = False,
    json: Json = False,
) -> None:
    """Make a user; the first one must be an admin.

    Asks for the password twice at a terminal. `portquorum user link` makes a link instead, by which
    people choose name and password themselves.
    """
    from portquorum.changing.office import WantedUser

    wanted = WantedUser(
        scope=scope_of(scope) or "viewer",
        teams=tuple(team or ()),
        tags=tuple(tag or ()),
        password=None if no_password else _password(stdin=password_stdin),
    )
    made = asked(lambda office, who: office.put_user(who, name, wanted, 0))
    _show("made", made, json=json)


@app.command("list", epilog=examples("portquorum user list", "portquorum user list --json"))
def list_(json: Json = False) -> None:
    """List users: what each may do, with which limits, and how many sessions they have."""

    async def read(office: "Office", who: "Principal") -> "Sequence[UserSeen]":
        del who
        return office.users()

    found = asked(read)
    if json:
        print_json({"users": found})
    elif found:
        _show_list(found)
    else:
        words = "no users: everybody on the page's own machine is an admin"
        out().print(Text(words, style="yellow"))


@app.command(
    "set",
    epilog=examples(
        "portquorum user set bob --scope admin --no-limits",
        "portquorum user set bob --disable",
        "portquorum user set bob --password",
    ),
)
def set_(
    name: Name,
    scope: ScopeOption = None,
    team: Team = None,
    tag: Tag = None,
    no_limits: Annotated[
        bool, typer.Option("--no-limits", help="May change targets of all teams and tags.")
    ] = False,
    disable: Annotated[
        bool | None,
        typer.Option("--disable/--enable", help="Nobody comes in by this name; sessions end."),
    ] = None,
    password: Annotated[
        bool, typer.Option("--password", help="Asks for a new password; sessions end.")
    ] = False,
    password_stdin: PasswordStdin = False,
    no_password: NoPassword = False,
    json: Json = False,
) -> None:
    """Change a user; what is not named stays as it is. `--team` and `--tag` replace the limits."""
    from msgspec import UNSET

    from portquorum.changing.office import WantedUser
    from portquorum.cli.errors import TroubleError, WrongUseError

    if no_limits and (team or tag):
        raise WrongUseError("expected --no-limits or --team and --tag, found both")
    new: str | UnsetType | None = UNSET
    if no_password:
        new = None
    elif password or password_stdin:
        new = _password(stdin=password_stdin)
    limits = bool(no_limits or team or tag)
    wanted = WantedUser(
        scope=scope_of(scope) or UNSET,
        teams=tuple(team or ()) if limits else UNSET,
        tags=tuple(tag or ()) if limits else UNSET,
        disabled=UNSET if disable is None else disable,
        password=new,
    )
    if wanted == WantedUser():
        raise WrongUseError("expected something to change, found no option")

    async def change(office: "Office", who: "Principal") -> "UserSeen":
        version = next((one.version for one in office.users() if one.name == name), None)
        if version is None:
            raise TroubleError(f"there is no user {one_line(name)}; `portquorum user list`")
        return await office.put_user(who, name, wanted, version)

    _show("changed", asked(change), json=json)


@app.command(epilog=examples("portquorum user remove bob", "portquorum user remove bob --yes"))
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Remove a user, their sessions and tokens. The last admin stays."""
    from portquorum.cli.errors import TroubleError

    question = f"Remove {one_line(name)}, their sessions and tokens?"
    if not yes and not json and sys.stdin.isatty() and not typer.confirm(question):
        raise TroubleError("nothing was changed")
    asked(lambda office, who: office.remove_user(who, name, None))
    if json:
        print_json({"removed": name})
    else:
        out().print(Text.assemble(("removed", "green"), f" {one_line(name)}"))


@app.command(
    epilog=examples(
        "portquorum user link --scope admin",
        "portquorum user link --scope operator --team database --url https://watch.example.com",
    )
)
def link(
    scope: ScopeOption = None,
    team: Team = None,
    tag: Tag = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where people open the page; default: where it listens."),
    ] = None,
    json: Json = False,
) -> None:
    """Print a link that makes one user, once, within 24 hours.

    Whoever opens it chooses a name and a password. Send it as you would send a password.
    """
    from portquorum.supervisor.running import page_address

    granted = scope_of(scope) or "viewer"
    teams, tags = tuple(team or ()), tuple(tag or ())
    secret = asked(lambda office, who: office.invite(who, granted, teams, tags))
    address = f"{(url or page_address()).rstrip('/')}/welcome?invitation={secret}"
    if json:
        print_json({"link": address, "scope": granted, "teams": teams, "tags": tags})
        return
    out().print(Text(address), soft_wrap=True)
    err().print(Text(f"makes one {granted}, once, within 24 hours", style="dim"))


def _password(*, stdin: bool) -> str:
    """A password from standard input, or asked for twice.

    Raises:
        WrongUseError: there is no terminal to ask at, or it can be no password.
    """
    from portquorum.access.passwords import problem_of
    from portquorum.cli.errors import WrongUseError

    if stdin:
        found = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        found = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        raise WrongUseError(
            "expected a terminal to ask for a password, found none: use --password-stdin, "
            "--no-password, or `portquorum user link`"
        )
    if problem := problem_of(found):
        raise WrongUseError(f"password: {problem}")
    return found


def _show(done: str, user: "UserSeen", *, json: bool) -> None:
    if json:
        print_json({"user": user})
        return
    limits = limits_of(user.teams, user.tags)
    words = f" {user.name}: {user.scope}, limits {limits}"
    extra = "" if user.has_password else ", without a password"
    extra += ", disabled" if user.disabled else ""
    out().print(Text.assemble((done, "green"), one_line(words + extra)))


def _show_list(users: "Sequence[UserSeen]") -> None:
    from portquorum.presentation.output import table

    rows = [
        (
            one.name,
            one.scope,
            limits_of(one.teams, one.tags),
            "yes" if one.has_password else "no",
            Text("disabled", style="yellow") if one.disabled else "may come in",
            one.sessions,
            day(one.created_at, ""),
        )
        for one in users
    ]
    columns = ("user", "scope", "limits", "password", "state", "sessions", "since")
    out().print(table(columns, rows, fold=("limits",), drop=("since",)))
