"""Rule 3 under load: whatever fails, nobody is asked for too much, and nobody is forgotten."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.recheck import RecheckRequest
from streams.rules.apply import Output
from tests.unit.streams.rules.fleet import Fleet, target

PER_S = 20
"""What a partition may ask of a region when there are a thousand of them, in checks a second."""

SIZES = (1, 1, 2, 3, 7, 19, 20, 21, 60)
"""The number of targets of each host."""

REGIONS = ("a", "b", "c")
Failure = tuple[int, int, str, int]
"""Host, which of its targets, region, and how long (ms) after the one before."""

failures = st.lists(
    st.tuples(
        st.integers(0, len(SIZES) - 1),
        st.integers(0, 2),
        st.sampled_from(REGIONS),
        st.sampled_from((0, 0, 0, 1, 100, 1000, 5000)),
    ),
    max_size=60,
)


def host_of(number: int) -> str:
    return f"h{number}.example.com"


def fleet_of_hosts() -> Fleet:
    return Fleet(
        *(
            target(f"t{number}-{port}", host=host_of(number), port=port + 1, interval_ms=600_000)
            for number, size in enumerate(SIZES)
            for port in range(size)
        ),
        partitions=1000,
    )


class Asked:
    """The requests so far, as (time, host), and since when other hosts wait for theirs."""

    def __init__(self) -> None:
        self.fleet = fleet_of_hosts()
        self.all: list[tuple[int, str]] = []
        self.waiting: dict[str, int] = {}
        self.newest: dict[str, int] = {}

    def note(self, found: list[Output]) -> None:
        """Nobody waits for its turn whom a younger request overtakes.

        5 s may pass before it is a host's turn, and then 5 s to the next look at what is due.
        """
        now = self.fleet.now
        for request in found:
            if isinstance(request, RecheckRequest):
                since = self.waiting.pop(request.host)
                assert all(now - at >= 5_000 for at, host in self.all if host == request.host)
                self.all.append((now, request.host))
                waiting = (at for host, at in self.waiting.items() if not self.has_spoken(host))
                assert since <= min(waiting, default=now) + 10_000

    def has_spoken(self, host: str) -> bool:
        """Whether every region has spoken of each troubled target since the last one asked."""
        state = self.fleet.state
        return all(
            window is not None and window.newest >= self.newest[host]
            for target_id in state.on_host(host)
            if state.targets[target_id].trouble is not None
            for window in state.windows(state.targets[target_id])
        )

    def fail(self, number: int, port: int, region: str) -> None:
        name = f"t{number}-{port % SIZES[number]}"
        window = self.fleet.windows(name)[REGIONS.index(region)]
        if window is None:
            self.waiting.setdefault(host_of(number), self.fleet.now)
            self.newest[host_of(number)] = self.fleet.now
        self.note(self.fleet.fail(region, of=name))
        self.note(self.fleet.tick())


@settings(max_examples=40)
@given(failures)
def test_no_load_asks_for_too_much_and_none_is_forgotten(script: list[Failure]) -> None:
    asked = Asked()
    for number, port, region, wait in script:
        asked.fleet.wait(wait)
        asked.fail(number, port, region)
    for _ in range(30):
        asked.note(asked.fleet.wait(1000).tick())
    keep_the_budget(asked.all)
    assert [host for host in asked.waiting if not asked.has_spoken(host)] == []


def keep_the_budget(asked: list[tuple[int, str]]) -> None:
    """Before each request something was left of the second's allowance, from any moment on."""
    for first, (began, _) in enumerate(asked):
        spent = 0
        for at, host in asked[first:]:
            assert spent * 1000 < PER_S * (at - began + 1000)
            spent += SIZES[int(host.split(".")[0][1:])]
