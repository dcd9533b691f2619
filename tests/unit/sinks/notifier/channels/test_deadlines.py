"""One thread calls what is overdue, and nothing that was done in time."""

import threading
import time

from sinks.notifier.channels.deadlines import Deadlines


def test_what_takes_too_long_is_called_once_and_the_rest_never() -> None:
    deadlines = Deadlines()
    called: list[str] = []
    late, soon = threading.Event(), threading.Event()
    with deadlines.within(60, lambda: called.append("in time")):
        pass
    with deadlines.within(60, late.set):
        # A deadline before the first one wakes the thread.
        with deadlines.within(0.05, lambda: (called.append("overdue"), soon.set())):  # type: ignore[arg-type]
            assert soon.wait(30)
        assert not late.is_set()
    assert called == ["overdue"]


def test_many_at_once_share_one_thread() -> None:
    deadlines = Deadlines()
    before = threading.active_count()
    over = threading.Semaphore(0)
    ready = threading.Barrier(21)

    def wait() -> None:
        with deadlines.within(0.05, over.release):
            ready.wait(30)
            ends = time.monotonic() + 30
            while time.monotonic() < ends and not done.is_set():
                time.sleep(0.01)

    done = threading.Event()
    threads = [threading.Thread(target=wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    ready.wait(30)
    for _ in threads:
        assert over.acquire(timeout=30)
    assert threading.active_count() <= before + len(threads) + 1
    done.set()
    for thread in threads:
        thread.join(30)
    assert not over.acquire(timeout=0.1)
