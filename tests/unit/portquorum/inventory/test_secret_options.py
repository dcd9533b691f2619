"""Secrets of checks at the edge of the inventory: which options, which names, never in clear."""

from typing import Any

import pytest

from portquorum.inventory.probes import ProbeError, probe_of

_PLACEHOLDER = "${PORTQUORUM_SECRET_TOKEN}"

_SAFE: list[tuple[str, dict[str, Any], int]] = [
    ("http", {"path": f"/hook/{_PLACEHOLDER}"}, 443),
    ("http", {"headers": {"X-Token": f"t {_PLACEHOLDER}"}}, 443),
    ("http", {"bearer": _PLACEHOLDER}, 8443),
    ("http", {"basic_auth": {"username": "me", "password": _PLACEHOLDER}}, 443),
    ("http", {"bearer": _PLACEHOLDER, "tls": True}, 80),
    ("http", {"bearer": _PLACEHOLDER, "insecure": True}, 80),
    ("http", {"bearer": _PLACEHOLDER, "verify": False, "insecure": True}, 443),
    ("tcp", {"steps": [{"send": _PLACEHOLDER, "expect": "x"}], "tls": "implicit"}, 1),
    ("tcp", {"steps": [{"send": _PLACEHOLDER, "expect": "x"}], "insecure": True}, 1),
    ("udp", {"send": _PLACEHOLDER, "expect": "x", "insecure": True}, 1),
]


@pytest.mark.parametrize(("kind", "options", "port"), _SAFE)
def test_a_secret_is_taken_where_it_is_safe_or_said_to_be_insecure(
    kind: str, options: dict[str, Any], port: int
) -> None:
    assert probe_of(kind, options, port) is not None


_CLEAR: list[tuple[str, dict[str, Any], int, tuple[str | int, ...]]] = [
    ("http", {"path": f"/{_PLACEHOLDER}"}, 80, ("path",)),
    ("http", {"headers": {"X-Token": _PLACEHOLDER}}, 80, ("headers", "X-Token")),
    ("http", {"bearer": _PLACEHOLDER, "tls": False}, 443, ("bearer",)),
    ("http", {"bearer": _PLACEHOLDER, "verify": False}, 443, ("bearer",)),
    (
        "http",
        {"basic_auth": {"username": "me", "password": _PLACEHOLDER}},
        80,
        ("basic_auth", "password"),
    ),
    ("http", {"proxy": f"http://me:{_PLACEHOLDER}@proxy.test:3128"}, 443, ("proxy",)),
    ("tcp", {"steps": [{"send": _PLACEHOLDER, "expect": "x"}]}, 1, ("steps", 0, "send")),
    (
        "tcp",
        {"steps": [{"send": _PLACEHOLDER, "expect": "x"}], "tls": "implicit", "verify": False},
        1,
        ("steps", 0, "send"),
    ),
    ("udp", {"send": _PLACEHOLDER, "expect": "x"}, 1, ("send",)),
]


@pytest.mark.parametrize(("kind", "options", "port", "path"), _CLEAR)
def test_a_secret_in_clear_is_refused(
    kind: str, options: dict[str, Any], port: int, path: tuple[str | int, ...]
) -> None:
    with pytest.raises(ProbeError, match="expected TLS with a verified certificate") as error:
        probe_of(kind, options, port)
    assert error.value.path == path


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "PORTQUORUM_KAFKA_PASSWORD",
        "PORTQUORUM_SECRET_",
        "PORTQUORUM_SECRET_a",
        "PORTQUORUM_SECRET_A_HOSTS",
        "PORTQUORUM_SECRET_A:-x",
        "PORTQUORUM_SECRET_A}${HOME",
        "1",
        "",
    ],
)
@pytest.mark.parametrize(
    "option", [{"bearer": "${%s}"}, {"headers": {"A": "${%s}"}}, {"path": "/${%s}"}]
)
def test_no_other_variable_is_taken(name: str, option: dict[str, Any]) -> None:
    found: dict[str, Any] = {}
    for key, text in option.items():
        found[key] = {"A": text["A"] % name} if isinstance(text, dict) else text % name
    if ":-" in name or not name:
        found.pop("path", None)  # a path has no such characters, or they are checked there
    if not found:
        return
    with pytest.raises(ProbeError, match="no other variable of a prober"):
        probe_of("http", found, 443)


@pytest.mark.parametrize(
    "options",
    [
        {"expect": _PLACEHOLDER},
        {"expect_regex": "^" + _PLACEHOLDER},
        {"expect_headers": {"X-Echo": _PLACEHOLDER}},
        {"headers": {"Host": _PLACEHOLDER}},
        {"server_name": _PLACEHOLDER},
    ],
)
def test_other_options_have_no_secrets(options: dict[str, Any]) -> None:
    with pytest.raises(ProbeError, match="which nothing replaces here"):
        probe_of("http", options, 443)


def test_a_proxy_is_named_without_a_secret() -> None:
    with pytest.raises(ProbeError, match="in the place of the host"):
        probe_of("http", {"proxy": f"http://{_PLACEHOLDER}", "insecure": True}, 443)


def test_a_doubled_dollar_is_one_and_no_placeholder() -> None:
    probe = probe_of("http", {"headers": {"A": "$${HOME} costs $5"}}, 80)
    assert probe is not None
    assert probe.headers == {"A": "$${HOME} costs $5"}  # type: ignore[union-attr]


def test_what_a_dialogue_sends_after_starttls_is_in_tls() -> None:
    steps = [{"send": "STARTTLS\r\n", "expect": "go", "starttls": True}, {"send": _PLACEHOLDER}]
    assert probe_of("tcp", {"steps": steps}, 1) is not None
    steps[0]["send"] = _PLACEHOLDER
    with pytest.raises(ProbeError, match="there is no TLS"):
        probe_of("tcp", {"steps": steps}, 1)


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        (
            {"bearer": "$PORTQUORUM_SECRET_TOKEN"},
            ("bearer",),
            "expected ${PORTQUORUM_SECRET_TOKEN}, or $$ for a $ that is meant as it stands",
        ),
        (
            {"client_certificate": {"certificate": "/etc/a.pem", "key": _PLACEHOLDER}},
            ("client_certificate", "certificate"),
            "expected a secret with the PEM (${PORTQUORUM_SECRET_…}), found a text that is none",
        ),
    ],
)
def test_a_text_that_was_meant_as_a_secret_is_refused(
    options: dict[str, Any], path: tuple[str | int, ...], message: str
) -> None:
    with pytest.raises(ProbeError) as error:
        probe_of("http", options, 443)
    assert error.value.path == path
    assert message in str(error.value)
    assert probe_of("http", {"bearer": "$$PORTQUORUM_SECRET_TOKEN"}, 443) is not None
