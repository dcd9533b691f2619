"""The one order of upgrades, by the members that the groups show."""

from itertools import permutations, product

import pytest

from foundation import upgrade_order
from foundation.upgrade_order import NOUNS, ROLES, SILENT, Member, Role, client_id, member, refusal

OLD, NEW = "0.7.3", "0.8.0"


def running(role: Role, version: str | None, region: str = "", host: str = "10.0.0.7") -> Member:
    return Member(role, version, host, region or ("eu" if role == "probe" else ""))


def region_of(role: Role) -> str:
    return "eu" if role == "probe" else ""


def begins(role: Role, version: str, fleet: dict[Role, str | None]) -> bool:
    beside = [running(other, found) for other, found in fleet.items()]
    return refusal(role, version, beside, region_of(role)) is None


@pytest.mark.parametrize("before", [OLD, None])
def test_of_all_orders_of_an_upgrade_one_is_let_through(before: str | None) -> None:
    def held(order: tuple[Role, ...]) -> bool:
        fleet: dict[Role, str | None] = dict.fromkeys(ROLES, before)
        for role in order:
            if not begins(role, NEW, fleet):
                return False
            fleet[role] = NEW
        return True

    assert [order for order in permutations(ROLES) if held(order)] == [ROLES]


def test_the_way_back_is_the_reverse_with_all_of_a_role_ended_first() -> None:
    def held(order: tuple[Role, ...]) -> bool:
        fleet: dict[Role, str | None] = dict.fromkeys(ROLES, NEW)
        for role in order:
            assert not begins(role, OLD, fleet)  # while newer ones of it run
            del fleet[role]
            if not begins(role, OLD, fleet):
                return False
            fleet[role] = OLD
        return True

    assert [order for order in permutations(ROLES) if held(order)] == [tuple(reversed(ROLES))]


def test_what_stopped_for_an_upgrade_may_come_back_as_it_was_at_each_step() -> None:
    """A crash in the middle of an upgrade must not become an outage."""
    for done in range(len(ROLES)):
        fleet: dict[Role, str | None] = {
            role: NEW if place < done else OLD for place, role in enumerate(ROLES)
        }
        for role in ROLES[done:]:
            assert begins(role, OLD, {k: v for k, v in fleet.items() if k != role})


def test_whoever_begins_leaves_readers_that_are_not_older_than_writers() -> None:
    versions = (None, "0.7.0", "0.8.1", "0.10.0")
    for found in product(versions, repeat=4):
        fleet = dict(zip(ROLES, found, strict=True))
        ranks = [running(role, version).series for role, version in fleet.items()]
        sound = ranks == sorted(ranks, reverse=True)
        each = [
            refusal(role, fleet[role] or "0.1.0", [running(k, v) for k, v in fleet.items()], "eu")
            for role in ROLES
        ]
        assert sound == (each == [None] * 4), fleet


def test_patches_of_one_series_are_mixed_at_will() -> None:
    fleet: dict[Role, str | None] = dict.fromkeys(ROLES, "0.8.2")
    assert all(begins(role, own, fleet) for role in ROLES for own in ("0.8.0", "0.8.9", "0.8.3rc1"))


def test_probers_of_other_regions_may_be_newer() -> None:
    beside = [running("probe", NEW, "us")]
    assert refusal("probe", OLD, beside, "eu") is None
    assert refusal("probe", OLD, beside, "us") is not None


OLDER_READERS = (
    "a stream of 0.8.0 does not start beside 2 sinks of 0.7.3, an older version (one at 10.0.0.7), "
    "which can't read all that it writes: upgrade the sinks first, the order is sink, notifier, "
    "stream, prober (docs/operations.md#upgrade)"
)
NEWER_WRITERS = (
    "a sink of 0.7.3 does not start beside a stream of 0.8.0 (at 10.0.0.7), of which it can't read "
    "everything: start that version here, or, to go back, end the streams first "
    "(docs/operations.md#upgrade)"
)
NEWER_OF_ITS_KIND = (
    "a prober of 0.7.3 does not start beside a prober of 0.8.0 (at 10.0.0.7 in eu), whose work it "
    "can't take over: start that version here, or, to go back, end all of them first "
    "(docs/operations.md#upgrade)"
)


@pytest.mark.parametrize(
    ("role", "own", "beside", "sentence"),
    [
        (
            "stream",
            NEW,
            [running("notify", None), running("sink", OLD), running("sink", None, host="10.0.0.9")],
            OLDER_READERS,
        ),
        ("sink", OLD, [running("probe", NEW), running("stream", NEW)], NEWER_WRITERS),
        ("probe", OLD, [running("probe", NEW)], NEWER_OF_ITS_KIND),
    ],
)
def test_it_is_said_in_a_sentence_what_to_do_first(
    role: Role, own: str, beside: list[Member], sentence: str
) -> None:
    assert refusal(role, own, beside, region_of(role)) == sentence


def test_the_way_back_ends_the_last_of_the_order_first() -> None:
    """Ended from the sink's side the way back would stop at the next newer role."""
    beside = [running("notify", NEW), running("probe", NEW), running("stream", NEW)]
    said = refusal("sink", OLD, beside)
    assert said is not None
    assert "a notifier of 0.8.0" in said


def test_a_member_announces_its_version_by_its_client_id() -> None:
    for role in ROLES:
        found = member(role, client_id(role), "10.0.0.7", region_of(role))
        assert found == Member(role, upgrade_order.own_version(), "10.0.0.7", region_of(role))


@pytest.mark.parametrize(
    ("client", "version"),
    [
        ("aiokafka-0.14.0", None),
        ("faust-0.15.3", None),
        ("portquorum-stream-0.8.0", "0.8.0"),
        ("portquorum-stream-12.0.0.dev4+g1.2", "12.0.0.dev4+g1.2"),
    ],
)
def test_a_member_without_an_announcement_is_one_of_before(
    client: str, version: str | None
) -> None:
    found = member("stream", client, "10.0.0.7")
    assert found is not None
    assert found.version == version
    assert (found.series == SILENT) == (version is None)


@pytest.mark.parametrize(
    "client",
    [
        "",
        "rdkafka",
        "kafka-console-consumer",
        "portquorum-stream-",
        "portquorum-stream-0",
        "portquorum-sink-0.8.0",  # in the stream's group
        "portquorum-stream-0.8.0\nupgrade",
        "portquorum-stream-\u0660.\u0668.\u0660",
        "portquorum-stream-0.8." + "1" * 60,
        "portquorum-stream-9999999.0.0",
    ],
)
def test_what_others_call_themselves_stops_nobody(client: str) -> None:
    assert member("stream", client, "10.0.0.7") is None


def test_groups_of_another_installation_are_left_out() -> None:
    prefix = "portquorum-"
    named = {upgrade_order.role_of(f"{prefix}{role}", prefix) for role in ROLES if role != "probe"}
    assert named == {(role, "") for role in ROLES if role != "probe"}
    assert upgrade_order.role_of("portquorum-probe-eu-west", prefix) == ("probe", "eu-west")
    for other in ("portquorum-", "portquorum-b-sink", "b-sink", "portquorum-probe", "sink"):
        assert upgrade_order.role_of(other, prefix) is None


def test_every_role_has_its_noun() -> None:
    assert set(NOUNS) == set(ROLES)
