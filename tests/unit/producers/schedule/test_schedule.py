from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from producers.schedule.schedule import Agenda, next_slot, phase_ms, shift_ms, spread_ms

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


@given(st.integers(0, 4_000_000_000_000), INTERVALS, st.integers(0, 200_000_000))
def test_the_next_slot_is_the_first_one_after(after: int, interval: int, phase: int) -> None:
    slot = next_slot(after, interval, phase)
    assert after < slot <= after + interval
    assert (slot - phase) % interval == 0


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
