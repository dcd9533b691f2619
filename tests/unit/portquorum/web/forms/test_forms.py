"""The pages that change something, as a browser without a script uses them."""

import html
import re
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest

from portquorum.changing.acts import WantedMatch
from portquorum.changing.errors import ChangeError
from portquorum.inventory.document import TargetEntry
from portquorum.web.access.csrf import token
from portquorum.web.words import DONE
from tests.browser.web.changes import SECRET
from tests.browser.web.fakes import OPEN_INCIDENT
from tests.browser.web.nights import HOSTILE, HOUR
from tests.browser.web.status_desk import POST
from tests.unit.portquorum.web.forms.browser import SESSION, Browser, form_of

TARGET, OWN = "orders-db-0", "orders-db-9"
FORMS = (
    *("/targets/new", "/targets/new?kind=http", "/targets/new?kind=dns", f"/targets/{OWN}/edit"),
    *(f"/targets/{TARGET}/{what}" for what in ("pause", "resume", "silence", "check")),
    f"/targets/{OWN}/remove",
    *(
        f"/incidents/{OPEN_INCIDENT}/{what}"
        for what in ("acknowledge", "resolve", "note", "silence")
    ),
    *("/silences/new", "/silences/7f3a/end", "/maintenance/new", "/targets/bulk?state=up"),
    *("/status-pages/new", "/status-pages/shop/edit", "/status-pages/inner/edit"),
    *("/status-pages/new?state=up&q=db+7", "/status-pages/shop/remove", "/status-pages/inner/keys"),
    *("/posts/new", "/posts/new?sort=maintenance", f"/posts/new?incident={OPEN_INCIDENT}"),
    *(f"/posts/{POST}/{what}" for what in ("update", "edit", "remove")),
    *("/targets/new?kind=heartbeat", "/keys"),
    *("/users", "/users/new", "/users/mika", "/tokens", "/tokens?revoke=0a1b2c3d", "/account"),
)
READ = (
    *("/audit", "/inventory", "/inventory/portquorum.yaml"),
    *("/status-pages", f"/posts/{POST}"),
)


@pytest.fixture(scope="module")
async def opened() -> AsyncIterator[Browser]:
    async with Browser() as made:
        yield made


@pytest.fixture
def browser(opened: Browser) -> Browser:
    opened.reset()
    return opened


@pytest.mark.parametrize("path", FORMS)
async def test_each_field_has_a_label_and_what_is_said_of_it_is_there(
    browser: Browser, path: str
) -> None:
    shown = await browser.get(path)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    form = form_of(shown.text)
    assert form.sent["csrf"] == token(SESSION)
    for field in form.fields:
        assert field.get("id") in form.labels or field.get("labelled"), field
        assert set((field.get("aria-describedby") or "").split()) <= form.ids, field
    assert len(re.findall("<h1", shown.text)) == 1


@pytest.mark.parametrize("path", FORMS)
async def test_nothing_is_done_without_the_token_of_the_form(browser: Browser, path: str) -> None:
    shown = await browser.get(path)
    refused = await browser.send_again(shown, {"csrf": "0" * 64, "host": "a", "name": "a"})
    assert refused.status_code == 403
    for asked in (browser.acts.asked, browser.edits.asked, browser.office.asked):
        assert asked == []
    assert len(browser.status.journal.log.records) == 3, "as it was"


@pytest.mark.parametrize("path", [*FORMS, *READ])
async def test_what_came_from_outside_is_text(browser: Browser, path: str) -> None:
    browser.fleet.text = HOSTILE
    shown = await browser.get(path)
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text
    assert "\u202e" not in shown.text


async def test_a_page_that_is_kept_has_no_name_and_no_token(browser: Browser) -> None:
    for path in ("/", "/targets", f"/targets/{TARGET}", f"/incidents/{OPEN_INCIDENT}"):
        text = (await browser.get(path)).text
        assert token(SESSION) not in text
        assert "aino" not in text


async def test_pause_and_resume(browser: Browser) -> None:
    done = await browser.send_form(f"/targets/{TARGET}/pause", {"for": "4h", "reason": "disk"})
    assert done.status_code == 303
    assert done.headers["location"] == f"/targets/{TARGET}?done=paused"
    [(what, who, targets, until, reason)] = browser.acts.asked
    assert (what, who, targets, reason) == ("pause", "aino", (TARGET,), "disk")
    assert until == browser.fleet.freshness().now + 4 * HOUR
    page = (await browser.get(done.headers["location"])).text
    assert DONE["paused"] in page
    assert f"/targets/{TARGET}/resume" in page
    resumed = await browser.send_form(f"/targets/{TARGET}/resume")
    assert resumed.headers["location"] == f"/targets/{TARGET}?done=resumed"


