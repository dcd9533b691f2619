"""What the wings share: lengths of time, variables, statuses, URLs, ids."""

from pathlib import Path

import pytest

from portquorum.importing import hiding
from portquorum.importing.durations import seconds
from portquorum.importing.environment import MissingVariableError, expand, names_in, read_env_file
from portquorum.importing.identity import Ids
from portquorum.importing.model import Place
from portquorum.importing.private_hosts import is_private
from portquorum.importing.secrets import Secrets, looks_secret
from portquorum.importing.source_yaml import Fields, documents_of
from portquorum.importing.statuses import statuses
from portquorum.importing.timing import fit
from portquorum.importing.urls import http_entry, http_place

HERE = Place("config.yaml", 3)


@pytest.mark.parametrize(
    ("written", "found"),
    [("30s", 30), ("1h30m", 5400), ("1.5m", 90), ("250ms", 0.25), ("1d", 86400), (0, 0)],
)
def test_lengths_of_time(written: object, found: float) -> None:
    assert seconds(written) == pytest.approx(found)


@pytest.mark.parametrize("written", ["", "5", "1m 30s", "-5s", True, None, "1" * 500, "s"])
def test_what_is_no_length_of_time(written: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        seconds(written)


def test_a_bare_number_has_the_unit_that_the_source_gives_it() -> None:
    assert seconds(20, unit_s=1) == 20
    assert seconds("2", unit_s=60) == 120


def test_a_threshold_is_a_time() -> None:
    found = fit(interval_s=60, timeout_s=10, failures=3, recoveries=2)
    wanted = {"interval": "1m", "timeout": "10s", "retries": 1, "open_after": "2m"}
    assert found.fields == wanted | {"recover_after": 2}
    assert found.before.told_after_s == 120
    assert found.differences == []


def test_a_row_that_fits_into_the_interval_is_retries() -> None:
    found = fit(interval_s=300, timeout_s=10, failures=3, failure_gap_s=60)
    assert found.fields == {
        "interval": "5m",
        "timeout": "10s",
        "retries": 2,
        "retry_delay": "1m",
    }


def test_what_does_not_fit_twice_has_no_retry_and_a_longer_timeout_than_the_interval_is_told() -> (
    None
):
    assert fit(interval_s=15, timeout_s=10).fields["retries"] == 0
    found = fit(interval_s=5, timeout_s=10)
    assert found.fields == {"interval": "5s", "timeout": "5s", "retries": 0}
    assert found.differences == ["the timeout is 5s, as long as the interval, and not 10s"]


def test_variables() -> None:
    have = {"A": "x", "EMPTY": ""}
    assert expand("${A}/$A/$$A/${B:-d}/${EMPTY-e}/${EMPTY:-e}/$", have) == "x/x/$A/d//e/$"
    assert names_in("${A} $B $$C") == ("A", "B")
    with pytest.raises(MissingVariableError, match="the variable NO has no value") as caught:
        expand("${NO}", have)
    assert caught.value.name == "NO"
    with pytest.raises(MissingVariableError, match="the variables X, Y and Z have no value"):
        expand("${X}$Y${A}${Z}${X}", have)


def test_a_dotenv_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text('# c\nexport A=1\nB=\'x # y\'\nC="l1\\nl2"  # c\nD=v # c\nE=\nF="a\nb"\n')
    assert read_env_file(path) == {
        "A": "1",
        "B": "x # y",
        "C": "l1\nl2",
        "D": "v",
        "E": "",
        "F": "a\nb",
    }
    path.write_text("A=1\nwhat is this\n")
    with pytest.raises(ValueError, match=r"\.env:2: expected NAME=value"):
        read_env_file(path)


def test_statuses() -> None:
    assert statuses(["200-299", "401", 403, "3xx"]) == ["200-399", 401, 403]
    assert statuses("200,301 302") == [200, 301, 302]
    with pytest.raises(ValueError, match="expected statuses"):
        statuses("OK")


def test_urls() -> None:
    place = http_place("https://Bob:p%40ss@Example.org:8443/a b?q=ä#frag")
    assert (place.host, place.port, place.tls) == ("example.org", 8443, True)
    assert (place.path, place.username, place.password) == ("/a%20b?q=%C3%A4", "Bob", "p@ss")
    entry = http_entry(http_place("https://example.org/$x?k=${PORTQUORUM_SECRET_K}"))
    assert entry == {
        "kind": "http",
        "host": "example.org",
        "port": 443,
        "probe": {"path": "/$$x?k=${PORTQUORUM_SECRET_K}", "critical_days": 0},
    }
    assert http_entry(http_place("http://x.org")) == {"kind": "http", "host": "x.org"}
    assert http_entry(http_place("http://x.org:443"))["probe"] == {"tls": False}
    with pytest.raises(ValueError, match="expected a URL") as caught:
        http_place("https://u:secret@/x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["10.0.0.1", "nas", "nas.lan", "x.svc", "127.0.0.1", "fd00::1"])
def test_private_hosts(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize("host", ["example.org", "8.8.8.8", "2606:4700::1", "not a host"])
def test_public_hosts(host: str) -> None:
    assert not is_private(host)


def test_ids() -> None:
    ids = Ids()
    assert ids.give("core", "Front End", "") == ("core-front-end", False)
    assert ids.give("core", "front end", "") == ("core-front-end-2", True)
    assert ids.give("", "日本", "example.org 443") == ("example.org-443", True)
    assert ids.give("", "x" * 300, "")[0] == "x" * 128
    assert len(ids.give("", "x" * 300, "")[0]) == 128


def test_secrets_have_names_and_the_same_value_the_same() -> None:
    secrets = Secrets()
    assert secrets.check("api-token", HERE, "a", value="v") == "${PORTQUORUM_SECRET_API_TOKEN}"
    assert secrets.check("other", HERE, "b", value="v") == "${PORTQUORUM_SECRET_API_TOKEN}"
    assert secrets.check("api-token", HERE, "c", value="w") == "${PORTQUORUM_SECRET_API_TOKEN_2}"
    assert secrets.channel("1 hook", HERE, "d") == "${N1_HOOK}"
    assert [one.of_checks for one in secrets.found] == [True, True, False]


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "apiToken", "password", "Cookie"])
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["Accept", "User-Agent", "X-Forwarded-For", "Content-Type", "q"])
def test_names_of_no_secrets(name: str) -> None:
    assert not looks_secret(name)


