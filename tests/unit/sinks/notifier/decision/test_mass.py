"""More than a share of all targets down within a minute is one event."""

from schemas.policy import Limit, Route
from tests.unit.sinks.notifier.decision.crowd import INTERVAL_MS, A, arrive, closed, opened
from tests.unit.sinks.notifier.decision.office import MINUTE, SECOND, Office
from tests.unit.sinks.notifier.events import AT

OPS = "json://ops"
ROUTES = (
    Route(name="all", urls=(A,), default=True),
    Route(name="ops", urls=(OPS,), operators=True),
)


def office(targets: int = 100, *, share: float = 0.2, routes: tuple[Route, ...] = ROUTES) -> Office:
    return Office(*routes, group_interval_ms=INTERVAL_MS, mass_share=share, targets=targets)


def masses(there: Office) -> list[str]:
    return [
        news.event.event
        for one in there.sent
        for news in one.news
        if news.entry.startswith("mass/")
    ]


def fall(there: Office, first: int, last: int, **fields: object) -> None:
    there.take(*(opened(number, there.now, **fields) for number in range(first, last)))


def rise(there: Office, first: int, last: int) -> None:
    there.take(*(closed(number, there.now) for number in range(first, last)))


def test_more_than_the_share_within_a_minute_is_told_at_once() -> None:
    there = office()
    fall(there, 0, 20)
    assert masses(there) == []
    fall(there, 20, 21, host="h0")
    assert masses(there) == ["mass.down"]
    news = there.sent[-1].news[0]
    assert there.sent[-1].channel.url == OPS
    assert there.now == AT
    assert (news.event.down, news.event.total, news.event.since) == (21, 100, AT)  # type: ignore[union-attr]
    assert news.event.hosts[0] == "h0"  # type: ignore[union-attr]
    assert len(news.event.hosts) == 10  # type: ignore[union-attr]


def test_its_numbers_are_those_of_the_moment_in_which_it_goes() -> None:
    there = office()
    fall(there, 0, 80)
    assert masses(there) == ["mass.down"]
    assert there.sent[-1].news[0].event.down == 80  # type: ignore[union-attr]


def test_one_is_open_at_a_time_and_it_is_over_below_half_of_the_threshold() -> None:
    there = office()
    fall(there, 0, 50)
    fall(there, 50, 90)
    assert masses(there) == ["mass.down"]
    there.wait(MINUTE)
    rise(there, 0, 80)
    assert masses(there) == ["mass.down"]
    rise(there, 80, 81)
    assert masses(there) == ["mass.down", "mass.over"]
    assert there.sent[-1].news[0].event.down == 9  # type: ignore[union-attr]
    there.wait(10 * MINUTE)
    fall(there, 100, 140)
    there.wait(MINUTE)
    assert masses(there) == ["mass.down", "mass.over", "mass.down"]


def test_what_trickles_in_is_none() -> None:
    there = office()
    arrive(there, ((AT + n * 4 * SECOND, opened(n, AT + n * 4 * SECOND)) for n in range(60)))
    assert masses(there) == []


def test_what_is_down_for_long_keeps_none_open() -> None:
    there = office()
    for first in range(0, 40, 10):
        fall(there, first, first + 10)
        there.wait(2 * MINUTE)
    fall(there, 40, 70)
    rise(there, 40, 65)
    assert masses(there) == ["mass.down", "mass.over"]


def test_a_target_counts_once_and_slow_ones_do_not() -> None:
    there = office()
    fall(there, 0, 15)
    there.take(
        *(
            opened(n, incident_id=f"f{n}", event_id=f"f{n}", incident_type="flapping")
            for n in range(15)
        ),
        *(
            opened(n, incident_id=f"s{n}", event_id=f"s{n}", incident_type="slow")
            for n in range(20, 60)
        ),
    )
    assert masses(there) == []


def test_jobs_and_domains_are_on_no_host() -> None:
    there = office(10)
    fall(there, 0, 8, kind="heartbeat", host=None, port=None)
    fall(there, 8, 16, kind="domain", host=None, port=None)
    fall(there, 16, 18)
    assert masses(there) == []
    fall(there, 18, 19)
    assert masses(there) == ["mass.down"]
    event = there.sent[-1].news[0].event
    assert (event.down, set(event.hosts)) == (3, {"h16", "h17", "h18"})  # type: ignore[union-attr]
    # After a failover, too.
    there.restart()
    rise(there, 16, 19)
    there.wait(10 * SECOND)
    assert masses(there) == ["mass.down", "mass.over"]