async def test_a_time_is_that_of_the_viewer(browser: Browser) -> None:
    browser.cookies.set("portquorum_zone", "Europe/Berlin")
    await browser.send_form(f"/targets/{TARGET}/pause", {"until": "2030-07-01T08:00"})
    assert browser.acts.asked[-1][3] == 1_909_116_000_000  # 06:00 UTC
    over = await browser.send_form(f"/targets/{TARGET}/pause", {"until": "2020-01-01T08:00"})
    assert over.status_code == 400
    assert "found one in the past" in over.text
    await browser.send_form(f"/targets/{TARGET}/pause", {"for": ""})
    assert browser.acts.asked[-1][3] is None


async def test_what_is_wrong_stands_at_the_field_with_what_was_typed(browser: Browser) -> None:
    wrong = await browser.send_form(
        f"/incidents/{OPEN_INCIDENT}/silence", {"for": "12h", "reason": ""}
    )
    assert wrong.status_code == 400
    assert browser.acts.asked == []
    form = form_of(wrong.text)
    assert form.sent["for"] == "12h"
    [reason] = [one for one in form.fields if one.get("name") == "reason"]
    assert reason["aria-invalid"] == "true"
    assert (reason["aria-describedby"] or "").split()[0] == "f-reason-error"
    assert 'href="#f-reason"' in wrong.text
    assert re.search(r'id="errors" role="alert" tabindex="-1" autofocus', wrong.text)


async def test_a_refusal_is_said_and_nothing_typed_is_lost(browser: Browser) -> None:
    browser.acts.refusal = ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, "Kafka does not answer")
    path = f"/incidents/{OPEN_INCIDENT}/acknowledge"
    refused = await browser.send_form(path, {"note": "on <my> way"})
    assert refused.status_code == 503
    assert "Kafka does not answer" in refused.text
    done = await browser.send_again(refused)
    assert done.headers["location"] == f"/incidents/{OPEN_INCIDENT}?done=acknowledged"
    assert browser.acts.asked == [("acknowledge", "aino", (OPEN_INCIDENT,), "on <my> way")]


async def test_all_of_a_cause_are_acknowledged(browser: Browser) -> None:
    await browser.send_form(f"/incidents/{OPEN_INCIDENT}/acknowledge", {"all": "1"})
    [(_, _, incidents, _)] = browser.acts.asked
    assert incidents[0] == OPEN_INCIDENT
    assert len(incidents) > 1


async def test_a_note_is_on_the_page_of_the_incident(browser: Browser) -> None:
    path = f"/incidents/{OPEN_INCIDENT}/note"
    assert (await browser.send_form(path, {"note": " "})).status_code == 400
    done = await browser.send_form(path, {"note": "cable\nagain"})
    assert "cable\nagain" in (await browser.get(done.headers["location"])).text


async def test_a_silence_is_shown_before_it_is_made(browser: Browser) -> None:
    typed = {"targets": "orders-db-1, orders-db-2", "reason": "work", "for": "1d"}
    preview = await browser.send_form("/silences/new", typed, do="preview")
    assert preview.status_code == 200
    assert "It would match 2 targets" in preview.text
    assert "orders-db-1, orders-db-2" in preview.text
    made = await browser.send_again(preview, do="make")
    assert made.headers["location"] == "/maintenance?done=silenced#silences"
    (_, _, wanted, dry_run) = browser.acts.asked[-1]
    assert not dry_run
    assert wanted.match == WantedMatch(targets=("orders-db-1", "orders-db-2"))
    everything = await browser.send_form("/silences/new", {"reason": "all"}, do="preview")
    assert "nobody would be told of anything" in everything.text


async def test_a_silence_ends(browser: Browser) -> None:
    done = await browser.send_form("/silences/7f3a/end")
    assert done.headers["location"] == "/maintenance?done=silence-ended"
    assert (await browser.get("/silences/none/end")).status_code == 404


