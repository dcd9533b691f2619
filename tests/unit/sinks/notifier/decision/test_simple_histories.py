"""Without faults the decision tells exactly what the reference expects, at the same time."""

from hypothesis import HealthCheck, given, settings

from sinks.notifier.decision.desk import Desk
from tests.unit.sinks.notifier.reference.expected import Expected, Message, in_order
from tests.unit.sinks.notifier.reference.shell import (
    BEGAN_AT,
    GROUP_WAIT_MS,
    Shell,
    World,
    class_of,
    needs_refresh,
)
from tests.unit.sinks.notifier.reference.stories import Story, stories


def desk(_: World) -> Desk:
    return Desk(group_wait_ms=GROUP_WAIT_MS, class_of=class_of, needs_refresh=needs_refresh, seed=1)


@settings(max_examples=160, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories)
def test_the_same_messages_at_the_same_times(story: Story) -> None:
    shell = Shell(desk)
    shell.set_routes(story.routes)
    expected = Expected(story.routes)
    for at, event in story.events(BEGAN_AT):
        shell.advance(at - shell.now)
        expected.until(at)
        shell.publish(event)
        expected.take(event, at)
        shell.pump()
    shell.advance(30_000)
    expected.until(shell.now)
    sent = [
        Message(at, one.channel.url, one.action, keys(one))
        for at, one in shell.sent
        if one.action != "refresh"
    ]
    assert in_order(sent) == in_order(expected.messages)


def keys(delivery: object) -> tuple[str, ...]:
    """The subjects of a message, of an on-call one its key."""
    news = delivery.news  # type: ignore[attr-defined]
    if delivery.action in ("trigger", "acknowledge", "resolve"):  # type: ignore[attr-defined]
        return (news[0].key,)
    return tuple(sorted(one.entry for one in news))
