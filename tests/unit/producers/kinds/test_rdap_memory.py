"""What a prober remembers of RDAP servers, and for how long."""

from producers.kinds.rdap import Registration
from producers.kinds.rdap_memory import (
    HELD_S,
    KNOWN_S,
    LIST_AGAIN_S,
    LIST_S,
    LONGEST_HELD_S,
    UNKNOWN_S,
    Registries,
)


def test_a_list_holds_for_a_day_and_an_old_one_goes_on_while_there_is_no_other() -> None:
    known = Registries()
    assert known.servers(0.0) is None
    assert known.old_servers(0.0) is None
    known.take_servers({"com": "https://x/"}, 5.0)
    assert known.servers(5.0 + LIST_S - 1) == {"com": "https://x/"}
    assert known.servers(5.0 + LIST_S) is None
    assert known.old_servers(5.0 + LIST_S) == {"com": "https://x/"}
    assert known.servers(5.0 + LIST_S + LIST_AGAIN_S - 1) == {"com": "https://x/"}
    assert known.servers(5.0 + LIST_S + LIST_AGAIN_S) is None


def test_an_answer_holds_for_minutes_and_no_such_domain_for_less_than_a_retry() -> None:
    known = Registries()
    found = Registration(ends_at=1)
    known.take_answer("a", found, 0.0)
    known.take_answer("b", None, 0.0)
    assert known.answer("a", KNOWN_S - 1) == (found,)
    assert known.answer("a", KNOWN_S) is None
    assert known.answer("b", UNKNOWN_S - 1) == (None,)
    assert known.answer("b", UNKNOWN_S) is None
    assert known.answer("c", 0.0) is None


def test_a_server_is_left_alone_for_as_long_as_it_says_and_a_day_at_most() -> None:
    known = Registries()
    assert known.held_s("x", 0.0) == 0.0
    assert known.hold("x", 40.0, 10.0) == 40.0
    assert known.held_s("x", 20.0) == 30.0
    assert known.held_s("x", 50.0) == 0.0
    assert known.hold("x", None, 0.0) == HELD_S
    assert known.hold("x", 1e9, 0.0) == LONGEST_HELD_S
    assert known.hold("x", -5.0, 0.0) == 0.0


def test_memory_has_a_bound() -> None:
    known = Registries()
    for number in range(10_000):
        known.take_answer(str(number), None, 0.0)
        known.hold(str(number), 1.0, float(number))
    assert known.answer("9999", 0.0) is None
    known.take_answer("new", None, UNKNOWN_S + 1)
    assert known.answer("new", UNKNOWN_S + 1) == (None,)
