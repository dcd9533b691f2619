"""Status pages and posts over the API."""

from typing import Any, Final

from tests.unit.portquorum.web.api.test_changes import Api, wrong

PAGE: Final = {
    "title": "Shop",
    "groups": [
        {
            "name": "Buying",
            "components": [{"name": "Checkout", "targets": ["web-1"], "id": "checkout"}],
        }
    ],
}
MERGE: Final = {"Content_Type": "application/merge-patch+json"}
POST: Final = {"title": "Slow", "text": "We look.", "components": ["shop/checkout"]}


def admin() -> Api:
    return Api(teams=())


async def test_a_page_is_made_read_changed_and_removed() -> None:
    api = admin()
    made = await api.ask("PUT", "/status-pages/shop", PAGE, If_None_Match="*")
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/status-pages/shop"
    assert (await api.ask("PUT", "/status-pages/shop", PAGE, If_None_Match="*")).status_code == 412
    read = await api.ask("GET", "/status-pages/shop")
    assert (read.headers["etag"], read.json()["has_password"]) == ('"1"', False)
    again = await api.ask("PUT", "/status-pages/shop", read.json()["entry"])
    assert (again.status_code, again.headers["etag"]) == (200, '"1"')
    patched = await api.ask(
        "PATCH", "/status-pages/shop", {"title": "Shops", "days": 30}, If_Match='"1"', **MERGE
    )
    entry = patched.json()["entry"]
    assert (entry["title"], entry["days"], entry["groups"][0]["name"]) == ("Shops", 30, "Buying")
    assert (await api.ask("DELETE", "/status-pages/shop", If_Match='"1"')).status_code == 412
    [listed] = (await api.ask("GET", "/status-pages")).json()["pages"]
    assert listed == patched.json()
    assert (await api.ask("DELETE", "/status-pages/shop", If_Match='"2"')).status_code == 204
    for method in ("GET", "DELETE"):
        assert (await api.ask(method, "/status-pages/shop")).status_code == 404
    assert (await api.ask("PATCH", "/status-pages/shop", {}, **MERGE)).status_code == 404


async def test_a_password_is_set_kept_and_taken_and_never_shown() -> None:
    api = admin()
    password = "correct horse battery"  # noqa: S105
    locked: dict[str, Any] = {**PAGE, "access": "locked", "password": password}
    answers = [await api.ask("PUT", "/status-pages/shop", locked)]
    assert answers[-1].json()["has_password"]
    answers.append(await api.ask("PATCH", "/status-pages/shop", {"days": 7}, **MERGE))
    assert answers[-1].json()["has_password"]
    answers.append(await api.ask("GET", "/status-pages"))
    answers.append(await api.ask("PATCH", "/status-pages/shop", {"password": None}, **MERGE))
    assert not answers[-1].json()["has_password"]
    answers.append(await api.ask("GET", "/audit"))
    for answer in answers:
        assert "argon2" not in answer.text
        assert password not in answer.text


async def test_what_is_wrong_is_named() -> None:
    api = admin()
    said = wrong(await api.ask("PUT", "/status-pages/shop", {**PAGE, "pasword": "x"}))
    assert said == {"pasword": "no such field; did you mean `password`?"}
    group = {"components": [{"name": "A", "targets": ["none"]}]}
    said = wrong(await api.ask("PUT", "/status-pages/shop", {"title": "S", "groups": [group]}))
    assert said.keys() == {"groups[0].components[0].targets"}
    assert wrong(await api.ask("PUT", "/status-pages/Shop", PAGE)).keys() == {"slug"}
    assert wrong(await api.ask("POST", "/posts", POST)).keys() == {"components[0]", "components"}


async def test_a_post_is_written_once_updated_and_removed() -> None:
    api = admin()
    await api.ask("PUT", "/status-pages/shop", PAGE)
    made = await api.ask("POST", "/posts", POST, Idempotency_Key="one")
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    again = await api.ask("POST", "/posts", POST, Idempotency_Key="one")
    assert again.json() == made.json()
    place = made.headers["location"].removeprefix("/api/v1")
    assert (await api.ask("GET", place)).json() == made.json()
    update = {"state": "resolved", "text": "Over."}
    assert (await api.ask("PATCH", place, update, If_Match='"7"')).status_code == 412
    over = await api.ask("PATCH", place, update, If_Match='"1"')
    assert [one["state"] for one in over.json()["updates"]] == ["investigating", "resolved"]
    assert over.json()["ends_at"] is not None
    other = (await api.ask("POST", "/posts", {**POST, "title": "Other"})).json()
    for query, ids in {
        "": [other["id"], made.json()["id"]],
        "?status=open": [other["id"]],
        "?status=over&page=shop": [made.json()["id"]],
        "?page=none": [],
        f"?before={other['id']}": [made.json()["id"]],
    }.items():
        found = (await api.ask("GET", f"/posts{query}")).json()["posts"]
        assert [one["id"] for one in found] == ids, query
    first = (await api.ask("GET", "/posts?limit=1")).json()
    assert first["next_before"] == first["posts"][0]["id"]
    assert (await api.ask("DELETE", place)).status_code == 204
    for method in ("GET", "DELETE"):
        assert (await api.ask(method, place)).status_code == 404


async def test_limits_hold() -> None:
    api = Api(teams=("db",))
    assert (await api.ask("PUT", "/status-pages/shop", PAGE)).status_code == 403


async def test_times_of_a_post_are_iso_8601_or_ms() -> None:
    api = admin()
    await api.ask("PUT", "/status-pages/shop", PAGE)
    work = {**POST, "sort": "maintenance"}
    begin, end = 1_796_436_000_000, 1_796_443_200_000
    for starts_at, ends_at in (
        ("2026-12-05T02:00Z", "2026-12-05T04:00:00Z"),
        ("2026-12-05T02:00", "2026-12-05T05:00+01:00"),
        (begin, end),
    ):
        made = await api.ask("POST", "/posts", {**work, "starts_at": starts_at, "ends_at": ends_at})
        assert made.status_code == 201
        assert (made.json()["starts_at"], made.json()["ends_at"]) == (begin, end)
    later = await api.ask(
        "PATCH", f"/posts/{made.json()['id']}", {"ends_at": "2026-12-05T06:00:00+01:00"}
    )
    assert later.json()["ends_at"] == end + 3_600_000
    for wrong_time in ("tomorrow", "90m", "", "2026-13-01"):
        refused = await api.ask("POST", "/posts", {**work, "starts_at": wrong_time, "ends_at": end})
        assert "2026-11-30T07:00:00Z" in wrong(refused)["starts_at"]
