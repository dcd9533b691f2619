"""Status pages and posts, as a browser without a script makes them."""

import re
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from portquorum.web.words import DONE, ENGLISH
from schemas.web import Audit, StatusPage, StatusPost
from tests.browser.web.fakes import OPEN_INCIDENT, target_row
from tests.browser.web.nights import NOW
from tests.browser.web.status_desk import PASSWORD, POST, SHOP
from tests.unit.portquorum.web.forms.browser import Browser, form_of

LINES = "Buying / Orders = orders-db-0\nBuying / Search = orders-db-7, orders-db-8"


@pytest.fixture(scope="module")
async def opened() -> AsyncIterator[Browser]:
    async with Browser() as made:
        yield made


@pytest.fixture
def browser(opened: Browser) -> Browser:
    opened.reset()
    return opened


def page(browser: Browser, slug: str) -> StatusPage:
    found = browser.status.editor.page(slug)
    assert found is not None
    return found


def posts(browser: Browser) -> list[StatusPost]:
    """All but the one that was there."""
    return [one for one in browser.status.editor.posts() if one.id != POST]


async def test_a_page_is_made_changed_and_removed(browser: Browser) -> None:
    new = {"slug": "mine", "title": "Mine", "components": LINES, "contact": "mailto:a@example.com"}
    done = await browser.send_form("/status-pages/new", new, "save")
    assert done.headers["location"] == "/status-pages?done=page-saved", done.text
    made = page(browser, "mine")
    assert [(one.id, one.targets) for one in made.groups[0].components] == [
        ("orders", ("orders-db-0",)),
        ("search", ("orders-db-7", "orders-db-8")),
    ]
    assert (made.show_uptime, made.days, made.access) == (True, 90, "public")
    listed = await browser.get(done.headers["location"])
    assert DONE["page-saved"] in listed.text
    assert 'href="/status/mine"' in listed.text
    shown = await browser.get("/status-pages/mine/edit")
    assert form_of(shown.text).sent["components"] == LINES
    renamed = LINES.replace("Search", "Finding")
    await browser.send_again(shown, {"components": renamed, "show_uptime": []}, "save")
    made = page(browser, "mine")
    assert (made.version, made.groups[0].components[1].id, made.show_uptime) == (2, "search", False)
    late = await browser.send_again(shown, {"title": "Late"}, "save")
    assert late.status_code == 412
    assert "somebody else was first" in late.text
    gone = await browser.send_form("/status-pages/mine/remove")
    assert gone.headers["location"] == "/status-pages?done=page-removed"
    assert browser.status.editor.page("mine") is None
    assert (await browser.get("/status-pages/mine/edit")).status_code == 404


async def test_errors_name_their_lines_and_nothing_typed_is_lost(browser: Browser) -> None:
    typed = {
        "slug": "mine",
        "title": "",
        "components": "Orders = orders-db-0\n\nSearch = nowhere\nno line",
    }
    wrong = await browser.send_form("/status-pages/new", typed, "save")
    assert wrong.status_code == 400
    assert "line 4: expected NAME = TARGET" in wrong.text
    typed["components"] = typed["components"].removesuffix("no line")
    wrong = await browser.send_again(wrong, typed, "save")
    assert "line 3: there is no target &#39;nowhere&#39;" in wrong.text
    assert 'href="#f-title"' in wrong.text
    assert form_of(wrong.text).sent["components"] == typed["components"]
    fixed = {"slug": "shop", "title": "Shop", "components": "Orders = orders-db-0"}
    taken = await browser.send_again(wrong, fixed, "save")
    assert taken.status_code == 400
    assert ENGLISH.posting.slug_taken in taken.text
    assert page(browser, "shop") == SHOP


async def test_a_preview_saves_nothing(browser: Browser) -> None:
    shown = await browser.send_form(
        "/status-pages/shop/edit", {"components": f"{LINES}\nGone = nowhere"}, "preview"
    )
    assert shown.status_code == 200
    assert ENGLISH.posting.preview_of in shown.text
    rows = re.findall(r'<tr><td><span class="state s-(\w+)".*?class="name">([^<]*)', shown.text)
    assert rows == [("down", "Orders"), ("up", "Search"), ("unknown", "Gone")]
    assert page(browser, "shop") == SHOP


