from foundation.backoff import Backoff


def test_it_doubles_up_to_the_longest_wait() -> None:
    backoff = Backoff(first_s=0.5, longest_s=3, well_after_s=30)
    waits = []
    last = None
    for _ in range(5):
        last = backoff.next(last, ran_s=0.1)
        waits.append(last)
    assert waits == [0.5, 1, 2, 3, 3]


def test_what_ran_well_starts_again_after_the_first_wait() -> None:
    backoff = Backoff(first_s=0.5, longest_s=30, well_after_s=30)
    assert backoff.next(16, ran_s=31) == 0.5
    assert backoff.next(16, ran_s=29) == 30


def test_a_success_starts_the_waits_anew() -> None:
    backoff = Backoff(first_s=0.25, longest_s=5)
    assert backoff.next(backoff.next(None)) == 0.5
    assert backoff.next(None) == 0.25
