from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from producers.schedule.schedule import Agenda, Slots, phase_ms, shift_ms, slots, spread_ms

INTERVALS = st.integers(1000, 86_400_000)


def test_a_phase_is_the_same_in_every_process() -> None:
    assert phase_ms("prod-db", 30_000) == 11_312


def test_phases_are_flat() -> None:
    seconds = Counter(phase_ms(f"target-{n}", 60_000) // 1000 for n in range(60_000))
    assert len(seconds) == 60
    assert max(seconds.values()) < 1.25 * 1000
    assert min(seconds.values()) > 0.75 * 1000


def test_regions_divide_the_interval() -> None:
    regions = ("us", "eu", "ap")
    assert [shift_ms(regions, region, 30_000) for region in ("ap", "eu", "us")] == [
        0,
        10_000,
        20_000,
    ]
    assert shift_ms(regions, "elsewhere", 30_000) == 0


TIMES = st.integers(0, 4_000_000_000_000)


@given(TIMES, INTERVALS, st.integers(0, 200_000_000), st.integers(0, 2**64 - 1))
def test_the_next_slot_is_the_first_one_after(
    after: int, interval: int, phase: int, seed: int
) -> None:
    known = Slots(interval, phase, seed)
    slot = known.after(after)
    assert after < slot
    assert known.after(slot - 1) == slot
    following = known.after(slot)
    assert 0.8 * interval - 2 <= following - slot <= 1.2 * interval + 2
    # From whenever a prober asks, there is nothing between the two.
    assert known.after((slot + following) / 2) == following
    # Each round has its slot, none is left out.
    middle = round((slot - phase) / interval) * interval + phase
    assert abs(slot - middle) <= interval / 10
    assert round((following - phase) / interval) - round((slot - phase) / interval) == 1


def test_slots_are_the_same_in_every_process() -> None:
    known = slots("prod-db", ("eu", "us"), "us", 30_000)
    assert (known.interval_ms, known.phase) == (30_000, 11_312 + 15_000)
    found = [known.after(1_800_000_000_000)]
    for _ in range(4):
        found.append(known.after(found[-1]))
    assert found == [
        1_800_000_026_601,
        1_800_000_057_760,
        1_800_000_084_128,
        1_800_000_118_778,
        1_800_000_148_674,
    ]


def test_shifts_are_flat_and_differ_from_region_to_region() -> None:
    regions = ("ap", "eu", "us")
    each = []
    for region in regions:
        known = slots("prod-db", regions, region, 60_000)
        at, shifts = known.after(0), []
        for _ in range(12_000):
            shifts.append((at - known.phase + 30_000) % 60_000 - 30_000)
            at = known.after(at)
        each.append(shifts)
        tenths = Counter((shift + 6_000) * 10 // 12_001 for shift in shifts)
        assert sorted(tenths) == list(range(10))
        assert 1_000 < min(tenths.values()) <= max(tenths.values()) < 1_400
    same = sum(one == other for one, other in zip(each[0], each[1], strict=True))
    assert same < 12


def test_checks_that_are_seldom_come_exactly_on_time() -> None:
    """An hour without a check counts as not measured."""
    for interval, most_apart in ((3_000_000, 3_600_000), (3_000_001, 3_000_001)):
        known = slots("prod-db", ("eu",), "eu", interval)
        at = known.after(0)
        for _ in range(500):
            following = known.after(at)
            assert following - at <= most_apart
            at = following


def test_an_outage_of_a_fixed_period_is_seen_by_every_target() -> None:
    """10 s up, 10 s down: a third of a minute is a whole period."""
    regions = ("ap", "eu", "us")
    for number in range(100):
        seen = []
        for region in regions:
            known = slots(f"target-{number}", regions, region, 60_000)
            at = known.after(1_800_000_000_000)
            while at < 1_800_000_000_000 + 7_200_000:
                seen.append(at % 20_000 >= 10_000)
                at = known.after(at)
        assert 0 < sum(seen) < len(seen)


@given(st.integers(1, 200_000), INTERVALS, st.data())
def test_new_targets_are_spread_within_their_interval(
    count: int, interval: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, count - 1))
    wait = spread_ms(place, count, interval)
    assert 0 <= wait < interval
    if count <= 2000:
        assert wait < 1000


STEPS = st.tuples(
    st.sampled_from(["put", "hasten", "remove"]), st.sampled_from("abcdef"), st.integers(0, 100)
)


@given(st.lists(STEPS))
def test_an_agenda_gives_each_key_once_in_order(steps: list[tuple[str, str, int]]) -> None:
    agenda, model = Agenda(), dict[str, int]()
    for step, key, due in steps:
        if step == "remove":
            agenda.remove(key)
            model.pop(key, None)
        elif step == "put":
            agenda.put(key, due)
            model[key] = due
        else:
            agenda.hasten(key, due)
            model[key] = min(due, model.get(key, due))
    assert len(agenda) == len(model)
    assert agenda.next_due_ms() == min(model.values(), default=None)
    got = []
    while (found := agenda.pop(50)) is not None:
        got.append(found)
    assert dict(got) == {key: due for key, due in model.items() if due <= 50}
    assert [due for _, due in got] == sorted(due for _, due in got)


def test_an_agenda_does_not_keep_what_was_replaced() -> None:
    agenda = Agenda()
    for n in range(10_000):
        agenda.put("one", n)
    assert len(agenda._heap) < 200
