from portquorum.supervisor import Backoff


def test_it_doubles_up_to_the_longest_wait() -> None:
    backoff = Backoff(first_s=0.5, longest_s=3, well_after_s=30)
    waits = []
    last = None
    for _ in range(5):
        last = backoff.next(last, ran_s=0.1)
        waits.append(last)
    assert waits == [0.5, 1, 2, 3, 3]


def test_a_role_that_ran_well_starts_again_at_once() -> None:
    backoff = Backoff(first_s=0.5, longest_s=30, well_after_s=30)
    assert backoff.next(16, ran_s=31) == 0.5
    assert backoff.next(16, ran_s=29) == 30
