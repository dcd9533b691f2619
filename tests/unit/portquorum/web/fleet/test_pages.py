"""Pages of targets while the fleet changes, facets, and counts that are never counted again."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from portquorum.web.answers import STATES, TargetQuery, TargetRow, TargetSort
from portquorum.web.fleet import CursorError, TooManyTargetsError
from portquorum.web.fleet import fleet as fleet_module
from portquorum.web.fleet.incident_book import IncidentBook
from schemas.incident import IncidentType
from schemas.target import Target
from tests.unit.portquorum.web.fleet.fleet_story import NOW, FleetStory, partition_of, target

SORTS: tuple[TargetSort, ...] = (
    "state",
    "-state",
    "name",
    "-name",
    "host",
    "-host",
    "team",
    "-team",
    "since",
    "-since",
)
TYPES: tuple[IncidentType, ...] = ("unreachable", "slow", "flapping", "expiring")
NAMES = [f"t{number:02d}" for number in range(24)]
CHANGES = st.tuples(
    st.sampled_from(["open", "close", "remove", "set", "rename", "unwatch", "window", "say"]),
    st.sampled_from(NAMES),
    st.integers(0, 9),
)


def made(name: str, number: int = 0) -> Target:
    return target(
        name,
        name=f"{'AbC'[number % 3]} {name[:2]}",
        host=f"h{number % 4}.example.com",
        port=number + 1,
        team=("web", "db", None)[number % 3],
        tags=("prod", "x") if number % 2 else (),
        kind=("tcp", "ssh")[number % 2],
        regions=(("ams",), ("ams", "fra", "nyc"))[number % 2],
        version=NOW - 86_400_000 + number,
    )


def story_of(names: list[str]) -> FleetStory:
    return FleetStory(*(made(name, place) for place, name in enumerate(names)))


def apply(story: FleetStory, change: tuple[str, str, int]) -> None:
    """One change of a target (`unwatch` and `window` touch others, too)."""
    what, name, number = change
    record = story.fleet.inventory.get(name)
    one = made(name, number) if record is None else record.definition()
    opened = [kept.event for kept in story.fleet.incident_book.of_target(name)]
    match what:
        case "open":
            story.open(one, TYPES[number % 4], expires_at=NOW if number % 4 == 3 else 0)
        case "close" if opened:
            story.follow(opened[0], ("closed", "improved", "updated")[number % 3])
        case "remove":
            story.remove(one)
        case "set":
            story.remove(one)
            story.set(made(name, number))
        case "rename":
            story.set(structs.replace(one, name=f"{number} renamed"))
        case "unwatch":
            story.unwatched(partition_of(one), number % 2, "ams", "fra")
        case "window":
            story.maintain(f"w{number}", name, "tag:x", begins=story.now, lasts=1 + number * 1_000)
            story.later(number * 500)
        case "say":
            words = ("up", "unwatched", "pending", "down", "failing")
            story.say([(one, words[number % 5])], is_resolved=True)


def rows(story: FleetStory, query: TargetQuery) -> list[TargetRow]:
    """All pages of a query."""
    found: list[TargetRow] = []
    for _ in range(100):
        page = story.fleet.targets(query)
        found += page.rows
        if not page.next_cursor:
            return found
        query = structs.replace(query, cursor=page.next_cursor)
    raise AssertionError("the pages have no end")


@given(st.lists(CHANGES, max_size=25))
def test_what_is_kept_with_each_change_is_what_a_recount_gives(
    changes: list[tuple[str, str, int]],
) -> None:
    story = story_of(NAMES[:12])
    for change in changes:
        apply(story, change)
        fleet = story.fleet
        counts = fleet.counts()
        assert not fleet._settle_all(fleet.inventory.row_of.values()), "a state was not up to date"
        everything = rows(story, TargetQuery(limit=1000))
        counted = Counter(row.state for row in everything)
        assert {
            state: getattr(counts, state) for state in STATES if getattr(counts, state)
        } == dict(counted)
        assert counts.total == len(everything) == len(fleet.inventory)
        assert counts.expiring == sum(row.is_expiring for row in everything)
        book: IncidentBook = fleet.incident_book
        assert book.unacknowledged == sum(
            kept.event.acknowledged_by is None for kept in book.open.values()
        )
        assert fleet._rate == pytest.approx(
            sum(len(row.regions) / 60 for row in everything), abs=1e-6
        )
        groups = fleet.groups().groups
        assert sum(one.counts.total for one in groups) == counts.total
        assert sum(one.counts.down for one in groups) == counts.down
        assert fleet.inventory.by_name() == sorted(
            fleet.inventory.row_of.values(), key=fleet.inventory.name_key
        )
        assert fleet.overview() == structs.replace(
            fleet._overview("team", fleet.freshness()), version=fleet.version
        )


@given(
    st.sampled_from(SORTS),
    st.integers(1, 5),
    st.lists(st.lists(CHANGES.filter(lambda one: one[0] not in {"unwatch", "window"}), max_size=3)),
)
def test_a_target_that_nobody_touches_is_on_exactly_one_page(
    sort: TargetSort, limit: int, between: list[list[tuple[str, str, int]]]
) -> None:
    story = story_of(NAMES)
    for number, name in enumerate(NAMES[::3]):
        apply(story, ("open", name, number % 4))
    touched = {name for changes in between for _, name, _ in changes}
    query = TargetQuery(sort=sort, limit=limit)
    seen: list[str] = []
    for turn in range(100):
        page = story.fleet.targets(query)
        seen += [row.id for row in page.rows]
        if not page.next_cursor:
            break
        query = structs.replace(query, cursor=page.next_cursor)
        for change in between[turn] if turn < len(between) else ():
            apply(story, change)
    else:
        raise AssertionError("the pages have no end")
    counted = Counter(seen)
    assert {name: counted[name] for name in NAMES if name not in touched} == dict.fromkeys(
        (name for name in NAMES if name not in touched), 1
    )


KEYS: dict[str, Callable[[TargetRow], tuple[object, ...]]] = {
    "name": lambda row: (row.name.lower(), row.id),
    "state": lambda row: (STATES.index(row.state), row.name.lower(), row.id),
    "host": lambda row: (row.host, row.port, row.name.lower(), row.id),
    "team": lambda row: (row.team or "", row.name.lower(), row.id),
    "since": lambda row: (row.since is None, -(row.since or 0), row.name.lower(), row.id),
}


@given(st.sampled_from(SORTS), st.lists(CHANGES, max_size=20), st.integers(1, 30))
def test_pages_are_in_their_order(
    sort: TargetSort, changes: list[tuple[str, str, int]], limit: int
) -> None:
    story = story_of(NAMES)
    for change in changes:
        apply(story, change)
    found = rows(story, TargetQuery(sort=sort, limit=limit))
    expected = sorted(found, key=KEYS[sort.lstrip("-")], reverse=sort.startswith("-"))
    assert [row.id for row in found] == [row.id for row in expected]


QUERIES = st.builds(
    TargetQuery,
    q=st.sampled_from(["", "h1", "a", "PROD", "h2.example.com:3", "nothing", "web h1"]),
    states=st.lists(st.sampled_from([*STATES, "expiring", "nonsense"]), max_size=2).map(tuple),
    teams=st.lists(st.sampled_from(["web", "db", "", "none"]), max_size=2).map(tuple),
    tags=st.lists(st.sampled_from(["prod", "x", "y"]), max_size=2).map(tuple),
    regions=st.lists(st.sampled_from(["ams", "fra"]), max_size=1).map(tuple),
    hosts=st.lists(st.sampled_from(["h1.example.com", "nowhere"]), max_size=1).map(tuple),
    limit=st.just(1000),
)


def fits(row: TargetRow, query: TargetQuery, *, but: str = "") -> bool:
    text = "\n".join((row.name, row.id, row.place, row.team or "", *row.tags)).lower()
    states = {row.state, *(["expiring"] if row.is_expiring else [])}
    return (
        all(word in text for word in query.q.lower().split())
        and (but == "state" or not query.states or bool(states & set(query.states)))
        and (but == "team" or not query.teams or (row.team or "") in query.teams)
        and (but == "tag" or not query.tags or bool(set(row.tags) & set(query.tags)))
        and (but == "region" or not query.regions or bool(set(row.regions) & set(query.regions)))
        and (not query.hosts or row.host in query.hosts)
    )


@given(QUERIES, st.lists(CHANGES, max_size=15))
def test_a_query_finds_what_fits_and_facets_tell_what_a_choice_would_leave(
    query: TargetQuery, changes: list[tuple[str, str, int]]
) -> None:
    story = story_of(NAMES)
    story.fleet.targets(query)  # what is remembered of it must not outlive a change
    for change in changes:
        apply(story, change)
    everything = rows(story, TargetQuery(limit=1000))
    page = story.fleet.targets(query)
    wanted = {row.id for row in everything if fits(row, query)}
    assert {row.id for row in page.rows} == wanted
    assert page.total == page.counts.total == len(wanted)
    assert page.counts.down == sum(row.state == "down" for row in page.rows)
    values: dict[str, Callable[[TargetRow], tuple[str, ...]]] = {
        "team": lambda row: (row.team or "",),
        "tag": lambda row: row.tags,
        "region": lambda row: row.regions,
        "kind": lambda row: (row.kind,),
        "state": lambda row: (row.state, *(["expiring"] if row.is_expiring else [])),
    }
    for dimension, of in values.items():
        counted = Counter(
            value for row in everything if fits(row, query, but=dimension) for value in of(row)
        )
        shown = {
            facet.value: facet.targets
            for facet in page.facets[dimension]
            if facet.targets and facet.value != "failing"
        }
        assert shown == dict(counted)


def test_a_cause_chooses_its_targets() -> None:
    story = story_of(NAMES[:8])
    for name in NAMES[:8:4]:
        story.open(made(name, NAMES.index(name)))
    (cause,) = story.fleet.overview().causes
    page = story.fleet.targets(TargetQuery(cause=cause.key))
    assert {row.id for row in page.rows} == {"t00", "t04"}
    assert story.fleet.targets(TargetQuery(cause="host/gone")).total == 0


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "WyJuYW1lIiwxLCJhIiwiYiJd", "A" * 9_999])
def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError):
        story_of(NAMES).fleet.targets(TargetQuery(sort="state", cursor=cursor))


@given(
    st.sampled_from(SORTS),
    st.one_of(st.none(), st.integers(-(2**70), 2**70), st.text(max_size=5)),
    st.text(max_size=5),
)
def test_a_forged_cursor_is_a_page_or_refused(
    sort: TargetSort, first: int | str | None, name: str
) -> None:
    from portquorum.web.fleet.cursor import Cursor

    story = story_of(NAMES)
    story.open(made("t01", 1))
    try:
        text = Cursor(sort, first, name, "t05").encode()
        story.fleet.targets(TargetQuery(sort=sort, cursor=text))
    except (CursorError, OverflowError):
        pass


@given(
    st.binary(max_size=60),
    st.one_of(st.none(), st.binary(max_size=200)),
    st.sampled_from(["target", "policy", "open", "event"]),
)
def test_no_record_harms(key: bytes, value: bytes | None, topic: str) -> None:
    story = story_of(NAMES[:3])
    match topic:
        case "target":
            assert not story.fleet.apply_target(key, value, 0, 1)
        case "policy":
            story.fleet.apply_policy(key, value, 1)
        case "open":
            assert not story.fleet.apply_open(key, value)
        case _:
            assert story.fleet.apply_event(0, 1, value) is None
    assert story.fleet.overview().counts.total == 3


def test_all_ids_of_a_query_whatever_its_page_and_order(monkeypatch: pytest.MonkeyPatch) -> None:
    story = story_of(NAMES)
    asked = TargetQuery(teams=("web",), sort="-since", limit=2, facets=False)
    wanted = sorted(row.id for row in story.fleet.targets(structs.replace(asked, limit=99)).rows)
    assert list(story.fleet.ids(asked)) == wanted
    assert story.fleet.ids(TargetQuery(q="nobody")) == ()
    monkeypatch.setattr(fleet_module, "MOST_IDS", len(wanted) - 1)
    with pytest.raises(TooManyTargetsError, match=f"at most 7 targets, found {len(wanted)}"):
        story.fleet.ids(asked)
