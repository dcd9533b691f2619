"""Each route that changes something: what it asks, what it answers, how it says no."""

import asyncio
import itertools
import json
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from portquorum.access.principal import Principal
from portquorum.changing.acts import WantedMatch, WantedSilence
from portquorum.changing.edits import BulkEdit, Edits
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.inventory.document import TargetEntry
from portquorum.sharing.share_keys import ShareKeys
from portquorum.status_editing.editor import StatusEditor
from portquorum.web.api import bodies
from portquorum.web.fleet import fleet as fleet_module
from portquorum.web.problem import ProblemError
from schemas.web import Scope
from tests.memory_journal import MemoryJournal
from tests.unit.portquorum.status_editing.pages_of_tests import QUICK, Targets
from tests.unit.portquorum.web.changers import FakeActs, FakeEdits, FakeOffice
from tests.unit.portquorum.web.fakes import FRESH, NOW, FakeFleet, Made, target_row

ENTRY = {"name": "shop", "host": "shop.example.com", "port": 443}
WINDOW = {"targets": ["tag:prod"], "start": "2026-12-01T02:00Z", "duration": "2h"}


class Api:
    """An app with changers, asked by somebody with a scope."""

    def __init__(
        self,
        scope: Scope = "admin",
        journal: MemoryJournal | None = None,
        name: str = "ann",
        edits: Edits | None = None,
        teams: tuple[str, ...] = ("db",),
    ) -> None:
        self.acts, self.edits, self.office = FakeActs(), FakeEdits(), FakeOffice()
        self.journal = journal or MemoryJournal()
        self.fleet = FakeFleet()
        self.status_edits = StatusEditor(
            self.journal, Targets(), QUICK, itertools.count(NOW).__next__
        )
        self.made = Made(
            fleet=self.fleet,
            principal=Principal(name=name, scope=scope, via="token", teams=teams),
            parts={
                "acts": self.acts,
                "edits": edits or self.edits,
                "office": self.office,
                "journal": self.journal,
                "status_edits": self.status_edits,
                "keys": ShareKeys(self.journal, lambda: NOW),
            },
        )

    async def ask(
        self, method: str, path: str, body: Any = None, /, **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and "Content-Type" not in named:
            named["Content-Type"] = "application/json"
        content = json.dumps(body).encode() if isinstance(body, dict | list) else body
        async with self.made.client() as client:
            return await client.request(method, f"/api/v1{path}", content=content, headers=named)


def wrong(answer: httpx.Response) -> dict[str, str]:
    """The fields that a 400 names, and what it says of them."""
    assert answer.status_code == 400, answer.text
    return {one["field"]: one["message"] for one in answer.json()["errors"]}


async def test_a_target_is_made_read_changed_and_removed() -> None:
    api = Api()
    made = await api.ask("POST", "/targets", ENTRY)
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/targets/shop/entry"
    assert made.headers["etag"] == '"1"'
    entry = made.json()["entry"]
    assert entry.items() >= {**ENTRY, "id": "shop", "kind": "tcp", "expect": "open"}.items()
    assert not {"depends_on", "team", "interval"} & entry.keys(), "what nobody wrote is not there"

    read = await api.ask("GET", "/targets/shop/entry")
    assert read.headers["etag"] == '"1"'
    assert read.json() == made.json()
    same = await api.ask("GET", "/targets/shop/entry", If_None_Match='"1"')
    assert same.status_code == 304

    put = await api.ask("PUT", "/targets/shop/entry", read.json()["entry"], If_Match='"1"')
    assert (put.status_code, put.headers["etag"]) == (200, '"2"')
    patched = await api.ask(
        "PATCH",
        "/targets/shop/entry",
        {"port": 8443, "name": None},
        Content_Type="application/merge-patch+json",
    )
    assert patched.status_code == 200
    assert "name" not in patched.json()["entry"]
    assert api.edits.asked[-2] == ("patch", "shop", {"port": 8443, "name": None}, None)
    gone = await api.ask("DELETE", "/targets/shop/entry", If_Match='"3"')
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await api.ask("GET", "/targets/shop/entry")).status_code == 404
    again = await api.ask("PUT", "/targets/shop/entry", ENTRY)
    assert (again.status_code, again.headers["etag"]) == (201, '"5"')


