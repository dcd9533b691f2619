"""What became of a message is what really passed: every service, every way to misbehave."""

import re
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sinks.notifier.channels.send import send
from sinks.notifier.model import Action, SendOutcome
from tests.integration.sinks.notifier.channels.services import (
    HTTP,
    ON_CALL,
    PEOPLE,
    receiver_of,
    url_of,
)
from tests.receivers import faults, neighbourhood
from tests.receivers.faults import Certificate, Fault
from tests.receivers.neighbourhood import BlackHole, Neighbourhood
from tests.unit.sinks.notifier.channels.deliveries import delivery, news

EVIL = (
    "@everyone @here @all @me <@123> <!channel> <users/all> <b>x</b> & *b* _i_ `c` |s| :smile: \\n"
)
ACTIONS: dict[str, tuple[Action, ...]] = {
    **dict.fromkeys((*PEOPLE, "smtp"), ("opened", "closed")),
    **dict.fromkeys(ON_CALL, ("trigger", "acknowledge", "resolve")),
}


def sent(url: str, action: Action, number: str = "d1") -> SendOutcome:
    one = news(summary=EVIL, name=f"DB {EVIL}", runbook="https://wiki.example.com/db")
    outcome = send(delivery(url, action, one, id=number), may_send=lambda: True)
    secrets = [part for part in re.split(r"[/:@?&=#]+", url) if len(part) > 8]
    assert not [part for part in secrets[1:] if part in (outcome.error or "")]
    return outcome


def attempt(street: Neighbourhood, service: str, query: str = "") -> SendOutcome:
    return sent(url_of(street, service, query), ACTIONS[service][0])


def attempts(
    street: Neighbourhood, services: Sequence[str], query: str = ""
) -> dict[str, SendOutcome]:
    """One with each service, at the same time: they wait for answers."""
    with ThreadPoolExecutor(len(services)) as pool:
        found = pool.map(lambda service: attempt(street, service, query), services)
        return dict(zip(services, found, strict=True))


@pytest.mark.parametrize("service", [*HTTP, "smtp"])
def test_every_message_arrives_once_and_pings_nobody(street: Neighbourhood, service: str) -> None:
    receiver = receiver_of(street, service)
    before = len(receiver.told)
    for number, action in enumerate(ACTIONS[service]):
        outcome = sent(url_of(street, service), action, f"once-{service}-{number}")
        assert outcome.kind == "confirmed", outcome
        assert outcome.error is None
        assert outcome.subject.startswith("TCP Port")
    told = receiver.told[before:]
    assert len(told) == len(ACTIONS[service])
    if service in PEOPLE:
        assert [one.mentions for one in told] == [()] * len(told)
        assert "TCP Port Unreachable: DB" in told[0].text
        assert "db1.example.com:5432" in told[0].text


@pytest.mark.parametrize("service", [*PEOPLE, "smtp"])
@pytest.mark.parametrize("plain", [False, True])
def test_a_large_outage_fits(street: Neighbourhood, service: str, *, plain: bool) -> None:
    receiver = receiver_of(street, service)
    before = len(receiver.told)
    many = [
        news(f"i{port}/1", port=port, name=f"{EVIL} {port} \N{PILE OF POO}" * 3, summary=EVIL * 20)
        for port in range(1, 121)
    ]
    one = delivery(url_of(street, service), "opened", *many, plain=plain)
    outcome = send(one, may_send=lambda: True)
    assert outcome.kind == "confirmed", outcome
    assert len(receiver.told) == before + 1
    if service in PEOPLE:
        assert receiver.told[-1].mentions == ()


def test_an_incident_of_an_on_call_system_opens_and_ends_by_its_key(street: Neighbourhood) -> None:
    for service in ("pagerduty", "opsgenie"):
        url = url_of(street, service)
        receiver = receiver_of(street, service)
        assert sent(url, "trigger").kind == "confirmed"
        assert receiver.open("i1/1")
        assert sent(url, "resolve").kind == "confirmed"
        assert not receiver.open("i1/1")
        assert not receiver.without_effect