NEW = {
    "kind": "http",
    "host": "shop.example.com",
    "name": "the shop",
    "tags": "prod, shop",
    "regions": ["fra", "ams"],
    "interval": "30s",
    "probe.path": "/health",
    "probe.status": "200\n204-299",
    "probe.expect": " ok",
    "probe.headers": "X-Key: '1'",
    "options": "http",
}


async def test_a_target_is_checked_in_the_form_and_then_made(browser: Browser) -> None:
    checked = await browser.send_form("/targets/new?kind=http", NEW, do="check")
    assert checked.status_code == 200
    assert "It is down" in checked.text
    assert "nothing listens" in checked.text
    assert "203.0.113.7" in checked.text
    assert [one[0] for one in browser.edits.asked] == ["check"]
    made = await browser.send_again(checked, do="save")
    assert made.headers["location"] == "/targets/the-shop?done=added"
    (_, _, target, entry, version) = browser.edits.asked[-1]
    assert (target, version) == ("the-shop", 0)
    assert entry == TargetEntry(
        kind="http",
        host="shop.example.com",
        name="the shop",
        tags=("prod", "shop"),
        regions=("fra", "ams"),
        interval="30s",
        probe={
            "path": "/health",
            "status": [200, "204-299"],
            "expect": " ok",
            "headers": {"X-Key": "1"},
        },
    )


async def test_another_kind_has_other_options_without_a_script_too(browser: Browser) -> None:
    shown = await browser.send_form("/targets/new", {"kind": "http", "name": "x"}, do="options")
    assert shown.status_code == 200
    form = form_of(shown.text)
    assert form.sent["name"] == "x"
    assert form.sent["probe.path"] == ""
    assert form.sent["probe.verify"] == ["1"]
    wrong = await browser.send_again(shown, {"host": "wrong", "probe.verify": []}, do="save")
    assert wrong.status_code == 400
    assert 'id="f-host-error"' in wrong.text
    assert "probe.verify" not in form_of(wrong.text).sent


async def test_two_who_edit_one_target_do_not_overwrite_each_other(browser: Browser) -> None:
    mine = await browser.get(f"/targets/{OWN}/edit")
    theirs = await browser.send_form(f"/targets/{OWN}/edit", {"tags": "theirs"}, do="save")
    assert theirs.status_code == 303
    refused = await browser.send_again(mine, {"tags": "mine"}, do="save")
    assert refused.status_code == 409
    assert "somebody else was first" in refused.text
    assert form_of(refused.text).sent["tags"] == "mine"


async def test_a_target_of_a_file_says_its_file(browser: Browser) -> None:
    shown = await browser.get(f"/targets/{TARGET}/edit")
    assert shown.status_code == 409
    assert "inventory.yaml" in shown.text
    page = (await browser.get(f"/targets/{TARGET}")).text
    assert "in the file “inventory.yaml”: change it there" in page
    assert f"/targets/{TARGET}/edit" not in page


async def test_a_target_is_removed(browser: Browser) -> None:
    done = await browser.send_form(f"/targets/{OWN}/remove")
    assert done.headers["location"] == "/targets?done=removed"
    assert browser.edits.asked == [("remove", "aino", OWN, 3)]


async def test_many_are_paused_and_it_is_undone(browser: Browser) -> None:
    path = "/targets/bulk?state=up&q=orders"
    preview = await browser.send_form(path, {"action": "pause", "for": "1h"}, do="preview")
    count = len(browser.fleet.rows) - 6 + 1
    assert f"This pauses {count} targets" in preview.text
    done = await browser.send_again(preview, do="apply")
    assert done.status_code == 303
    page = await browser.get(done.headers["location"])
    assert f"{count} targets were paused" in page.text
    assert sum(one.state == "paused" for one in browser.fleet.rows) == count + 1
    undone = await browser.send_again(page)
    assert undone.headers["location"].endswith("?done=undone")
    assert sum(one.state == "paused" for one in browser.fleet.rows) == 1
    over = await browser.get(undone.headers["location"])
    assert "aino has undone it" in over.text
    assert (await browser.get("/changes/0123456789abcdef/undo")).status_code == 404


async def test_what_is_left_out_is_named_and_nothing_is_no_change(browser: Browser) -> None:
    path = "/targets/bulk?q=orders"
    typed = {"action": "patch", "set.team": "shop", "add_tags": "x, y"}
    preview = await browser.send_form(path, typed, do="preview")
    assert "This changes 1 target" in preview.text
    assert "99 are in files" in preview.text
    assert "shop" in preview.text
    nothing = await browser.send_form(path, {"action": "patch"}, do="preview")
    assert nothing.status_code == 400
    assert "a field or a tag to change" in nothing.text


