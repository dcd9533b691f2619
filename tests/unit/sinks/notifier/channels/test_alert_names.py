"""Each name that an alert of an incident may have is one that we ask Alertmanager for."""

from typing import get_args

import re2

from schemas.incident import IncidentType
from sinks.notifier.channels.facts import alert_name
from sinks.notifier.links.by_alertmanager import ASKED


def test_silences_of_every_alert_of_ours_are_asked_for() -> None:
    ours = dict(ASKED)["filter"].partition('"')[2].removesuffix('"')
    names = {
        alert_name(kind, one, is_closed=is_closed)
        for kind in ("tcp", "domain", "heartbeat")
        for one in get_args(IncidentType)
        for is_closed in (False, True)
    }
    assert len(names) > 6
    assert [name for name in names if re2.fullmatch(ours, name) is None] == []