ANSWERS = [
    (faults.status(500), "unreachable", None),
    (faults.status(502), "uncertain", None),
    (faults.status(503), "unreachable", None),
    (faults.too_many(7), "unreachable", 7.0),
    (faults.too_many(7, as_date=True), "unreachable", 7.0),
    (faults.TOO_LONG, "refused", None),
    (faults.status(401), "misconfigured", None),
    (faults.status(403), "misconfigured", None),
    (faults.status(404), "misconfigured", None),
    (faults.status(422), "refused", None),
    (faults.RESET, "uncertain", None),
    (faults.GARBAGE, "uncertain", None),
]


@pytest.mark.parametrize("service", HTTP)
@pytest.mark.parametrize(
    ("fault", "kind", "wait"),
    ANSWERS,
    ids=[f"{fault.kind}-{fault.status or fault.as_date}" for fault, _, _ in ANSWERS],
)
def test_the_kind_of_a_failure(
    street: Neighbourhood, service: str, fault: Fault, kind: str, wait: float | None
) -> None:
    receiver_of(street, service).misbehave(fault)
    outcome = attempt(street, service)
    assert outcome.kind == kind, outcome
    assert outcome.error
    if wait is not None:
        assert outcome.retry_after_s == pytest.approx(wait, abs=2)


@pytest.mark.parametrize("service", [one for one in HTTP if one not in {"json", "webhook"}])
def test_a_page_with_200_is_no_yes(street: Neighbourhood, service: str) -> None:
    receiver_of(street, service).misbehave(faults.PAGE)
    outcome = attempt(street, service)
    assert outcome.kind == "misconfigured", outcome


@pytest.mark.parametrize("url", ["json://${NO_SUCH}/x", "pagerduty://${NO_SUCH}"])
def test_a_missing_secret_is_named_and_of_the_url(url: str) -> None:
    outcome = send(delivery(url, "trigger"), may_send=lambda: True, env={})
    assert (outcome.kind, "NO_SUCH" in (outcome.error or "")) == ("misconfigured", True)


