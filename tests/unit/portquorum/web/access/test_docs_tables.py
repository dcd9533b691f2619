"""What docs/access.md and docs/api.md say of scopes is what the routes need."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from portquorum.web.access.needs import handlers_of, need_of
from tests.unit.portquorum.web.access.house import House

DOCS: Final = Path(__file__).parents[5] / "docs"
COLUMNS: Final = ("public", "viewer", "operator", "admin")
ROWS: Final = {
    "`/login`": ["/login", "/welcome", "/healthz"],
    "read": ["/", "/targets", "/api/v1/events", "/inventory/portquorum.yaml"],
    "acknowledge": [
        *("/incidents/x/acknowledge", "/incidents/x/resolve", "/incidents/x/note"),
        *("/targets/x/silence", "/silences/new", "/silences/x/end"),
        *("/targets/x/pause", "/targets/x/resume", "/targets/x/check"),
        *("/maintenance/new", "/maintenance/x/edit", "/maintenance/x/remove"),
        *("/targets/bulk", "/changes/x/undo"),
    ],
    "write": ["/posts/new", "/posts/x/update", "/posts/x/edit", "/posts/x/remove"],
    "make": ["/targets/x/keys", "/keys"],
    "add": [
        *("/targets/new", "/targets/x/edit", "/targets/x/remove"),
        *(f"/status-pages/{what}" for what in ("new", "x/edit", "x/remove", "x/keys")),
    ],
    "users": ["/users", "/users/new", "/users/x", "/audit"],
}
"""Of the table of docs/access.md, by the first words of a row: what it is about."""


def routes() -> dict[tuple[str, str], str]:
    """The need of each route by method and path."""
    app: Any = House().made.app.app
    return {
        (method, re.sub(r"\{[^}]*\}", "x", path)): need_of(handler)
        for path, method, handler in handlers_of(app)
    }


def rows(page: str, head: str) -> Iterator[list[str]]:
    """The cells of the table that begins so."""
    text = (DOCS / page).read_text()
    table = text[text.index(head) :].partition("\n\n")[0].splitlines()[2:]
    for line in table:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_of_who_may_do_what_is_that_of_the_routes() -> None:
    needs = routes()
    there = list(rows("access.md", "| | stranger | viewer"))
    assert len(there) == len(ROWS)
    for row, (word, paths) in zip(there, ROWS.items(), strict=True):
        assert row[0].startswith(word), row
        first = next(at for at, cell in enumerate(row[1:]) if cell != "–")
        for path in paths:
            assert needs["GET", path] == COLUMNS[first], path


def test_what_an_admin_alone_changes_is_in_a_row_of_an_admin() -> None:
    found = {
        path
        for (method, path), need in routes().items()
        if method == "POST" and need == "admin" and not path.startswith("/api/")
    }
    named = {*ROWS["add"], *ROWS["users"]}
    assert found <= named


def test_the_api_s_table_of_changes_is_that_of_the_routes() -> None:
    needs = routes()
    wrong = []
    for paths, methods, _, scopes in rows("api.md", "| path | method | what | scope |"):
        usual, *others = scopes.split(";")
        scope = dict.fromkeys(re.findall(r"[A-Z]{3,}", methods), usual.strip())
        for other in others:
            *verbs, named = other.replace("`", "").replace(",", "").split()
            scope |= dict.fromkeys((one for one in verbs if one in scope), named)
        if usual == "as the change":
            continue
        per_path = methods.split(";") if ";" in methods else [methods] * paths.count("`/")
        last = ""
        for path, its in zip(re.findall(r"`(/[^`]*)`", paths), per_path, strict=False):
            whole = path if path.count("/") > 1 or not last else last.rpartition("/")[0] + path
            whole = path if path.split("/")[1] in TOP else whole
            last = last or whole
            for method in re.findall(r"[A-Z]{3,}", its):
                key = (method, "/api/v1" + re.sub(r"\b(ID|NAME|SLUG|KEY)\b", "x", whole))
                if needs.get(key) != scope[method]:
                    wrong.append((key, scope[method], needs.get(key)))
    assert wrong == []


def test_the_table_of_alertmanager_is_that_of_the_routes() -> None:
    needs = {key: need for key, need in routes().items() if key[1].startswith("/api/v2/")}
    written = {}
    for path, methods, _, scopes in rows("prometheus.md", "| path | method | what | scope |"):
        usual, _, others = scopes.partition("; ")
        scope = dict.fromkeys(methods.split(", "), usual)
        scope |= dict([others.split(" ")]) if others else {}
        for method, need in scope.items():
            written[method, path.strip("`").replace("ID", "x")] = need
    assert written == {key: need for key, need in needs.items() if key[0] != "OPTIONS"}


TOP: Final = (
    *("targets", "changes", "incidents", "silences", "maintenances", "me", "users"),
    *("invitations", "tokens", "audit", "inventory.yaml", "status-pages", "posts"),
    *("heartbeats", "keys"),
)