async def test_conditions_of_a_change() -> None:
    api = Api()
    await api.ask("PUT", "/targets/shop/entry", ENTRY)
    await api.ask("PUT", "/targets/shop/entry", ENTRY)
    for status, conditions in (
        (412, {"If_Match": '"1"'}),
        (412, {"If_Match": 'W/"2"'}),
        (412, {"If_None_Match": "*"}),
        (412, {"If_None_Match": '"1", W/"2"'}),
        (412, {"If_Match": '"2"', "If_None_Match": '"2"'}),
        (400, {"If_Match": "2"}),
        (400, {"If_None_Match": '"1" "2"'}),
    ):
        answer = await api.ask("PUT", "/targets/shop/entry", ENTRY, **conditions)
        assert answer.status_code == status, conditions
        if status == 412:
            assert (answer.headers["etag"], answer.json()["version"]) == ('"2"', 2)
    asked = len(api.edits.asked)
    for number, conditions in enumerate(
        (
            {"If_Match": "*"},
            {"If_Match": '"7", "3"'},
            {"If_None_Match": '"1"'},
        ),
        start=2,
    ):
        answer = await api.ask("PUT", "/targets/shop/entry", ENTRY, **conditions)
        assert answer.status_code == 200
        assert api.edits.asked[-1][3] == number, "the change itself is told the version"
    assert len(api.edits.asked) == asked + 3
    other = {"If_Match": "*"}
    assert (await api.ask("PUT", "/targets/other/entry", ENTRY, **other)).status_code == 412
    only_new = {"If_None_Match": "*"}
    assert (await api.ask("PUT", "/targets/other/entry", ENTRY, **only_new)).status_code == 201


async def test_somebody_who_is_first_between_look_and_write() -> None:
    api = Api()
    api.edits.error = ChangeError(HTTPStatus.CONFLICT, "somebody else was first", version=9)
    answer = await api.ask("PUT", "/targets/shop/entry", ENTRY)
    assert answer.status_code == 409
    assert answer.headers["etag"] == '"9"'
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_target_of_a_file_is_named_with_it() -> None:
    api = Api()
    answer = await api.ask("GET", "/targets/db-0/entry")
    assert answer.status_code == 404
    assert "'inventory.yaml'" in answer.json()["detail"]
    assert (await api.ask("PUT", "/targets/db-0/entry", ENTRY)).status_code == 409
    assert (await api.ask("GET", "/targets/none/entry")).status_code == 404


async def test_the_id_of_a_new_target() -> None:
    api = Api()
    for entry, made in (
        ({"id": "own", "name": "Ä name"}, "own"),
        ({"name": "Ä name"}, "a-name"),
        ({"host": "db.example.com", "port": 5432}, "db.example.com-5432"),
        ({"host": "db.example.com", "kind": "ssh"}, "db.example.com-22"),
    ):
        answer = await api.ask("POST", "/targets", entry)
        assert answer.headers["location"] == f"/api/v1/targets/{made}/entry"
    taken = await api.ask("POST", "/targets", {"id": "own"})
    assert taken.status_code == 409
    assert "'own' already" in taken.json()["detail"]
    assert wrong(await api.ask("POST", "/targets", {"name": "世界"})).keys() == {"name"}
    assert wrong(await api.ask("POST", "/targets", {})).keys() == {"id"}
    assert wrong(await api.ask("PUT", "/targets/BAD/entry", ENTRY)).keys() == {"id"}
    assert wrong(await api.ask("PUT", "/targets/a/entry", {"id": "b"})).keys() == {"id"}


def test_an_entry_may_be_as_short_as_in_a_file() -> None:
    short = {"host": "x", "port": "5432", "tags": "prod", "name": 2024, "depends_on": None}
    long = {"host": "x", "port": 5432, "tags": ["prod"], "name": "2024"}
    assert bodies.as_struct(short, TargetEntry) == bodies.as_struct(long, TargetEntry)
    with pytest.raises(ProblemError, match="did you mean 30s"):
        bodies.as_struct({"host": "x", "port": "1", "interval": 30}, TargetEntry)


