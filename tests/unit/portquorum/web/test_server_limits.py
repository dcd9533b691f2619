import asyncio
import resource

import pytest

from portquorum.serving.server import MOST_CONNECTIONS, MOST_UNSENT, Unsent, connections_limit


class Client(asyncio.Transport):
    """A client that takes nothing."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waits = waits
        self.is_dropped = False

    def get_write_buffer_size(self) -> int:
        return self.waits

    def abort(self) -> None:
        self.is_dropped = True


def test_of_too_many_unsent_bytes_those_are_dropped_that_waited_longest() -> None:
    unsent = Unsent()
    first, *others = [Client(MOST_UNSENT // 4) for _ in range(5)]
    gone, *others = others
    unsent.add(gone)
    unsent.forget(gone)
    for one in (first, *others, gone):
        unsent.add(one)
    assert [one.is_dropped for one in (first, *others, gone)] == [True] + 4 * [False]
    largest = Client(MOST_UNSENT + 1)
    unsent.add(largest)
    assert all(one.is_dropped for one in (*others, gone, largest))


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "expected"),
    [
        (20_000, 20_000, None, MOST_CONNECTIONS),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, MOST_CONNECTIONS),
        (1024, 524_288, 1450, MOST_CONNECTIONS),
        (256, resource.RLIM_INFINITY, 1450, MOST_CONNECTIONS),
        (256, 512, 512, 62),
        (100, 100, 100, 1),
    ],
)
def test_connections_fit_into_the_limit_of_open_files(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int | None, expected: int
) -> None:
    set_: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: set_.append(limits[0]))
    assert connections_limit() == expected
    assert set_ == ([] if raised is None else [raised])


def test_two_listeners_share_the_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    set_: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 2000))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: set_.append(limits[0]))
    assert connections_limit(2) == 775
    assert set_ == [2000]