def test_secrets_within_requests() -> None:
    secrets = Secrets()
    about = (secrets, HERE, "api")
    assert hiding.header("Accept", "text/html", *about) == "text/html"
    login = hiding.header("Authorization", "Bearer abcdef", *about)
    assert login == "Bearer ${PORTQUORUM_SECRET_API_AUTHORIZATION}"
    assert hiding.header("Cookie", login, *about) == login
    path = hiding.path(
        "/v1/release-2024-notes-of-the-week?a=1&api_key=ghijkl", hiding.hider(*about)
    )
    assert path == "/v1/release-2024-notes-of-the-week?a=1&api_key=${PORTQUORUM_SECRET_API_API_KEY}"
    hook = hiding.path("/hooks/4f9a8b7c6d5e4f3a2b1c0d9e/run", hiding.hider(*about))
    assert hook == "/hooks/${PORTQUORUM_SECRET_API_PATH}/run"
    assert hiding.body('{"q": [1, "x"]}', *about) == '{"q": [1, "x"]}'
    body = hiding.body('{"login": {"password": "hunter22"}}', *about)
    assert body == '{"login": {"password": "${PORTQUORUM_SECRET_API_PASSWORD}"}}'
    assert (
        hiding.body("user=me&token=mnopqr", *about)
        == "user=me&token=${PORTQUORUM_SECRET_API_TOKEN}"
    )
    assert hiding.body("the password is: x", *about) == "${PORTQUORUM_SECRET_API_BODY}"
    assert hiding.body("ping", *about) == "ping"
    assert not any("abcdef" in str(one) or "hunter22" in str(one) for one in secrets.found)


def test_fields_know_what_was_not_used() -> None:
    roots, _ = documents_of("a: 1\nb: {c: yes, d: 2}\ne: x\nlist: [{f: 1}, {g: 2}]\n", "f.yaml")
    fields = Fields(roots[0].value, "f.yaml")
    assert fields.number("a") == 1
    assert fields.child("b").boolean("c")
    assert [one.text("f") for one in fields.children("list")] == ["1", ""]
    fields.skip("e", "why")
    assert [(one.what, one.place.line, one.why) for one in fields.unused("no")] == [
        ("e", 3, "why"),
        ("b.d", 2, "no"),
        ("list[1].g", 4, "no"),
    ]