def test_with_fewer_than_ten_targets_or_without_a_total_it_is_off() -> None:
    there = office(9)
    fall(there, 0, 9)
    assert masses(there) == []
    ten = office(10)
    fall(ten, 0, 3)
    assert masses(ten) == ["mass.down"]
    for unknown in (office(0), office(100, share=0.0)):
        fall(unknown, 0, 100)
        assert masses(unknown) == []


def test_targets_that_are_removed_end_it() -> None:
    there = office()
    fall(there, 0, 50)
    there.targets = 50
    there.take(*(closed(n, there.now, closed_because="target_removed") for n in range(46)))
    assert masses(there) == ["mass.down", "mass.over"]
    there = office()
    fall(there, 0, 50)
    there.targets = 0
    rise(there, 0, 41)
    assert masses(there) == ["mass.down"]
    there.targets = 100
    there.turn()
    assert masses(there) == ["mass.down", "mass.over"]


def test_it_is_open_after_a_failover() -> None:
    there = office()
    fall(there, 0, 50)
    there.restart()
    fall(there, 50, 90)
    rise(there, 0, 80)
    assert masses(there) == ["mass.down"]
    there.restart()
    rise(there, 80, 81)
    there.restart()
    there.wait(10 * MINUTE)
    assert masses(there) == ["mass.down", "mass.over"]


def test_what_fell_before_a_failover_counts_after_it() -> None:
    there = office()
    fall(there, 0, 15)
    there.restart()
    fall(there, 15, 21)
    assert masses(there) == ["mass.down"]


def test_it_passes_the_pace_and_the_limit_and_has_its_rows() -> None:
    both = Route(name="all", urls=(A,), default=True, operators=True)
    there = office(routes=(both,))
    fall(there, 0, 5)
    there.wait(10 * SECOND)
    fall(there, 5, 21)
    assert [one.at - AT for one in there.sent] == [2 * SECOND, 10 * SECOND]
    there.wait(5 * MINUTE)
    assert [(one.at - AT) // SECOND for one in there.sent] == [2, 10, 40]
    rows = [row for row in there.rows if row.event == "mass.down"]
    assert [(row.status, row.severity, row.target) for row in rows] == [
        ("sent", "critical", "(mass)")
    ]
    limited = Route(
        name="all",
        urls=(A,),
        default=True,
        operators=True,
        limit=Limit(messages=1, per_ms=60 * MINUTE),
    )
    there = office(routes=(limited,))
    fall(there, 0, 1)
    there.wait(10 * SECOND)
    fall(there, 1, 21)
    there.wait(2 * 60 * MINUTE)
    assert [(one.action, len(one.news)) for one in there.sent] == [
        ("opened", 1),
        ("opened", 1),
        ("digest", 20),
    ]
    assert there.sent[1].at == AT + 10 * SECOND


def test_one_that_comes_and_goes_is_no_storm() -> None:
    """Two messages go at once within 5 min; further ones keep the channel's pace and limit."""
    both = Route(
        name="all",
        urls=(A,),
        default=True,
        operators=True,
        limit=Limit(messages=5, per_ms=60 * MINUTE),
    )
    there = office(20, routes=(both,))
    fall(there, 0, 20)
    for number in range(30):
        for kind in ("improved", "worsened"):
            there.wait(10 * SECOND)
            for one in range(20):
                fields = {"event": kind, "event_id": f"{kind}{one}-{number}", "opened_at": AT}
                there.take(opened(one, there.now, **fields))
    sent = [one.at - AT for one in there.sent]
    assert sent[:2] == [0, 10 * SECOND]
    assert len(sent) <= 7  # five, and two that pass the limit after 5 min
    there.wait(60 * MINUTE)
    assert {news.entry for one in there.sent for news in one.news} >= {
        f"incident/i{one}" for one in range(20)
    }
    assert masses(there)[-1] == "mass.down"


def test_a_new_one_is_told_at_once_however_long_the_digests_wait() -> None:
    both = Route(name="all", urls=(A,), default=True, operators=True)
    there = office(1_000, routes=(both,))
    for number in range(60):
        fall(there, number, number + 1)
        there.wait(20 * SECOND)
    fall(there, 100, 400)
    assert there.sent[-1].at == there.now
    assert masses(there) == ["mass.down"]
