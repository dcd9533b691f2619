"""Alertmanager itself: an alert appears, is kept alive past its own limit, and ends."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.notifier.channels.send import send
from sinks.notifier.model import Action, News, SendOutcome
from tests.receivers.alertmanager import Alertmanager, running_alertmanager
from tests.unit.sinks.notifier.channels.deliveries import delivery, news
from tests.unit.sinks.notifier.events import targets_event

RESOLVE_TIMEOUT_S = 3


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    folder = Path(tmp_path_factory.mktemp("alertmanager"))
    with running_alertmanager(folder, resolve_timeout_s=RESOLVE_TIMEOUT_S) as running:
        yield running


def told(running: Alertmanager, action: Action, *subjects: News) -> SendOutcome:
    url = f"alertmanager+http://{running.address}"
    return send(delivery(url, action, *subjects), may_send=lambda: True)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def firing(running: Alertmanager, alert: str) -> bool:
    return any(one["labels"]["alertname"] == alert for one in running.alerts())


def test_an_alert_lives_until_it_is_resolved(alertmanager: Alertmanager) -> None:
    began = now_ms() - 5_000
    opened = news(first_failed_at=began, opened_at=began, at=began)
    assert told(alertmanager, "trigger", opened).kind == "confirmed"
    assert firing(alertmanager, "PortUnreachable")
    ends = time.monotonic() + RESOLVE_TIMEOUT_S + 1
    while time.monotonic() < ends:
        assert firing(alertmanager, "PortUnreachable"), "it ended with resolve_timeout"
        time.sleep(0.2)
    assert told(alertmanager, "refresh", opened).kind == "confirmed"
    assert len(alertmanager.alerts()) == 1
    over = news(event="closed", first_failed_at=began, closed_at=now_ms() - 1, at=began)
    assert told(alertmanager, "resolve", over).kind == "confirmed"
    assert not firing(alertmanager, "PortUnreachable")


def test_targets_that_are_watched_again_end_their_alert(alertmanager: Alertmanager) -> None:
    began = now_ms() - 5_000
    silent = {"us-east": began}
    opened = targets_event(since=began, at=began, silent_regions=silent)
    over = targets_event(
        event="targets.watched", count=0, severity="warning", since=began, at=now_ms() - 1
    )
    entry = {"entry": "targets/c1", "key": "targets:c1"}
    assert told(alertmanager, "trigger", News(event=opened, **entry)).kind == "confirmed"
    assert firing(alertmanager, "TargetsUnwatched")
    assert told(alertmanager, "resolve", News(event=over, **entry)).kind == "confirmed"
    assert not firing(alertmanager, "TargetsUnwatched")


def test_a_thousand_open_alerts_are_one_request(alertmanager: Alertmanager) -> None:
    began = now_ms() - 5_000
    many = [
        news(f"i{at}/1", target=f"t{at}", first_failed_at=began, opened_at=began, at=began)
        for at in range(1_000)
    ]
    assert told(alertmanager, "refresh", *many).kind == "confirmed"
    assert len(alertmanager.alerts()) >= 1_000
