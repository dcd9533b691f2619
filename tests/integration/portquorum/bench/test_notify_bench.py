"""The notifier's bench runs: a real Kafka, a notifier and channels of which some hang."""

from portquorum.bench import notify_storm
from portquorum.bench.notify import measure


def test_a_burst_reaches_every_route_although_channels_hang() -> None:
    report = measure(incidents=24, routes=4, hanging=1, partitions=4)
    assert report.calm.messages == 24
    assert report.hanging.messages == 18
    for run in (report.calm, report.hanging):
        assert run.untold == 0
        assert 0 < run.first_p50 <= run.first_worst
        assert run.healthy_worst <= run.last_s
        assert run.cpu_s > 0


def test_a_storm_is_few_messages_and_one_a_host_without_an_interval() -> None:
    report = notify_storm.measure(targets=60, people=2, interval_s=1.0, partitions=4)
    assert report.single.messages == 60
    assert report.single.messages_in_all == 120
    assert 1 <= report.grouped.messages <= 5
    for run in (report.grouped, report.single):
        assert 0 < run.first_s <= run.last_s
        assert run.cpu_s > 0
