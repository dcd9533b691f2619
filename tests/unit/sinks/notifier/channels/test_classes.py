"""Who reads text, and who takes a key: by the URL alone."""

import pytest

from sinks.notifier.channels.classes import class_of, needs_refresh
from sinks.notifier.model import Channel

ENV = {"PAGER": "pagerduty://" + "R" * 32, "CHAT": "slack://a/b/c", "EMPTY": ""}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("mailto://me:secret@example.com", "people"),
        ("slack://a/b/c", "people"),
        ("console://", "people"),
        ("PagerDuty://" + "R" * 32, "on_call"),
        ("opsgenie://key/#team", "on_call"),
        ("jira://key", "on_call"),
        ("alertmanager+http://am:9093", "on_call"),
        ("alertmanager+https://am/prefix", "on_call"),
        ("webhook+https://host/hook?secret=${S}", "on_call"),
        ("splunk://key@api", "on_call"),
        ("betterstack://token/me@example.com", "on_call"),
        ("betterstack://token@in.example.com", "people"),
        ("json://host/hook", "people"),
        ("${PAGER}", "on_call"),
        ("${CHAT}", "people"),
        ("${MISSING}", "people"),
        ("${EMPTY}", "people"),
        ("no url", "people"),
    ],
)
def test_the_class_of_a_url(url: str, kind: str) -> None:
    assert class_of(Channel("route", url), ENV) == kind


@pytest.mark.parametrize(
    ("url", "forgets"),
    [
        ("alertmanager+http://am:9093", True),
        ("Alertmanager+HTTPS://am", True),
        ("${AM}", True),
        ("pagerduty://key", False),
        ("${MISSING}", False),
    ],
)
def test_only_alertmanager_forgets(url: str, forgets: bool) -> None:
    env = {"AM": "alertmanager+https://user:pw@am"}
    assert needs_refresh(Channel("route", url), env) is forgets
