"""Whatever stands in an inventory as a URL: an outcome, a problem in words, never a fall."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sinks.notifier.channels.budgets import budget_of
from sinks.notifier.channels.by_ourselves import PROTOCOLS
from sinks.notifier.channels.classes import class_of, needs_refresh
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.model import Channel
from tests.unit.sinks.notifier.channels.deliveries import delivery

SCHEMES = [
    *sorted(PROTOCOLS),
    *("mailto", "slack", "discord", "tgram", "json", "splunk", "betterstack", "console", "no", ""),
]
PARTS = st.text(
    st.one_of(st.sampled_from("/@:?&=#%$*^[]{} .+-a1"), st.characters(exclude_categories=["Cs"])),
    max_size=60,
)


@settings(max_examples=160, deadline=None)
@given(st.sampled_from(SCHEMES), PARTS, st.sampled_from(["opened", "trigger", "resolve"]))
@example("webhook+https", "exa mple/x", "trigger")
@example("webhook+https", "[::1/x", "trigger")
@example("webhook+http", "h/?secret=%ff%fe%fd%fc%fb%fa%f9", "trigger")
@example("alertmanager+http", "user:p\nw@h", "trigger")
@example("alertmanager+http", f"{'a' * 64}.example", "trigger")
@example("alertmanager+http", "xn--\x00", "trigger")
@example("opsgenie", "k\u00e9y/#", "trigger")
@example("pagerduty", "\u0660" * 32, "trigger")
@example("json", "h:99999/", "opened")
@example("slack", "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?rto=nan&cto=-1", "opened")
def test_no_url_makes_it_fall(scheme: str, rest: str, action: str) -> None:
    url = f"{scheme}://{rest}"
    asked: list[bool] = []

    def may_send() -> bool:
        asked.append(True)
        return False

    outcome = send(delivery(url, action), may_send=may_send, env={})  # type: ignore[arg-type]
    assert outcome.kind in {"not_attempted", "misconfigured", "confirmed"}, outcome
    if outcome.kind == "confirmed":
        assert not outcome.subject, "what a system can't do is confirmed without a message"
    if outcome.kind == "not_attempted":
        assert asked
    for env in (None, {}):
        found = problem(url, env)
        assert found is None or 0 < len(found) <= 400
    channel = Channel("ops", url)
    assert class_of(channel, {}) in {"people", "on_call"}
    needs_refresh(channel, {})
    budget_of(url, {})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_no_text_makes_it_fall(url: str) -> None:
    assert send(delivery(url, "opened"), may_send=lambda: False, env={}).kind != "confirmed"
    problem(url)
    problem(url, {})
    class_of(Channel("ops", url), {})
