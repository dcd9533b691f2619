"""`portquorum status-page`: status pages as files, and what there is."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from rich.text import Text

from portquorum.cli.office import sentences
from portquorum.cli.options import Json, examples, user_name
from portquorum.presentation.output import out, print_json
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.access.principal import Principal
    from portquorum.changing.status_edits import WantedPage
    from portquorum.status_editing.editor import StatusEditor
    from schemas.web import StatusPage

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Status pages: list, export, apply.")
_READ_IT: Final = "-"

Slugs = Annotated[
    list[str] | None, typer.Argument(metavar="[SLUG…]", help="Only these pages; default: all.")
]


@app.callback()
def status_page() -> None:
    """Pages for everybody else at `/status/SLUG` (docs/status-pages.md)."""


@app.command("list", epilog=examples("portquorum status-page list"))
def list_(json: Json = False) -> None:
    """List status pages: title, who sees each, how many components and targets it has."""
    from portquorum.status_editing.page_rules import components_of, seen, targets_of

    async def read(editor: "StatusEditor", _who: "Principal") -> list["StatusPage"]:
        return list(editor.pages())

    found = edited(read)
    if json:
        print_json({"pages": [seen(one) for one in found]})
        return
    if not found:
        out().print(Text("no status pages"))
        return
    from portquorum.presentation.output import table

    rows = [
        (
            one.slug,
            one.title,
            f"{one.access}, with a password" if one.password else one.access,
            str(len(list(components_of(one)))),
            str(len(set(targets_of(one)))),
        )
        for one in found
    ]
    columns = ("slug", "title", "access", "components", "targets")
    out().print(table(columns, rows, fold=("title",)))


@app.command(
    epilog=examples(
        "portquorum status-page export > status-pages.yaml",
        "portquorum status-page export shop",
    )
)
def export(slugs: Slugs = None, json: Json = False) -> None:
    """Print status pages as a file that `status-page apply` takes; it has no password."""
    from portquorum.status_editing import page_file
    from portquorum.status_editing.page_rules import seen

    async def read(editor: "StatusEditor", _who: "Principal") -> list["StatusPage"]:
        from portquorum.cli.errors import TroubleError

        missing = [one for one in slugs or () if editor.page(one) is None]
        if missing:
            raise TroubleError(f"there is no status page {one_line(missing[0])[:63]}")
        return [one for one in editor.pages() if not slugs or one.slug in slugs]

    found = edited(read)
    if json:
        print_json({"pages": [seen(one) for one in found]})
    else:
        typer.echo(page_file.written(found), nl=False)


@app.command(
    epilog=examples(
        "portquorum status-page apply status-pages.yaml --dry-run",
        "portquorum status-page apply status-pages.yaml",
        "portquorum status-page export | portquorum status-page apply -",
    )
)
def apply(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="As `status-page export` prints it; -: read it.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which pages would be changed.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the pages of a file, or change them; pages that it does not have stay.

    Passwords and keys stay as they are. Whoever runs it can write the topic [web], and so does it
    as an admin.
    """
    wanted = _read(file)

    async def make(editor: "StatusEditor", who: "Principal") -> dict[str, str]:
        done = {slug: _planned(editor, who, slug, page) for slug, page in wanted.items()}
        for slug, page in wanted.items():
            if not dry_run and done[slug] != "same":
                await editor.put_page(who, slug, page, None)
        return done

    done = edited(make)
    if json:
        print_json({"dry_run": dry_run, "pages": done})
        return
    for slug, what in done.items():
        out().print(Text.assemble((what, "dim" if what == "same" else "green"), f" {slug}"))


def _planned(editor: "StatusEditor", who: "Principal", slug: str, page: "WantedPage") -> str:
    """`added`, `changed` or `same`: all pages are looked at before one is changed.

    Raises:
        ChangeError: this page can't be so.
    """
    from portquorum.changing.errors import ChangeError

    before = editor.page(slug)
    try:
        after = editor.planned(who, slug, page)
    except ChangeError as error:
        raise ChangeError(error.status, f"{one_line(slug)[:80]}: {error.detail}") from error
    if before is None:
        return "added"
    return "same" if after.version == before.version else "changed"


def _read(file: str) -> dict[str, "WantedPage"]:
    """The pages of a file.

    Raises:
        WrongUseError: what is wrong with it, with its lines.
    """
    import sys

    from portquorum.cli.errors import WrongUseError
    from portquorum.inventory.errors import lines
    from portquorum.inventory.load import read_text
    from portquorum.status_editing.page_file import wanted_in

    text, problems = (sys.stdin.read(), []) if file == _READ_IT else read_text(Path(file))
    pages: dict[str, WantedPage] = {}
    if not problems:
        pages, problems = wanted_in(text, "standard input" if file == _READ_IT else file)
    if problems:
        raise WrongUseError("\n".join(lines(problems)))
    return pages


def edited(work: "Callable[[StatusEditor, Principal], Awaitable[T]]") -> T:
    """Runs `work` with an editor over Kafka, in the name of who runs the command.

    Raises:
        WrongUseError, TroubleError: it was not done; the text says why.
        aiokafka.errors.KafkaError, OSError: Kafka can't be reached.
    """
    from foundation.settings import load

    with sentences():
        return asyncio.run(_edited(load(), work))


async def _edited(
    settings: "Settings", work: "Callable[[StatusEditor, Principal], Awaitable[T]]"
) -> T:
    from foundation import kafka
    from portquorum.access.principal import Principal
    from portquorum.editing.published import ReadTopics
    from portquorum.journal.journal import opened
    from portquorum.status_editing.editor import PublishedTargets, StatusEditor

    await kafka.create_topics(settings)  # at once an error if Kafka is away
    who = Principal(name=one_line(user_name())[:255], scope="admin", via="local")
    published = ReadTopics(settings)
    await published.caught_up()
    async with opened(settings) as journal:
        return await work(StatusEditor(journal, PublishedTargets(published)), who)
