"""Times at which a region was silent or set aside."""

from portquorum.web.history.region_spans import spans


def told(*events: tuple[str, str, int], since: int = 0) -> list[tuple[str, str, int, int | None]]:
    found = spans([(*one, "a sentence") for one in events], since)
    return [(one.region, one.what, one.began_at, one.ended_at) for one in found]


def test_a_silence_ends_with_the_return_and_one_that_goes_on_has_no_end() -> None:
    assert told(
        ("eu", "region.silent", 10),
        ("us", "region.silent", 12),
        ("eu", "region.returned", 20),
        ("eu", "region.suspect", 15),
        ("eu", "region.cleared", 18),
    ) == [("eu", "silent", 10, 20), ("eu", "suspect", 15, 18), ("us", "silent", 12, None)]


def test_each_partition_tells_of_a_region_that_was_never_heard_and_it_is_one_silence() -> None:
    assert told(
        ("eu", "region.silent", 10),
        ("eu", "region.silent", 11),
        ("eu", "region.returned", 20),
        ("eu", "region.returned", 21),
    ) == [("eu", "silent", 10, 20)]


def test_what_was_over_before_is_left_out_and_an_end_without_a_beginning_is_nothing() -> None:
    events = [("eu", "region.silent", 10), ("eu", "region.returned", 20)]
    assert told(*events, ("us", "region.cleared", 30), since=21) == []
    assert told(*events, since=20) == [("eu", "silent", 10, 20)]


def test_an_event_of_another_sort_is_nothing() -> None:
    assert told(("eu", "region.clock_skewed", 10), ("eu", "region.of_tomorrow", 12)) == []