async def test_each_wrong_field_of_a_body_is_named() -> None:
    body = {
        "prot": 1,
        "port": "x",
        "latency": {"of": "most"},
        "tags": ["ok", []],
        "interval": "soon",
        "nothing_like_it": 1,
    }
    said = wrong(await Api().ask("POST", "/targets", body))
    assert said["prot"] == "no such field; did you mean `port`?"
    assert said["nothing_like_it"].startswith("no such field; there are regions, criticality")
    assert said["port"] == "expected a port from 1 to 65535, found 'x'"
    assert said["latency.of"] == "expected connect or total, found 'most'"
    assert said["tags[1]"] == "expected text, found []"
    assert "a duration such as 250ms" in said["interval"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"null", {}, 400),
        (b'{"name": "\xff"}', {}, 400),
        (b'{"name": "\\ud800"}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"probe": ' + b"[" * 100_000, {}, 400),
        (b'{"port": 1e999}', {}, 400),
        (b'{"port": ' + b"9" * 5000 + b"}", {}, 400),
        (b"{}", {"Content_Type": "text/plain"}, 415),
        (b"{}", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content_Type": "application/json; charset=utf-16"}, 415),
        (b"{}", {"Content_Type": ""}, 415),
        (b"{}", {"Content_Encoding": "gzip"}, 415),
        (b"{}", {"Content_Type": 'Application/JSON; charset="UTF-8"'}, 400),
        (b" " * 1_000_001, {}, 413),
        (b"", {}, 400),
    ],
)
async def test_a_body_that_is_none(body: bytes, headers: dict[str, str], status: int) -> None:
    api = Api()
    answer = await api.ask("POST", "/targets", body, **headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert not api.edits.asked
    if status == 415:
        assert answer.headers["accept"] == "application/json"


async def test_a_body_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_S", 0.05)
    api = Api()
    sent: list[dict[str, Any]] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/targets",
        "raw_path": b"/api/v1/targets",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"content-length", b"9"),
            (b"content-type", b"application/json"),
        ],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 9480),
    }
    await api.made.app(scope, never, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 408


async def test_a_patch_of_another_media_type() -> None:
    answer = await Api().ask("PATCH", "/targets/a/entry", b"{}", Content_Type="text/json")
    assert answer.status_code == 415
    assert answer.headers["accept-patch"] == "application/merge-patch+json, application/json"


async def test_checks() -> None:
    api = Api()
    assert (await api.ask("POST", "/targets/check", ENTRY)).json()["up"] is True
    assert (await api.ask("POST", "/targets/db-1/check")).json()["reason"] == "refused"
    assert [one[0] for one in api.edits.asked] == ["check", "check_now"]


async def test_pause_and_resume() -> None:
    api = Api("operator")
    answer = await api.ask("POST", "/targets/db-0/pause", {"until": 9 * 10**12, "reason": "disk"})
    assert answer.json() == {
        "target": "db-0",
        "paused": True,
        "until": 9 * 10**12,
        "reason": "disk",
        "by": "ann",
    }
    assert (await api.ask("POST", "/targets/db-0/pause")).json()["until"] is None
    later = (await api.ask("POST", "/targets/db-0/pause", {"for_ms": 60_000})).json()["until"]
    assert later > NOW
    assert (await api.ask("POST", "/targets/db-0/resume")).json()["paused"] is False
    for body, field in (
        ({"until": NOW - 10**10}, "until"),
        ({"until": 9 * 10**12, "for_ms": 1000}, "for_ms"),
        ({"for_ms": 1}, "for_ms"),
        ({"untill": 1}, "untill"),
    ):
        assert wrong(await api.ask("POST", "/targets/db-0/pause", body)).keys() == {field}


async def test_many_targets_first_as_a_dry_run(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api("operator")
    path = "/targets/batch?state=down&team=payments"
    plan = await api.ask("POST", path, {"action": "pause", "reason": "move"})
    assert plan.json()["count"] == 3
    assert api.fleet.asked[-1].teams == ("payments",)
    edit = BulkEdit(action="pause", reason="move")
    assert api.edits.asked == [("preview", ("db-0", "db-1", "db-2"), edit)]
    made = {"action": "pause", "reason": "move", "dry_run": False}
    assert (await api.ask("POST", path, made)).status_code == 428
    assert (await api.ask("POST", path, made | {"confirmation": "x"})).status_code == 409
    done = await api.ask("POST", path, made | {"confirmation": plan.json()["confirmation"]})
    assert done.json()["changed"] == 3
    undone = await api.ask("POST", f"/changes/{done.json()['id']}/undo")
    assert (undone.status_code, undone.json()["id"]) == (200, None)
    assert (await api.ask("POST", "/changes/none/undo")).status_code == 404
    for action in ("patch", "remove"):
        assert (await api.ask("POST", path, {"action": action})).status_code == 403
    assert wrong(await api.ask("POST", "/targets/batch?limit=3", made)).keys() == {"limit"}
    monkeypatch.setattr(fleet_module, "MOST_IDS", 2)
    api.fleet.rows = api.fleet.rows * 4000
    too_many = await api.ask("POST", path, {"action": "pause"})
    assert (too_many.status_code, "12,000" in too_many.json()["detail"]) == (400, True)
    api.fleet.fresh = replace(FRESH, is_read=False, blind_because="starting")
    assert (await api.ask("POST", path, {"action": "pause"})).status_code == 503


async def test_an_operator_does_not_undo_what_an_admin_did() -> None:
    admin, operator = Api("admin"), Api("operator")
    body = {"action": "remove", "dry_run": False, "confirmation": "c" * 8}
    done = await admin.ask("POST", "/targets/batch", body)
    operator.edits.bulks = admin.edits.bulks
    path = f"/changes/{done.json()['id']}/undo"
    assert (await operator.ask("POST", path)).status_code == 403
    assert not operator.edits.asked
    assert (await admin.ask("POST", path)).status_code == 200


async def test_words_on_incidents() -> None:
    api = Api("operator")
    answer = await api.ask("POST", "/incidents/inc-0/acknowledge", {"note": "on it"})
    assert answer.json()["outcome"] == "acknowledged"
    assert (await api.ask("POST", "/incidents/inc/resolve")).json()["outcome"] == "resolved"
    assert api.acts.asked == [
        ("acknowledge", ("inc-0",), "on it"),
        ("resolve", ("inc-0",), ""),
    ]
    api.acts.outcome = "unanswered"
    assert (await api.ask("POST", "/incidents/inc-0/resolve")).status_code == 202
    api.acts.outcome = "closed"
    assert (await api.ask("POST", "/incidents/inc-0/resolve")).status_code == 409
    assert (await api.ask("POST", "/incidents/none/resolve")).status_code == 404
    too_long = await api.ask("POST", "/incidents/inc-0/resolve", {"note": "x" * 501})
    assert wrong(too_long).keys() == {"note"}


async def test_notes() -> None:
    api = Api("operator")
    made = await api.ask("POST", "/incidents/inc-0/notes", {"text": "one\ntwo"})
    assert made.status_code == 201
    read = await api.ask("GET", made.headers["location"].removeprefix("/api/v1"))
    assert [one["text"] for one in read.json()["notes"]] == ["one\ntwo"]
    assert wrong(await api.ask("POST", "/incidents/inc-0/notes", {})).keys() == {"text"}
    assert (await api.ask("POST", "/incidents/zz/notes", {"text": "a"})).status_code == 404


async def test_silences() -> None:
    api = Api("operator")
    body = {"match": {"teams": ["db"]}, "reason": "disk", "for_ms": 60_000}
    made = await api.ask("POST", "/silences", body)
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/silences/5ce1e9ab"
    wanted = WantedSilence(match=WantedMatch(teams=("db",)), reason="disk", for_ms=60_000)
    dry = await api.ask("POST", "/silences", body | {"dry_run": True})
    assert (dry.status_code, dry.json()["id"]) == (200, "")
    assert api.acts.asked == [("silence", wanted, False), ("silence", wanted, True)]
    misspelt = body | {"match": {"team": ["db"]}}
    assert wrong(await api.ask("POST", "/silences", misspelt)) == {
        "match.team": "no such field; did you mean `teams`?"
    }
    assert (await api.ask("DELETE", "/silences/5ce1e9ab")).status_code == 404
    assert (await api.ask("GET", "/silences/5ce1e9ab")).status_code == 404


async def test_maintenance_windows() -> None:
    api = Api("operator")
    made = await api.ask("PUT", "/maintenances/patch%20night", WINDOW)
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/maintenances/patch%20night"
    read = await api.ask("GET", "/maintenances/patch%20night")
    assert (read.headers["etag"], read.json()["entry"]) == ('"1"', WINDOW | {"name": "patch night"})
    put = await api.ask("PUT", "/maintenances/patch%20night", WINDOW, If_Match='"2"')
    assert put.status_code == 412
    other = WINDOW | {"name": "other"}
    assert wrong(await api.ask("PUT", "/maintenances/patch%20night", other)).keys() == {"name"}
    assert (await api.ask("DELETE", "/maintenances/patch%20night")).status_code == 204
    assert (await api.ask("DELETE", "/maintenances/patch%20night")).status_code == 404
    assert (await api.ask("GET", "/maintenances/patch%20night")).status_code == 404


async def test_who_one_is_and_who_else_comes_in() -> None:
    api = Api()
    assert (await api.ask("GET", "/me")).json() == {
        "name": "ann",
        "scope": "admin",
        "via": "token",
        "teams": ["db"],
        "tags": [],
    }
    made = await api.ask("PUT", "/users/bob", {"scope": "operator", "password": "hunter2"})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert "hunter2" not in made.text
    stale = await api.ask("PUT", "/users/bob", {}, If_Match='"7"')
    assert stale.status_code == 412
    assert (await api.ask("GET", "/users/bob")).headers["etag"] == '"1"'
    assert [one["name"] for one in (await api.ask("GET", "/users")).json()["users"]] == ["bob"]
    assert (await api.ask("DELETE", "/users/bob", If_Match="*")).status_code == 204
    assert (await api.ask("GET", "/users/bob")).status_code == 404
    link = await api.ask("POST", "/invitations", {"scope": "operator"})
    assert link.json()["path"] == "/welcome?invitation=hunter2"
    assert link.headers["cache-control"] == "no-store"
    token = await api.ask("POST", "/tokens", {"name": "ci"})
    assert "hunter2" in token.text
    assert "hunter2" not in (await api.ask("GET", "/tokens")).text
    assert (await api.ask("DELETE", f"/tokens/{token.json()['id']}")).status_code == 204
    page = await api.ask("GET", "/audit?by=ann&about=target/db-0&limit=1")
    assert page.json()["next_before"] == "0" * 16
    assert api.office.asked[-1] == ("audit", "ann", "target/db-0", "", 1)


async def test_the_inventory_as_a_file() -> None:
    answer = await Api("viewer").ask("GET", "/inventory.yaml")
    assert answer.text == "targets: []\n"
    assert answer.headers["content-type"].startswith("application/yaml")


async def test_a_change_that_is_refused_says_which_fields() -> None:
    api = Api()
    api.edits.error = ChangeError(
        HTTPStatus.BAD_REQUEST,
        "probe.path: expected a path",
        errors=(FieldError(field="probe.path", message="expected a path"),),
    )
    assert wrong(await api.ask("PUT", "/targets/shop/entry", ENTRY)) == {
        "probe.path": "expected a path"
    }


@pytest.mark.parametrize("scope", ["viewer", "operator"])
async def test_what_a_scope_is_not_enough_for(scope: Scope) -> None:
    """The table of every route and scope is tests of the door's; here are some, by their acts."""
    api = Api(scope)
    beyond = [
        ("PUT", "/targets/shop/entry", ENTRY),
        ("PATCH", "/targets/shop/entry", {}),
        ("DELETE", "/targets/shop/entry", None),
        ("POST", "/targets", ENTRY),
        ("PUT", "/users/bob", {}),
        ("GET", "/audit", None),
    ]
    if scope == "viewer":
        beyond += [
            ("POST", "/incidents/inc-0/acknowledge", {}),
            ("POST", "/silences", {}),
            ("POST", "/targets/batch", {"action": "pause"}),
            ("POST", "/targets/db-0/pause", {}),
            ("PUT", "/maintenances/a", WINDOW),
        ]
    for method, path, body in beyond:
        assert (await api.ask(method, path, body)).status_code == 403, path
    assert api.acts.asked == api.edits.asked == api.office.asked == []
    assert not api.journal.log.records


async def test_a_target_with_the_name_of_an_address() -> None:
    api = Api()
    api.fleet.rows = (target_row(0, id="batch"),)
    assert (await api.ask("GET", "/targets/batch")).json()["row"]["id"] == "batch"
    assert (await api.ask("GET", "/targets/check")).status_code == 404
    assert wrong(await api.ask("POST", "/targets", {"id": "batch"})).keys() == {"id"}
    assert wrong(await api.ask("POST", "/targets", {"name": "Check"})).keys() == {"id"}