async def test_a_change_that_no_longer_is_what_was_shown_is_shown_anew(browser: Browser) -> None:
    preview = await browser.send_form("/targets/bulk?q=orders", {"action": "pause"}, do="preview")
    stale = await browser.send_again(preview, {"confirmation": "0" * 64}, do="apply")
    assert stale.status_code == 409
    assert "has changed since the preview" in stale.text
    assert (await browser.send_again(stale, do="apply")).status_code == 303
    strange = await browser.send_again(preview, {"edit": "{"}, do="apply")
    assert strange.status_code == 400


async def test_a_window_is_made_changed_and_removed(browser: Browser) -> None:
    typed = {"name": "patch day", "targets": "tag:prod", "start": "2030-01-06T03:00"}
    assert (await browser.send_form("/maintenance/new", {"name": "x"})).status_code == 400
    made = await browser.send_form("/maintenance/new", {**typed, "rrule": "FREQ=WEEKLY"})
    assert made.headers["location"] == "/maintenance?done=window-saved"
    (_, _, name, entry, version) = browser.acts.asked[-1]
    assert (name, version, entry.start) == ("patch day", 0, "2030-01-06T03:00")
    await browser.send_form("/maintenance/patch%20day/edit", {"duration": "2h"})
    assert browser.acts.asked[-1][3].duration == "2h"
    assert browser.acts.asked[-1][3].rrule == "FREQ=WEEKLY"
    removed = await browser.send_form("/maintenance/patch%20day/remove")
    assert removed.headers["location"] == "/maintenance?done=window-removed"
    assert (await browser.get("/maintenance/patch%20night/edit")).status_code == 409


async def test_a_secret_is_shown_once(browser: Browser) -> None:
    made = await browser.send_form("/tokens", {"name": "deploy", "days": "30"})
    assert made.status_code == 200
    assert SECRET in made.text
    assert made.headers["cache-control"] == "no-store"
    assert SECRET not in (await browser.get("/tokens")).text
    revoked = await browser.send_form("/tokens?revoke=0a1b2c3d")
    assert revoked.headers["location"] == "/tokens?done=token-revoked"
    link = await browser.send_form("/users", {"scope": "operator", "teams": "shop"})
    assert "http://127.0.0.1/welcome?invitation=inv_" in link.text
    assert browser.office.asked[-1] == ("invite", "aino", "operator", ("shop",))


JOB = {"kind": "heartbeat", "name": "Nightly backup", "schedule": "0 3 * * *", "zone": "UTC"}


def address_in(page: str) -> str:
    """The address that a page shows once."""
    found = re.search(r'<code class="command" id="secret">([^<]*)</code>', page)
    assert found is not None
    return html.unescape(found[1])


async def test_a_job_is_made_with_the_address_that_it_reports_to(browser: Browser) -> None:
    form = form_of((await browser.get("/targets/new?kind=heartbeat")).text)
    assert {"schedule", "zone", "grace", "max_runtime", "interval"} <= form.sent.keys()
    assert not {"host", "port", "regions"} & form.sent.keys()
    assert form.buttons == ["options", "save"], "there is nothing to check"
    made = await browser.send_form("/targets/new?kind=heartbeat", JOB, do="save")
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    address = address_in(made.text)
    secret = address.removeprefix("http://127.0.0.1/ping/")
    key = browser.status.keys.find(secret, "ping")
    assert key is not None
    assert key.about == "nightly-backup"
    assert "Waiting for its first report" in made.text
    assert f"curl -fsS -m 10 --retry 5 -o /dev/null {address}" in made.text
    assert f"portquorum beat --url http://127.0.0.1 {secret} -- COMMAND" in made.text
    keys = (await browser.get("/targets/nightly-backup/keys")).text
    assert key.id in keys
    assert secret not in keys
    page = (await browser.get("/targets/nightly-backup")).text
    assert 'href="/targets/nightly-backup/keys"' in page
    assert 'href="/targets/nightly-backup/check"' not in page
    edited = await browser.send_form("/targets/nightly-backup/edit", {"grace": "1h"}, do="save")
    assert edited.headers["location"] == "/targets/nightly-backup?done=changed"
    (_, _, _, entry, version) = browser.edits.asked[-1]
    assert (version, entry.grace, entry.schedule) == (1, "1h", "0 3 * * *")


