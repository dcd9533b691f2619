"""Debian's Alertmanager runs, and forgets what is not repeated."""

import time
from pathlib import Path

import requests

from tests.receivers.alertmanager import running_alertmanager


def test_it_forgets_what_is_not_repeated(tmp_path: Path) -> None:
    with running_alertmanager(tmp_path, resolve_timeout_s=2) as manager:
        began = time.monotonic()
        alerts = [{"labels": {"alertname": "down", "key": "i1/1"}}]
        url = f"http://{manager.address}/api/v2/alerts"
        assert requests.post(url, json=alerts, timeout=10).status_code == 200
        assert [alert["labels"]["key"] for alert in manager.alerts()] == ["i1/1"]
        manager.hook.wait(lambda hook: len(hook.noted) >= 2, "fires and is forgotten")
        assert [one.status for one in manager.hook.noted] == ["firing", "resolved"]
        assert manager.hook.noted[1].at - began >= 2
        assert manager.alerts() == []