async def test_targets_are_added_by_the_filters_of_their_list(browser: Browser) -> None:
    browser.fleet.rows = (
        target_row(0),
        target_row(1, name="Payments"),
        target_row(2, name="db-002.fra.example.net:5432"),
        target_row(3, name="Another", place="other"),
    )
    shown = await browser.get("/status-pages/new")
    address = "http://127.0.0.1/targets?q=db&sort=name"
    added = await browser.send_again(
        shown, {"filters": address, "group": "All", "components": "Orders = orders-db-0"}, "add"
    )
    lines = form_of(added.text).sent["components"]
    assert str(lines).split("\n")[0] == "Orders = orders-db-0"
    assert "All / Payments = orders-db-1" in lines
    assert "example.net" not in lines, "a name that says where it is must be chosen anew"
    for filters, said in (("tean=a", "did you mean `team`"), ("q=zzz", "no target matches")):
        wrong = await browser.send_again(shown, {"filters": filters}, "add")
        assert wrong.status_code == 400
        assert said in wrong.text


async def test_a_list_of_targets_leads_to_a_page_of_them(browser: Browser) -> None:
    browser.fleet.rows = (target_row(0), target_row(1, name="Payments"), target_row(2, state="up"))
    shown = await browser.get("/targets?q=Payments&sort=name")
    [there] = re.findall(r'href="(/status-pages/new[^"]*)"', shown.text)
    assert there == "/status-pages/new?q=Payments"
    form = form_of((await browser.get(there)).text)
    assert form.sent["components"] == "Payments = orders-db-1"
    assert "/status-pages/new" not in (await browser.get("/targets?sort=name")).text


async def test_a_password_is_set_and_never_shown(browser: Browser) -> None:
    locked = {"access": "locked", "password": PASSWORD}
    await browser.send_form("/status-pages/shop/edit", locked, "save")
    made = page(browser, "shop")
    assert (made.access, made.password is not None) == ("locked", True)
    shown = await browser.get("/status-pages/shop/edit")
    assert PASSWORD not in shown.text
    assert "argon2" not in shown.text
    await browser.send_again(shown, {"title": "Shop!"}, "save")
    assert page(browser, "shop").password == made.password
    await browser.send_form("/status-pages/shop/edit", {"no_password": "1"}, "save")
    assert page(browser, "shop").password is None


async def test_a_key_is_shown_once_and_revoked(browser: Browser) -> None:
    made = await browser.send_form("/status-pages/inner/keys", {"name": "Acme", "days": "30"})
    found = re.search(r"/status/inner\?key=([\w-]{22})", made.text)
    assert found is not None
    key = browser.status.keys.find(found[1], "page")
    assert key is not None
    assert key.about == "inner"
    again = await browser.get("/status-pages/inner/keys")
    assert found[1] not in again.text
    assert "Acme" in again.text
    revoked = await browser.send_form(f"/status-pages/inner/keys?revoke={key.id}")
    assert revoked.headers["location"] == "/status-pages/inner/keys?done=key-revoked"
    assert browser.status.keys.find(found[1], "page") is None