async def test_a_key_of_a_job_is_made_and_revoked(browser: Browser) -> None:
    await browser.send_form("/targets/new?kind=heartbeat", JOB, do="save")
    there = "/targets/nightly-backup/keys"
    old = "5f1c2b1e-8a3d-4a5e-9c59-0d1bfa0c2c11"
    made = await browser.send_form(there, {"name": "db1", "secret": old}, do="add")
    assert address_in(made.text) == f"http://127.0.0.1/ping/{old}"
    again = await browser.send_form(there, {"name": "db2", "secret": old}, do="add")
    assert again.status_code == 409
    assert 'id="f-secret-error"' in again.text
    key = browser.status.keys.find(old, "ping")
    assert key is not None
    asked = await browser.get(f"{there}?revoke={key.id}")
    assert "Revoke the key db1" in asked.text
    revoked = await browser.send_again(asked)
    assert revoked.headers["location"] == f"{there}?done=key-revoked"
    assert browser.status.keys.find(old, "ping") is None
    assert (await browser.get(f"{there}?revoke={key.id}")).status_code == 404
    assert (await browser.get(f"/targets/{TARGET}/keys")).status_code == 404


async def test_keys_of_everything_are_on_one_page(browser: Browser) -> None:
    made = await browser.send_form("/keys", {"name": "cron", "use": "ping"}, do="add")
    assert made.status_code == 200
    assert address_in(made.text).endswith("/TARGET-ID")
    badge = await browser.send_form("/keys", {"use": "badge", "about": TARGET}, do="add")
    assert address_in(badge.text).startswith(f"http://127.0.0.1/badge/{TARGET}/status.svg?key=")
    gone = await browser.send_form("/keys", {"use": "badge", "about": "gone"}, do="add")
    assert gone.status_code == 404
    page = (await browser.get("/keys")).text
    assert "reports of any heartbeat" in page
    for key in browser.status.keys.listed():
        assert key.id in page
        done = await browser.send_again(await browser.get(f"/keys?revoke={key.id}"))
        assert done.headers["location"] == "/keys?done=key-revoked"
    assert "There is no key yet." in (await browser.get("/keys")).text


async def test_who_may_make_which_keys() -> None:
    async with Browser(name="olli", scope="operator", teams=("payments",)) as limited:
        limited.edits.own(limited.fleet.rows[9])
        refused = await limited.send_form("/keys", {"use": "ping"}, do="add")
        assert refused.status_code == 403
        assert "need the right admin" in refused.text
        made = await limited.send_form("/keys", {"use": "badge", "about": TARGET}, do="add")
        assert made.status_code == 200
    async with Browser(name="eve", scope="viewer") as viewer:
        assert (await viewer.get("/keys")).status_code == 403
        assert 'href="/keys"' not in (await viewer.get("/account")).text


async def test_users_are_made_changed_and_removed(browser: Browser) -> None:
    typed = {"name": "noor", "scope": "operator", "password": " a long one "}
    assert (await browser.send_form("/users/new", typed)).status_code == 303
    (_, _, name, wanted, version) = browser.office.asked[-1]
    assert (name, version, wanted.password) == ("noor", 0, " a long one ")
    there = ChangeError(HTTPStatus.PRECONDITION_FAILED, "found version 1", version=1)
    browser.office.refusal = there
    taken = await browser.send_form("/users/new", typed)
    assert taken.status_code == 409
    assert 'id="f-name-error"' in taken.text
    await browser.send_form("/users/mika", {"teams": ""}, do="")
    assert browser.office.asked[-1][3].teams == ()
    asked = await browser.send_form("/users/mika", do="remove")
    assert "Their sessions and tokens end at once" in asked.text
    removed = await browser.send_again(asked, do="removed")
    assert removed.headers["location"] == "/users?done=user-removed"


async def test_the_own_password(browser: Browser) -> None:
    typed = {"old": "x", "new": "a very long one", "again": "another one"}
    wrong = await browser.send_form("/account", typed)
    assert wrong.status_code == 400
    assert "a very long one" not in wrong.text
    done = await browser.send_form("/account", typed | {"again": "a very long one"})
    assert done.headers["location"] == "/account?done=password-changed"


