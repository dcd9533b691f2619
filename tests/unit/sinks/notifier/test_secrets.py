"""Secrets go into the URL and come out nowhere."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.notifier.channels.outcomes import said_in
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.secrets import MissingSecretError, fill_in, placeholders, scrub
from tests.unit.sinks.notifier.channels.deliveries import delivery

ENV = {"A": "AAAAAA", "PASS": "p/w@rd#1", "EMPTY": "", "ALL": "slack://x/y/z"}


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("json://host/path", "json://host/path"),
        ("slack://${A}/${A}", "slack://AAAAAA/AAAAAA"),
        ("mailto://me:${PASS}@example.com", "mailto://me:p%2Fw%40rd%231@example.com"),
        ("json://host/?token=${PASS}", "json://host/?token=p%2Fw%40rd%231"),
        ("${ALL}", "slack://x/y/z"),
        ("tgram://${PASS}/chat", "tgram://p/w@rd#1/chat"),
    ],
)
def test_a_secret_is_filled_in(url: str, full: str) -> None:
    assert fill_in(url, ENV) == full


@pytest.mark.parametrize("name", ["MISSING", "EMPTY"])
def test_a_missing_secret_is_named(name: str) -> None:
    with pytest.raises(MissingSecretError, match=f"variable {name} is not set"):
        fill_in(f"json://x/${{{name}}}", ENV)


def test_no_part_of_the_url_is_left_in_a_text() -> None:
    url = fill_in("json://me:${PASS}@example.com/${A}?k=t0psecret", ENV)
    said = f"failed: {url}; host example.com with p/w@rd#1 and AAAAAA and t0psecret"
    left = scrub(said, url)
    for secret in ("p/w@rd", "AAAAAA", "t0psecret", "example.com", "p%2Fw"):
        assert secret not in left
    assert left.startswith("failed: ")


DIFFICULT = 'p/w@rd #1 ü%&"x'


@pytest.mark.parametrize(
    "form",
    [
        DIFFICULT,
        quote(DIFFICULT, safe=""),
        quote(DIFFICULT),
        quote_plus(DIFFICULT),
        json.dumps(DIFFICULT)[1:-1],
        json.dumps(DIFFICULT, ensure_ascii=False)[1:-1],
        base64.b64encode(f"me:{DIFFICULT}".encode()).decode(),
        base64.b64encode(DIFFICULT.encode()).decode(),
        base64.urlsafe_b64encode(DIFFICULT.encode()).decode().rstrip("="),
    ],
)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    template = "json://me:${PASS}@example.com/x"
    env = {"PASS": DIFFICULT}
    url = fill_in(template, env)
    left = scrub(f"failed with {form} there", url, template, env)
    assert left == "failed with *** there"


def test_a_secret_of_a_path_is_masked_as_a_server_may_quote_it() -> None:
    """It stands in the URL as it is: nothing there is percent-encoded."""
    template, env = "json://h/${T}", {"T": "to ken/with+all"}
    for form in ("to%20ken%2Fwith%2Ball", "to+ken%2Fwith%2Ball", "to%20ken/with%2Ball"):
        assert scrub(f"[{form}]", fill_in(template, env), template, env) == "[***]"


def test_a_short_secret_of_the_environment_is_masked() -> None:
    left = scrub("no such chat abc", "tgram://abc/1", "tgram://${T}/1", {"T": "abc"})
    assert left == "no such chat ***"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=5, max_size=40))
def test_no_text_makes_the_mask_fall(secret: str) -> None:
    env = {"S": secret}
    url = fill_in("json://h/?token=${S}", env)
    assert scrub(f"[{secret}]", url, "json://h/?token=${S}", env) == "[***]"


def test_placeholders_are_named_once_and_in_order() -> None:
    assert placeholders("slack://${B}/${A}/${B}") == ("B", "A")


TOKEN = "xoxb-0123456789-abcdefghijklmnop"  # noqa: S105 - nobody's


@pytest.mark.parametrize("room", range(5, len(TOKEN) + 1))
def test_no_beginning_of_a_secret_is_left_where_an_answer_is_cut(room: int) -> None:
    answer = f"{'.' * (160 - room)} {TOKEN}"
    said = said_in(answer.encode())
    left = scrub(said, f"slack://{TOKEN}/#ops")
    assert TOKEN[:5] not in left
    assert left.startswith("." * (160 - room))


def test_a_cut_text_keeps_what_is_no_secret() -> None:
    assert scrub("the answer is xoxb", f"slack://{TOKEN}/#ops") == "the answer is xoxb"
    assert scrub("", f"slack://{TOKEN}/#ops") == ""


@pytest.mark.parametrize("name", ["PORTQUORUM_KAFKA_PASSWORD", "portquorum_clickhouse"])
def test_no_channel_gets_a_password_of_portquorums_own(name: str) -> None:
    url = f"json://elsewhere.example/${{{name}}}"
    env = {name: "not-for-you"}
    with pytest.raises(MissingSecretError, match=name):
        fill_in(url, env)
    for known in (None, {}, env):
        found = problem(url, known)
        assert found is not None
        assert name in found
        assert "not-for-you" not in found
    outcome = send(delivery(url, "opened"), may_send=lambda: True, env=env)
    assert outcome.kind == "misconfigured"
    assert "not-for-you" not in str(outcome)
