"""Which targets a prober leaves alone, and until when."""

from hypothesis import given
from hypothesis import strategies as st

from producers.schedule.pauses import Pauses

IDS = ("db", "ssh", "web")
ENDS = st.none() | st.integers(0, 20)


def test_one_ends_at_its_time_and_is_told_once() -> None:
    pauses = Pauses()
    assert pauses.pause("db", 10) == ("db",)
    assert pauses.pause("ssh", None) == ("ssh",)
    assert pauses.end_due(9) == ()
    assert (pauses.holds("db", 9), pauses.holds("db", 10)) == (True, False)
    assert pauses.end_due(10) == ("db",)
    assert pauses.end_due(99) == ()
    assert pauses.holds("ssh", 10**15)


def test_a_later_pause_replaces_the_end_of_the_earlier_one() -> None:
    pauses = Pauses()
    pauses.pause("db", 10)
    assert pauses.pause("db", 20) == ("db",)
    assert pauses.pause("db", 20) == ()
    assert pauses.end_due(10) == ()
    assert pauses.end_due(20) == ("db",)


@given(
    steps=st.lists(
        st.tuples(st.just("pause"), st.sampled_from(IDS), ENDS)
        | st.tuples(st.just("resume"), st.sampled_from(IDS), st.none())
        | st.tuples(st.just("replace"), st.dictionaries(st.sampled_from(IDS), ENDS), st.none())
        | st.tuples(st.just("wait"), st.integers(0, 5), st.none())
    )
)
def test_who_hears_of_each_change_knows_who_is_paused(
    steps: list[tuple[str, str | dict[str, int | None] | int, int | None]],
) -> None:
    pauses, expected, now = Pauses(), dict[str, int | None](), 0
    known: dict[str, bool] = dict.fromkeys(IDS, False)
    for what, which, until in steps:
        changed: tuple[str, ...] = ()
        if isinstance(which, dict):
            expected, changed = dict(which), pauses.replace(which)
        elif isinstance(which, int):
            now += which
        elif what == "pause":
            expected[which], changed = until, pauses.pause(which, until)
        else:
            expected.pop(which, None)
            changed = pauses.resume(which)
        for name in (*changed, *pauses.end_due(now)):
            known[name] = pauses.holds(name, now)
        assert known == {
            name: name in expected and ((end := expected[name]) is None or end > now)
            for name in IDS
        }
