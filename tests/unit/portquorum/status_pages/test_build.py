from msgspec.structs import replace

from portquorum.status_pages.build import History, build, is_same
from portquorum.status_pages.model import Day, Past
from schemas.web import StatusGroup
from tests.unit.portquorum.status_pages.pages import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SomeSight,
    component,
    locked,
    page,
    post,
)

UP = SomeSight({"web": "up", "mail": "up"})


def states(snapshot: object) -> dict[str, str]:
    return {one.id: one.state for one in snapshot.components()}  # type: ignore[attr-defined]


def test_the_states_are_those_of_the_targets() -> None:
    sight = SomeSight({"web": "down", "mail": "up"})

    found = build(page(), [], sight, None, seen_at=NOW, now=NOW)

    assert states(found) == {"web": "major_outage", "mail": "operational"}
    assert found.state == "partial_outage"
    assert found.seen_at == NOW
    assert found.component("web").since == NOW - MINUTE  # type: ignore[union-attr]


def test_a_post_makes_a_component_worse_and_never_better() -> None:
    sight = SomeSight({"web": "up", "mail": "down"})
    posts = [post(components=("shop/web", "shop/mail", "other/web", "shop/gone"), impact="minor")]

    found = build(page(), posts, sight, None, seen_at=NOW, now=NOW)

    assert states(found) == {"web": "degraded", "mail": "major_outage"}
    assert found.posts[0].components == ("web", "mail")


def test_a_post_that_is_resolved_says_nothing_of_now() -> None:
    over = post((NOW - HOUR, "investigating", "a"), (NOW - MINUTE, "resolved", "b"))

    assert build(page(), [over], UP, None, seen_at=NOW, now=NOW).state == "operational"


def test_a_post_about_no_component_is_about_the_page() -> None:
    found = build(page(), [post(components=())], UP, None, seen_at=NOW, now=NOW)

    assert found.state == "partial_outage"
    assert set(states(found).values()) == {"operational"}


def test_posts_of_other_pages_removed_ones_and_old_ones_are_not_there() -> None:
    old = post((NOW - 500 * DAY, "resolved", "x"), starts_at=NOW - 500 * DAY)
    posts = [post(pages=("other",)), post(removed=True), old]

    assert build(page(), posts, UP, None, seen_at=NOW, now=NOW).posts == ()


def test_planned_work_counts_while_it_is_on() -> None:
    work = post(
        (NOW - HOUR, "scheduled", "x"),
        sort="maintenance",
        impact="maintenance",
        starts_at=NOW + HOUR,
        ends_at=NOW + 2 * HOUR,
    )
    before = build(page(), [work], UP, None, seen_at=NOW, now=NOW)
    during = build(page(), [work], UP, None, seen_at=NOW, now=NOW + HOUR)
    after = build(page(), [work], UP, None, seen_at=NOW, now=NOW + 2 * HOUR)

    assert [one.state for one in (before, during, after)] == [
        "operational",
        "maintenance",
        "operational",
    ]


def test_windows_are_told_by_time_and_component_alone() -> None:
    windows = {"web": [(NOW + HOUR, NOW + 2 * HOUR)], "mail": [(NOW + HOUR, NOW + 2 * HOUR)]}
    sight = SomeSight({"web": "up", "mail": "up"}, windows)

    (window,) = build(page(), [], sight, None, seen_at=NOW, now=NOW).windows

    assert (window.begins_at, window.ends_at) == (NOW + HOUR, NOW + 2 * HOUR)
    assert window.components == ("web", "mail")


def test_while_nothing_is_seen_the_states_stay_and_posts_still_come() -> None:
    before = build(page(), [], SomeSight({"web": "down"}), None, seen_at=NOW, now=NOW)

    found = build(
        page(),
        [post(components=("shop/mail",))],
        None,
        None,
        seen_at=None,
        before=before,
        now=NOW + HOUR,
    )

    assert states(found) == {"web": "major_outage", "mail": "partial_outage"}
    assert found.seen_at == NOW
    assert build(page(), [], None, None, seen_at=None, now=NOW).seen_at is None


def test_the_history_stays_while_it_cannot_be_asked() -> None:
    past = Past(days=(Day(100, 1),))
    before = build(page(), [], UP, History(NOW, {"web": past}), seen_at=NOW, now=NOW)

    found = build(page(), [], UP, None, seen_at=NOW, before=before, now=NOW + HOUR)

    assert found.component("web").past is past  # type: ignore[union-attr]
    assert found.history_at == NOW


def test_what_shows_the_same_is_known_as_the_same() -> None:
    before = build(page(), [], UP, None, seen_at=NOW, now=NOW)
    again = build(page(), [], UP, None, seen_at=NOW + 1, before=before, now=NOW + 1)
    other = build(page(), [], SomeSight({"web": "down"}), None, seen_at=NOW, before=before, now=NOW)
    moved = build(
        page(groups=(StatusGroup(name="A", components=(component("web"), component("mail"))),)),
        [],
        UP,
        None,
        seen_at=NOW,
        before=before,
        now=NOW,
    )

    assert is_same(again, before)
    assert not is_same(other, before)
    assert not is_same(moved, before)
    assert not is_same(replace(again, title="x"), before)


def test_a_locked_page_says_so_and_changes_with_its_password() -> None:
    one = build(locked("x"), [], UP, None, seen_at=NOW, now=NOW)
    two = build(locked("y"), [], UP, None, seen_at=NOW, now=NOW)

    assert one.access == "locked"
    assert one.lock
    assert one.lock != two.lock
    assert (
        build(replace(locked("x"), access="public"), [], UP, None, seen_at=NOW, now=NOW).lock == ""
    )
