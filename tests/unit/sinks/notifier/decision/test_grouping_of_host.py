"""Ports of one host are one message to people; on-call systems hear of each at once."""

from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import MINUTE, SECOND, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, DUTY = "json://a", "pagerduty://k"


def port(number: int, host: str = "h", **fields: object) -> object:
    values = {"incident_id": f"i{number}", "event_id": f"e{number}", "host": host}
    return incident_event(**(values | fields))


def end(number: int) -> object:
    return port(
        number, event="closed", event_id=f"c{number}", at=AT + 60_000, closed_because="recovered"
    )


def office() -> Office:
    return Office(Route(name="all", urls=(A, DUTY)))


def messages(there: Office) -> list[tuple[str, int]]:
    return [(one.action, len(one.news)) for one in there.sent if one.channel.url == A]


def test_ports_of_a_host_are_one_message_after_the_wait_of_the_first() -> None:
    there = office()
    for number in range(4):
        there.take(port(number))  # type: ignore[arg-type]
        there.wait(500)
    assert there.now == AT + WAIT_MS
    assert messages(there) == [("opened", 4)]
    assert there.told(DUTY) == ["trigger"] * 4
    assert [one.at for one in there.sent if one.channel.url == DUTY] == [
        AT,
        AT + 500,
        AT + 1000,
        AT + 1500,
    ]


def test_hosts_have_messages_of_their_own() -> None:
    there = office()
    there.take(port(1, "one"), port(2, "two"), port(3, "one"))  # type: ignore[arg-type]
    there.wait(WAIT_MS)
    assert messages(there) == [("opened", 2), ("opened", 1)]


def test_what_has_ended_and_what_began_are_two_messages() -> None:
    there = office()
    there.take(port(1), port(2))  # type: ignore[arg-type]
    there.wait(MINUTE)
    there.take(end(1), port(3), end(2))  # type: ignore[arg-type]
    there.wait(WAIT_MS)
    assert messages(there)[1:] == [("closed", 2), ("opened", 1)]


def test_what_waits_for_a_channel_is_composed_anew_when_it_is_back() -> None:
    there = office()
    there.answers[A] = "unreachable"
    there.take(port(1))  # type: ignore[arg-type]
    there.wait(5 * SECOND)
    there.take(port(2))  # type: ignore[arg-type]
    there.wait(30 * SECOND)
    there.take(end(1))  # type: ignore[arg-type]
    there.answers.clear()
    there.wait(2 * MINUTE)
    delivered = {row.group for row in there.rows if row.status == "sent" and row.action == "opened"}
    last = [one for one in there.sent if one.id in delivered]
    assert [[news.entry for news in one.news] for one in last] == [["incident/i2"]]


def test_news_of_what_is_on_its_way_waits_for_the_answer_and_has_its_own_wait() -> None:
    there = office()
    there.answers[A] = "hangs"
    there.take(port(1))  # type: ignore[arg-type]
    there.wait(WAIT_MS)
    there.take(end(1))  # type: ignore[arg-type]
    there.wait(SECOND)
    there.answers.clear()
    there.land_all()
    assert messages(there) == [("opened", 1)]
    there.wait(SECOND)
    assert messages(there) == [("opened", 1), ("closed", 1)]