def test_a_password_of_netrc_is_given_to_no_webhook(
    street: Neighbourhood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert attempt(street, "webhook").kind == "confirmed"
    headers = receiver_of(street, "webhook").told[-1].request.headers
    assert "authorization" not in {name.lower() for name in headers}


@pytest.mark.parametrize(
    "fault", [faults.HANG, faults.HANG_UNREAD, faults.DRIP], ids=lambda f: f.kind
)
def test_an_answer_that_does_not_come_is_no_refusal(street: Neighbourhood, fault: Fault) -> None:
    for service in HTTP:
        receiver_of(street, service).misbehave(fault)
    began = time.monotonic()
    outcomes = attempts(street, HTTP, "cto=1.5&rto=1.5")
    assert {one.kind for one in outcomes.values()} == {"uncertain"}, outcomes
    assert time.monotonic() - began < 20, "the limit of the URL is not the thread's"


def test_an_answer_after_5_s_is_waited_for(street: Neighbourhood) -> None:
    services = ("slack", "json", "pagerduty", "webhook")
    before = {service: len(receiver_of(street, service).told) for service in services}
    for service in services:
        receiver_of(street, service).misbehave(faults.slow(5))
    outcomes = attempts(street, services)
    assert {one.kind for one in outcomes.values()} == {"confirmed"}, outcomes
    for service in services:
        assert len(receiver_of(street, service).told) == before[service] + 1, service


@pytest.mark.parametrize("service", ["json", "pagerduty", "slack_bot"])
def test_an_answer_without_an_end_is_cut(street: Neighbourhood, service: str) -> None:
    receiver_of(street, service).misbehave(faults.FLOOD)
    outcome = attempt(street, service)
    # Slack says yes or no in the body: an answer that is not whole says neither.
    assert outcome.kind == ("uncertain" if service == "slack_bot" else "confirmed"), outcome


@pytest.mark.parametrize("service", ["slack", "telegram", "pagerduty", "opsgenie"])
@pytest.mark.parametrize("certificate", ["self_signed", "expired", "other_name"])
def test_without_tls_nothing_leaves(
    street: Neighbourhood, service: str, certificate: Certificate
) -> None:
    receiver = receiver_of(street, service)
    before = len(receiver.arrivals)
    receiver.certificate = certificate
    try:
        outcome = attempt(street, service)
    finally:
        receiver.certificate = "good"
    assert outcome.kind == "unreachable", outcome
    assert "TLS" in (outcome.error or "")
    assert len(receiver.arrivals) == before


@pytest.mark.parametrize("service", ["json", "webhook", "mattermost"])
def test_nobody_listens(street: Neighbourhood, service: str) -> None:
    receiver = receiver_of(street, service)
    url = url_of(street, service)
    receiver.stop_listening()
    try:
        outcome = sent(url, ACTIONS[service][0])
    finally:
        receiver.listen_again()
    assert outcome.kind == "unreachable", outcome
    assert "refused" in (outcome.error or "").lower()


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize("scheme", ["json", "alertmanager+http", "webhook+https"])
def test_a_name_that_does_not_resolve(scheme: str) -> None:
    outcome = sent(f"{scheme}://{neighbourhood.NO_SUCH_NAME}/x", "trigger")
    assert outcome.kind == "unreachable", outcome


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize("scheme", ["json", "alertmanager+http"])
def test_a_connection_that_does_not_come_about(scheme: str) -> None:
    with BlackHole() as hole:
        outcome = sent(f"{scheme}://127.0.0.1:{hole.port}/x?cto=0.5", "trigger")
    assert outcome.kind == "unreachable", outcome


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize("scheme", ["jsons", "webhook+https"])
def test_tls_that_does_not_come_about(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        outcome = sent(f"{scheme}://127.0.0.1:{port}/x?cto=0.5&rto=0.5", "trigger")
    assert outcome.kind == "unreachable", outcome


@pytest.mark.parametrize("service", [*HTTP, "smtp"])
def test_without_the_lease_nothing_is_sent(street: Neighbourhood, service: str) -> None:
    receiver = receiver_of(street, service)
    before = len(receiver.told)
    asked = threading.Event()

    def may_send() -> bool:
        asked.set()
        return False

    one = delivery(url_of(street, service), ACTIONS[service][0])
    outcome = send(one, may_send=may_send)
    assert outcome.kind == "not_attempted"
    assert outcome.error is None
    assert asked.is_set()
    assert len(receiver.told) == before


@pytest.mark.parametrize("service", [*HTTP, "smtp"])
def test_a_lease_that_ends_while_it_connects(street: Neighbourhood, service: str) -> None:
    """As of a process that is stopped there, and woken when another has told the same."""
    receiver = receiver_of(street, service)
    before = len(receiver.told)
    answers = iter([True])

    one = delivery(url_of(street, service), ACTIONS[service][0])
    outcome = send(one, may_send=lambda: next(answers, False))
    assert outcome.kind == "not_attempted", outcome
    assert outcome.error is None
    assert len(receiver.told) == before
    assert next(answers, None) is None, "it was never asked"


def test_a_lease_that_ends_between_two_targets(street: Neighbourhood) -> None:
    """What has left counts: the first target was told, and the outcome says so."""
    before = len(street.slack.told)
    one = delivery(neighbourhood.SLACK_URL + "#a/#b", "opened")
    outcome = send(one, may_send=lambda: len(street.slack.told) == before)
    assert outcome.kind in {"confirmed", "uncertain"}, outcome
    assert outcome.error
    assert len(street.slack.told) == before + 1


def test_a_missing_secret_is_named() -> None:
    one = delivery("slack://${SLACK_A}/b/c", "opened")
    outcome = send(one, may_send=lambda: True, env={})
    assert outcome.kind == "misconfigured"
    assert "SLACK_A" in (outcome.error or "")


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://x",
        "no url at all",
        "slack://short",
        "pagerduty://not-a-key!",
        "webhook+https://",
    ],
)
def test_a_url_that_cannot_be_used(url: str) -> None:
    outcome = sent(url, "opened")
    assert outcome.kind == "misconfigured", outcome


def test_one_target_of_two_that_fails_is_said_and_not_repeated(street: Neighbourhood) -> None:
    street.slack.misbehave(faults.status(404), times=1)
    before = len(street.slack.told)
    outcome = sent(neighbourhood.SLACK_URL + "#a/#b", "opened")
    assert outcome.kind == "confirmed"
    assert "not all targets" in (outcome.error or "")
    assert len(street.slack.told) == before + 1
