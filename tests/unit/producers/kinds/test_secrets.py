"""Secrets of checks: their names, escapes, bindings and forms in an option."""

import pytest

from producers.checks.errors import CheckFailedError
from producers.kinds import secrets

_ENV = {
    "PORTQUORUM_SECRET_TOKEN": "hunter2!",
    "PORTQUORUM_SECRET_ODD": 'a"b c/d#e&f',
    "PORTQUORUM_SECRET_BOUND": "only for you",
    "PORTQUORUM_SECRET_BOUND_HOSTS": "api.example.com, *.example.org",
    "PORTQUORUM_SECRET_SHORT": "abc",
    "PORTQUORUM_SECRET_LINES": "one line\r\nX-Other: 1",
    "PORTQUORUM_SECRET_EMPTY": "",
    "PORTQUORUM_KAFKA_PASSWORD": "kafka's own",
    "HOME": "/root",
}


def _revealed(text: str, field: str = "bearer", host: str = "api.example.com") -> str:
    return secrets.filled_in(text, field, secrets.values_of(text, field, [(host, "host")], _ENV))


def _refused(text: str, field: str = "bearer", host: str = "api.example.com") -> str:
    with pytest.raises(CheckFailedError) as error:
        _revealed(text, field, host)
    assert error.value.reason == "secret_missing"
    assert not any(value and value in error.value.detail for value in _ENV.values())
    return error.value.detail


@pytest.mark.parametrize(
    ("text", "revealed"),
    [
        ("Token ${PORTQUORUM_SECRET_TOKEN}", "Token hunter2!"),
        ("$${PORTQUORUM_SECRET_TOKEN}", "${PORTQUORUM_SECRET_TOKEN}"),
        ("$$${PORTQUORUM_SECRET_TOKEN}", "$hunter2!"),
        ("$5 and $$5", "$5 and $5"),
    ],
)
def test_placeholders_are_replaced_and_a_doubled_dollar_is_one(text: str, revealed: str) -> None:
    assert _revealed(text) == revealed


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "PORTQUORUM_KAFKA_PASSWORD",
        "portquorum_secret_token",
        "PORTQUORUM_SECRET_",
        "PORTQUORUM_SECRET_TOKEN ",
        "PORTQUORUM_SECRET_TOKEN:-x",
        "PORTQUORUM_SECRET_BOUND_HOSTS",
        "PORTQUORUM_SECRET_TOKEN\nHOME",
        "",
    ],
)
def test_no_other_variable_is_read(name: str) -> None:
    assert "no other variable" in _refused(f"${{{name}}}")


def test_a_placeholder_without_end_is_refused() -> None:
    assert "no other variable" in _refused("${PORTQUORUM_SECRET_TOKEN")


def test_the_missing_ones_are_named() -> None:
    detail = _refused("${PORTQUORUM_SECRET_A}${PORTQUORUM_SECRET_EMPTY}${PORTQUORUM_SECRET_TOKEN}")
    assert detail.startswith("PORTQUORUM_SECRET_A, PORTQUORUM_SECRET_EMPTY are not set")


def test_what_is_too_short_can_not_be_masked_and_is_refused() -> None:
    assert "has 3 characters" in _refused("${PORTQUORUM_SECRET_SHORT}")


def test_line_breaks_are_refused_where_they_would_begin_another_header() -> None:
    assert "line break" in _refused("${PORTQUORUM_SECRET_LINES}", "headers.X-Token")
    assert _revealed("${PORTQUORUM_SECRET_LINES}", "body") == "one line\r\nX-Other: 1"


@pytest.mark.parametrize(
    ("field", "text", "revealed"),
    [
        ("json", '{"a": "${PORTQUORUM_SECRET_ODD}"}', '{"a": "a\\"b c/d#e&f"}'),
        ("path", "/a/${PORTQUORUM_SECRET_ODD}", "/a/a%22b%20c/d%23e&f"),
        ("path", "/a?t=${PORTQUORUM_SECRET_ODD}", "/a?t=a%22b%20c%2Fd%23e%26f"),
        ("path", "/a/${PORTQUORUM_SECRET_LINES}", "/a/one%20line%0D%0AX-Other:%201"),
        ("proxy", "http://u:${PORTQUORUM_SECRET_ODD}@p", "http://u:a%22b%20c%2Fd%23e%26f@p"),
    ],
)
def test_a_value_is_escaped_as_its_option_needs_it(field: str, text: str, revealed: str) -> None:
    assert _revealed(text, field) == revealed


@pytest.mark.parametrize(
    "host",
    [
        "api.example.com",
        "API.example.com.",
        "api.example.com:8443",
        "a.example.org",
        "a.b.example.org",
    ],
)
def test_a_bound_secret_goes_to_its_hosts(host: str) -> None:
    assert _revealed("${PORTQUORUM_SECRET_BOUND}", host=host) == "only for you"


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "example.org",
        "api.example.com.evil.net",
        "evil-api.example.com",
        "xexample.org",
    ],
)
def test_a_bound_secret_goes_nowhere_else(host: str) -> None:
    assert f"is not for host {host}" in _refused("${PORTQUORUM_SECRET_BOUND}", host=host)


@pytest.mark.parametrize("written", ["", ",", "*.", " , *"])
def test_an_empty_binding_allows_no_host(written: str) -> None:
    assert not secrets.bound_to(written, "api.example.com")


def test_an_address_is_bound_as_a_whole() -> None:
    assert secrets.bound_to("2001:db8::1", "2001:db8::1")
    assert secrets.bound_to("2001:db8::1", "[2001:db8::1]:8443")
    assert secrets.bound_to("[2001:db8::1]:443", "2001:db8::1")
    assert not secrets.bound_to("2001:db8::1", "2001:db8::1:7777")
    assert secrets.bound_to("api.example.com:443", "api.example.com")
