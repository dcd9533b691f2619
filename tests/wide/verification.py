"""docs/verification.md: what the wide run found, written by the run itself."""

import datetime as dt
import os
import platform
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

PAGE: Final = Path(__file__).parents[2] / "docs" / "verification.md"
_BEGIN: Final = "<!-- {name}: written by make wide -->\n"
_PART: Final = "a part of the matrix"
_END: Final = "<!-- end of {name} -->\n"


class MatrixRow(Struct, frozen=True):
    """What was seen at one port of a server.

    `up` are the attempts that were rightly up, `down` the number of the others by reason, `missed`
    the number of those that asked it as a registry, which it is not, `latest_ms` the most
    that one of them took beyond its timeout (negative: none reached it).
    """

    server: str
    source: str
    version: str
    port: str
    up: tuple[str, ...]
    down: dict[str, int]
    latest_ms: float
    missed: int = 0


class ClientRow(Struct, frozen=True):
    """What a client of ClickHouse was asked as a user of a server, and answered rightly."""

    client: str
    version: str
    server: str
    user: str
    asked: tuple[str, ...]
    lacks: dict[str, str]


class Verification:
    """What the tests of a run found; `write` puts it into the page."""

    def __init__(self) -> None:
        self._rows: dict[str, list[MatrixRow]] = {}
        self._clients: dict[tuple[str, str, str], ClientRow] = {}

    def add(self, server: str, rows: Sequence[MatrixRow]) -> None:
        """The rows of a server whose ports were all looked at."""
        self._rows[server] = list(rows)

    def add_client(self, row: ClientRow) -> None:
        """A client that answered everything rightly."""
        self._clients[row.server.partition(" ")[0], row.client, row.user] = row

    def write_clients(self, every: Sequence[str], page: Path = PAGE) -> str | None:
        """Writes the clients into the page if all were seen as both users of the embedded server.

        A real server's rows are there if one was named.
        """
        needed = [("embedded", name, user) for name in every for user in ("owner", "reader")]
        unseen = [
            f"{name} as {user}"
            for server, name, user in needed
            if (server, name, user) not in self._clients
        ]
        if unseen:
            return f"docs/verification.md stays as it is: not seen or wrong: {', '.join(unseen)}"
        page.write_text(replaced(page.read_text(), "the clients", self.clients_table(every)))
        return None

    def clients_table(self, every: Sequence[str]) -> str:
        """The section of the clients as Markdown."""
        order = {name: number for number, name in enumerate(every)}
        rows = sorted(
            self._clients.values(), key=lambda row: (row.server, order[row.client], row.user)
        )
        day = dt.datetime.now(dt.UTC).date()
        servers = sorted({row.server for row in rows})
        lines = [
            (
                f"{day}, {_system()}: {len(every)} clients, {sum(len(row.asked) for row in rows)} "
                f"questions, all answered rightly. Servers: {', '.join(servers)}."
            ),
            "",
            "| client | version | server | user | questions | not asked |",
            "|---|---|---|---|---|---|",
        ]
        for row in rows:
            lacks = "; ".join(f"{name}: {why}" for name, why in row.lacks.items()) or "–"
            lines.append(
                f"| {row.client} | {row.version} | {row.server} | {row.user} "
                f"| {len(row.asked)} | {lacks} |"
            )
        return "\n".join(lines) + "\n"

    def write(self, every: Sequence[str], attempts: int, page: Path = PAGE) -> str | None:
        """Writes the matrix into the page if all servers were seen; else says which were not."""
        unseen = [name for name in every if name not in self._rows]
        if unseen:
            some = ", ".join(unseen[:10])
            return f"docs/verification.md stays as it is: {len(unseen)} servers not seen ({some})"
        text = replaced(page.read_text(), "the matrix", self.table(attempts))
        page.write_text(replaced(text, _PART, "No part of it is newer.\n"))
        return None

    def write_part(self, every: Sequence[str], attempts: int, page: Path = PAGE) -> None:
        """Writes what was seen of the matrix into a section that a whole run empties."""
        unseen = [name for name in every if name not in self._rows]
        text = (
            f"Newer than the matrix: {len(every) - len(unseen)} of {len(every)} servers, those "
            f"that the machine had. Not seen: {'; '.join(unseen)}.\n\n{self.table(attempts)}"
        )
        page.write_text(replaced(page.read_text(), _PART, text))

    def table(self, attempts: int) -> str:
        """The section as Markdown."""
        rows = [row for found in self._rows.values() for row in found]
        checks = sum(len(row.up) + sum(row.down.values()) + row.missed for row in rows)
        latest = max(row.latest_ms for row in rows)
        day = dt.datetime.now(dt.UTC).date()
        head = (
            f"{day}, {_system()}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}: "
            f"{len(self._rows)} servers, {len(rows)} ports, {attempts} ways to check each, "
            f"{checks:,} judgements. No wrong up, no `prober_error`, no exception; the latest "
            f"came {max(0.0, latest):.0f} ms of our own after its timeout."
        )
        lines = [
            head,
            "",
            "| server | from | port | rightly up | the others are down |",
            "|---|---|---|---|---|",
        ]
        for row in rows:
            source = f"{row.source} {row.version}"
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(row.down.items()))
            up = ", ".join(row.up) or "–"
            lines.append(f"| {row.server} | {source} | {row.port} | {up} | {reasons} |")
        return "\n".join(lines) + "\n"


def replaced(page: str, name: str, text: str) -> str:
    """The page with another text between the marks of the section `name`.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = _BEGIN.format(name=name), _END.format(name=name)
    before, found, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"expected {begin.strip()} and {end.strip()} in the page, found neither")
    return f"{before}{begin}\n{text}\n{end}{after}"


def _system() -> str:
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        return platform.platform()
    return f"{about.get('PRETTY_NAME', 'Linux')}, {os.cpu_count()} cores"
