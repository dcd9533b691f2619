import pytest

from portquorum.status_pages.build import History
from portquorum.web.public.badge_place import BadgePlace, badge_place, takes
from portquorum.web.public.target_badges import TargetBadges
from schemas.web import ShareKey
from tests.unit.portquorum.status_pages.pages import NONCE, NOW, locked, page
from tests.unit.portquorum.status_pages.test_badges import PAST
from tests.unit.portquorum.web.fleet.fleet_story import FleetStory, target
from tests.unit.portquorum.web.public.public_pages import SomePages, built, client
from tests.unit.portquorum.web.public.test_keeper import SomePast

PAGE = "/status/shop/badge"
GATUS = "/api/v1/endpoints"
TARGET_BADGES = (
    *("/badge/web/status.svg", "/badge/web/uptime.svg", "/badge/web/uptime/7d.json"),
    *(f"{GATUS}/web/health/badge.svg", f"{GATUS}/web/uptimes/24h/badge.svg"),
)


def key(secret: str, **fields: object) -> ShareKey:
    values = {
        "version": 1,
        "change": NONCE,
        "at": NOW,
        "by": "anna",
        "id": "0123abcd",
        "name": "badge",
        "use": "badge",
        "secret": "0" * 64,
        "owner": "anna",
        "created_at": NOW,
    }
    del secret
    return ShareKey(**(values | fields))  # type: ignore[arg-type]


def target_badges(**keys: ShareKey) -> TargetBadges:
    story = FleetStory(target("web", team="shop", tags=("prod",)), target("db", team="infra"))
    story.open(target("web", team="shop", tags=("prod",)))
    from portquorum.web.public.sight import FleetSight

    return TargetBadges(
        story.fleet, lambda: FleetSight(story.fleet), SomePast(), keys.get, now=lambda: NOW
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{PAGE}/status.svg", "Example Shop: operational"),
        (f"{PAGE}/web/status.svg", "Web: operational"),
        (f"{PAGE}/web/status.json", '"message":"operational"'),
        (f"{PAGE}/web/uptime.svg", "uptime 30d: 99.5%"),
        (f"{PAGE}/web/uptime/24h.svg", "uptime 24h: 99%"),
        (f"{PAGE}/web/response/7d.json", '"message":"20\u00a0ms"'),
        (f"{GATUS}/shop_web/health/badge.svg", "Web: operational"),
        (f"{GATUS}/shop_web/health/badge.shields", '"schemaVersion":1'),
        (f"{GATUS}/shop_web/uptimes/7d/badge.svg", "uptime 7d: 99.5%"),
        (f"{GATUS}/shop_web/response-times/90d/badge.svg", "response 90d: 1.5\u00a0s"),
    ],
)
async def test_components_of_a_public_page_have_badges(path: str, text: str) -> None:
    one = built(page(show_response_times=True), history=History(NOW, {"web": PAST}))

    async with client(SomePages(one)) as asking:
        answer = await asking.get(path)

    assert answer.status_code == 200
    assert text in answer.text
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    kind = "image/svg+xml" if path.endswith("svg") else "application/json"
    assert answer.headers["content-type"] == kind


@pytest.mark.parametrize(
    "path",
    [
        *(f"{PAGE}/web/status.png", f"{PAGE}/web/uptime/1h.svg", f"{PAGE}/gone/status.svg"),
        *(f"{PAGE}/web/response/7d.svg", f"{PAGE}/web/x.svg", f"{PAGE}/uptime.svg", PAGE),
        *(f"{PAGE}/web/status/7d.svg", f"{GATUS}/shop_gone/health/badge.svg", "/badge/x"),
        *(f"{GATUS}/other_web/health/badge.svg", f"{GATUS}/shop/health/badge.svg", "/badge/"),
    ],
)
async def test_other_badges_are_not_there(path: str) -> None:
    async with client(SomePages(built())) as asking:
        answer = await asking.get(path)

    assert (answer.status_code, answer.text) == (404, "not found\n")


async def test_a_locked_page_has_no_badges_for_strangers() -> None:
    async with client(SomePages(built(locked("x")))) as asking:
        found = [
            (await asking.get(one)).status_code
            for one in (f"{PAGE}/web/status.svg", f"{GATUS}/shop_web/health/badge.svg")
        ]

    assert found == [404, 404]


@pytest.mark.parametrize("path", TARGET_BADGES)
async def test_badges_of_targets_need_a_key_or_somebody_who_is_known(path: str) -> None:
    keys = {
        "mine": key("mine", about="web"),
        "other": key("other", about="db"),
        "team": key("team", teams=("shop",)),
        "infra": key("infra", teams=("infra",)),
        "tag": key("tag", tags=("prod",)),
        "all": key("all"),
    }
    badges = target_badges(**keys)
    asked = ("", "?key=", "?key=x", "?key=mine&key=all", *(f"?key={one}" for one in keys))

    async with client(SomePages(built()), badges=badges) as asking:
        answers = {one: await asking.get(path + one) for one in asked}
        missing = await asking.get(path.replace("web", "gone") + "?key=all")
    async with client(SomePages(built()), badges=badges, is_known=lambda _scope: True) as asking:
        known = await asking.get(path)

    good = {one for one, answer in answers.items() if answer.status_code == 200}
    assert good == {"?key=mine", "?key=team", "?key=tag", "?key=all"}
    refused = {(one.status_code, one.text) for name, one in answers.items() if name not in good}
    assert refused == {(404, "not found\n")}
    assert (missing.status_code, missing.text) == (404, "not found\n")
    assert known.status_code == 200
    assert known.headers["cache-control"] == "private, max-age=30"
    assert "web" not in known.text.replace("www", "")


async def test_a_badge_of_a_target_says_how_it_is() -> None:
    badges = target_badges(all=key("all"))

    async with client(SomePages(), badges=badges) as asking:
        down = await asking.get("/badge/web/status.json?key=all")
        up = await asking.get("/badge/db/status.json?key=all")
        response = await asking.get("/badge/db/response/30d.json?key=all")

    assert down.json()["message"] == "major outage"
    assert up.json()["message"] == "operational"
    assert response.json()["message"] == "3\u00a0ms"


def test_the_receiver_keeps_its_addresses() -> None:
    assert not takes(f"{GATUS}/shop_web/external")
    assert not takes("/api/v1/targets")
    assert badge_place(f"{GATUS}/a_b_c/health/badge.svg") == BadgePlace(
        "a_b_c", "status", "30d", "svg", "a", "b_c"
    )