async def test_the_log_says_what_was_changed_in_words(browser: Browser) -> None:
    text = (await browser.get("/audit")).text
    assert "Interval: 60s → 30s" in text
    assert "Host:" not in text
    assert "older ones" in text
    assert "mika" not in (await browser.get("/audit?by=aino")).text.partition("<table")[2]
    assert (await browser.get("/audit?bye=aino")).status_code == 400


async def test_what_was_done_is_a_word_of_ours(browser: Browser) -> None:
    assert DONE["paused"] in (await browser.get("/?done=paused")).text
    text = (await browser.get("/?done=You+have+won")).text
    assert "You have won" not in text
    assert "done=" not in (await browser.get("/targets?done=paused")).text.partition("<main")[2]


async def test_whoever_may_not_sees_no_link_and_is_refused() -> None:
    async with Browser(scope="viewer") as viewer:
        for path in ("/", "/targets", f"/targets/{TARGET}", f"/incidents/{OPEN_INCIDENT}"):
            text = (await viewer.get(path)).text
            for what in ("acknowledge", "silence", "pause", "edit", "bulk", "new"):
                assert not re.search(rf'href="/[^"]*/{what}\b', text), (path, what)
            assert "data-target" not in text
        assert (await viewer.get(f"/targets/{TARGET}/pause")).status_code == 403
        assert (await viewer.get("/users")).status_code == 403


async def test_limits_to_a_team() -> None:
    async with Browser(scope="operator", teams=("other",)) as limited:
        page = (await limited.get(f"/targets/{TARGET}")).text
        assert f"/targets/{TARGET}/pause" not in page
        refused = await limited.get(f"/targets/{TARGET}/pause")
        assert refused.status_code == 403
        assert "You may change targets of other only" in refused.text
        assert (await limited.get("/targets/new")).status_code == 403
    async with Browser(scope="operator", teams=("payments",)) as theirs:
        assert f"/targets/{TARGET}/pause" in (await theirs.get(f"/targets/{TARGET}")).text


async def test_what_is_no_form_is_refused(browser: Browser) -> None:
    here = f"/targets/{TARGET}/pause"
    headers = {"x-csrf-token": token(SESSION)}
    refused = await browser.post(here, json={"for": "1h"}, headers=headers)
    assert refused.status_code == 415
    strange = headers | {"content-type": "application/x-www-form-urlencoded"}
    assert (await browser.post(here, content=b"reason=%ff", headers=strange)).status_code == 400
    assert browser.acts.asked == []


async def test_options_are_asked_for_where_a_kind_needs_some(browser: Browser) -> None:
    assert '<details class="group" id="group-probe">' in (await browser.get("/targets/new")).text
    dns = (await browser.get("/targets/new?kind=dns")).text
    assert '<fieldset class="group g-probe">' in dns
    plain = await browser.send_form("/targets/new", {"host": "a.example.com"}, do="save")
    assert plain.status_code == 303
    assert browser.edits.asked[-1][3] == TargetEntry(host="a.example.com")


async def test_all_that_is_wrong_is_said_at_once(browser: Browser) -> None:
    wrong = await browser.send_form(
        "/targets/new",
        {"host": "db.example.com", "port": "99999", "interval": "often", "timeout": "2h"},
        do="save",
    )
    assert wrong.status_code == 400
    assert all(f'id="f-{one}-error"' in wrong.text for one in ("port", "interval", "timeout"))


async def test_host_and_port_may_be_typed_together(browser: Browser) -> None:
    made = await browser.send_form("/targets/new", {"host": "db.example.com:5432"}, do="save")
    assert made.status_code == 303, made.text
    entry = browser.edits.asked[-1][3]
    assert (entry.host, entry.port) == ("db.example.com", 5432)
    other = {"host": "db.example.com:5432", "port": "22"}
    assert (await browser.send_form("/targets/new", other, do="save")).status_code == 400


async def test_needed_fields_are_marked(browser: Browser) -> None:
    page = (await browser.get(f"/targets/{TARGET}/silence")).text
    assert re.search(r'<label for="f-reason">Why <small class="muted">\(required\)', page)


async def test_a_target_that_is_gone_leads_to_its_incidents(browser: Browser) -> None:
    page = await browser.get("/targets/gone%20for%26ever")
    assert page.status_code == 404
    there = "/incidents?status=all&amp;target=gone%20for%26ever"
    assert f'href="{there}"' in page.text
    assert (await browser.get(html.unescape(there))).status_code == 200