async def test_an_open_post_of_an_incident_that_is_over_is_told_of(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps its component red, and nothing else says so."""
    link = f"/posts/new?incident={OPEN_INCIDENT}"
    await browser.send_again(await browser.get(link))
    [made] = posts(browser)
    hint = f'href="/posts/{made.id}/update">{ENGLISH.posting.resolve_post}<'
    places = ("/status-pages", f"/incidents/{OPEN_INCIDENT}")
    assert hint not in (await browser.get("/status-pages")).text
    found = browser.fleet.incident(OPEN_INCIDENT)
    assert found is not None
    over = replace(found, row=replace(found.row, closed_at=NOW, closed_because="recovered"))
    monkeypatch.setattr(browser.fleet, "incident", lambda _id: over)
    for place in places:
        assert hint in (await browser.get(place)).text
    await browser.send_form(
        f"/posts/{made.id}/update", {"state": "resolved", "text": "It is well."}
    )
    for place in places:
        assert hint not in (await browser.get(place)).text


async def test_a_public_post_from_an_incident_in_two_clicks(browser: Browser) -> None:
    incident = await browser.get(f"/incidents/{OPEN_INCIDENT}")
    link = f"/posts/new?incident={OPEN_INCIDENT}"
    assert f'href="{link}"' in incident.text
    draft = await browser.get(link)
    form = form_of(draft.text)
    assert set(form.sent["components"]) == {"inner/cluster-7", "shop/orders"}
    row = browser.fleet.rows[0]
    said = f"{form.sent['title']} {form.sent['text']}"
    for secret in (row.id, row.host, row.name, "5432", "Cluster", OPEN_INCIDENT, row.team):
        assert str(secret) not in said
    done = await browser.send_again(draft)
    [made] = posts(browser)
    assert done.headers["location"] == f"/posts/{made.id}?done=published"
    assert set(made.pages) == {"shop", "inner"}
    assert (made.title, made.updates[0].state) == ("Orders: not available", "investigating")
    assert made.incident_id == OPEN_INCIDENT
    found = browser.fleet.incident(OPEN_INCIDENT)
    assert found is not None
    assert made.starts_at == found.row.began_at, "to the second, though a box has minutes"
    shown = await browser.get(f"/posts/{made.id}")
    assert "Orders: not available" in shown.text


async def test_a_post_is_updated_corrected_and_removed(browser: Browser) -> None:
    updated = await browser.send_form(f"/posts/{POST}/update", {"text": "Found it."})
    assert updated.headers["location"] == f"/posts/{POST}?done=published"
    found = browser.status.editor.post(POST)
    assert found is not None
    assert [one.state for one in found.updates] == ["investigating", "identified"]
    corrected = await browser.send_form(
        f"/posts/{POST}/edit", {"texts.0": "Sorry.", "title": "Search"}
    )
    assert corrected.headers["location"] == f"/posts/{POST}?done=post-changed", corrected.text
    found = browser.status.editor.post(POST)
    assert found is not None
    assert (found.title, found.updates[0].text, found.components) == (
        *("Search", "Sorry."),
        ("shop/search",),
    )
    empty = await browser.send_form(f"/posts/{POST}/update", {"text": " "})
    assert empty.status_code == 400
    gone = await browser.send_form(f"/posts/{POST}/remove")
    assert gone.headers["location"] == "/status-pages?done=post-removed"
    assert (await browser.get(f"/posts/{POST}")).status_code == 404


async def test_planned_work_is_announced_in_the_zone_of_who_writes(browser: Browser) -> None:
    browser.cookies.set("portquorum_zone", "Europe/Berlin")
    work = {
        "title": "New disks",
        "text": "At night.",
        "pages": ["shop"],
        "starts_at": "2030-07-01T02:00",
        "ends_at": "2030-07-01T04:00",
    }
    path = "/posts/new?sort=maintenance"
    wrong = await browser.send_form(path, work | {"ends_at": ""})
    assert wrong.status_code == 400
    assert "expected when the work ends" in wrong.text
    done = await browser.send_again(wrong, work)
    assert done.status_code == 303, done.text
    [made] = posts(browser)
    assert (made.sort, made.impact, made.starts_at) == (
        "maintenance",
        "maintenance",
        1_909_094_400_000,
    )


async def test_somebody_with_limits_writes_of_their_own_alone(browser: Browser) -> None:
    browser.status.write(replace(SHOP, version=2, title="Shop 2"))
    async with Browser(scope="operator", teams=("others",)) as limited:
        assert (await limited.get("/status-pages/new")).status_code == 403
        listed = await limited.get("/status-pages")
        assert "/status-pages/new" not in listed.text
        refused = await limited.send_form(f"/posts/{POST}/update", {"text": "x"})
        assert refused.status_code == 403
        assert (await limited.get(f"/posts/new?incident={OPEN_INCIDENT}")).status_code == 403


async def test_many_components_are_typed(browser: Browser) -> None:
    lines = "\n".join(f"C {n} = orders-db-{n % 9}" for n in range(300))
    await browser.send_form("/status-pages/shop/edit", {"components": lines}, "save")
    shown = await browser.get("/posts/new")
    assert len(re.findall('name="components"', shown.text)) == 150
    done = await browser.send_again(
        shown, {"title": "T", "text": "x", "components": [], "others": "shop/c-299"}
    )
    assert done.status_code == 303, done.text
    assert posts(browser)[0].components == ("shop/c-299",)


async def test_what_was_done_is_in_the_audit_log(browser: Browser) -> None:
    await browser.send_form(f"/posts/{POST}/update", {"text": "Found it."})
    [entry] = browser.status.journal.book.every(Audit).values()
    assert (entry.by, entry.action, entry.about, entry.at) == ("aino", "change post", POST, NOW)
