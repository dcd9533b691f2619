"""The request of `http`: methods, bodies, logins, and what a redirect makes of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from producers.kinds.http_options import settle
from schemas.probe import BasicAuth, HttpProbe
from tests.integration.kinds import web_servers
from tests.integration.kinds.answering import answering, http
from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.web_servers import PASSWORD, TOKEN, USER, Web


@pytest.fixture(scope="module")
def web(made_certificates: Certificates) -> Iterator[Web]:
    with web_servers.nginx(made_certificates) as made:
        yield made


@pytest.fixture(scope="module")
def apache() -> Iterator[int]:
    with web_servers.apache() as port:
        yield port


def assert_up(outcome: CheckOutcome) -> None:
    assert (outcome.status, outcome.reason, outcome.detail) == ("up", None, None)


# Methods and bodies


async def test_any_method_with_a_body_is_sent(apache: int) -> None:
    text = "first line\nzweite Zeile: ü €"
    assert_up(await http(apache, path="/dav/a", method="PUT", body=text, status=[201]))
    assert_up(await http(apache, path="/dav/a", expect=text))
    found = '"DAV:"'
    assert_up(
        await http(
            apache,
            path="/dav/a",
            method="PROPFIND",
            headers={"Depth": "0"},
            status=[207],
            expect=found,
        )
    )
    assert_up(await http(apache, path="/dav/a", method="OPTIONS", expect_headers={"dav": "1"}))
    assert_up(await http(apache, path="/dav/a", method="DELETE", status=[204]))
    assert_down(await http(apache, path="/dav/a"), "unexpected_response", "found 404")


async def test_json_is_sent_as_such(apache: int) -> None:
    value = {"query": "{ health }", "n": [1, 2.5, None, True, "ü"]}
    outcome = await http(
        apache,
        path="/reflect",
        method="POST",
        json=value,
        expect_json="$.query",
        json_value='"{ health }"',
        expect_headers={"x-got-type": "^application/json$", "x-got-length": "^[0-9]+$"},
    )
    assert_up(outcome)
    own = {"content-type": "application/vnd.api+json"}
    expected = {"x-got-type": r"^application/vnd\.api\+json$"}
    outcome = await http(
        apache, path="/reflect", method="POST", json=1, headers=own, expect_headers=expected
    )
    assert_up(outcome)


async def test_a_large_body_arrives(apache: int) -> None:
    text = "x" * 60_000 + "the end"
    assert_up(await http(apache, path="/reflect", method="POST", body=text, expect="the end"))


async def test_a_method_that_mostly_has_a_body_has_a_length(web: Web) -> None:
    assert_up(await http(web.port, method="POST", expect="POST [] [] [0] [] []"))
    assert_up(await http(web.port, method="DELETE", expect="DELETE [] [] [] [] []"))


async def test_an_answer_before_the_body_was_taken_counts() -> None:
    """A server that refuses at once need not read on."""
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    async with answering(refusal, reset=True) as port:
        assert_up(await http(port, method="POST", body="x" * 60_000, status=[413]))


# Logins


async def test_a_user_and_a_password_let_in(apache: int) -> None:
    login = {"username": USER, "password": PASSWORD}
    assert_up(await http(apache, path="/basic", basic_auth=login, expect="come in"))
    wrong = {"username": USER, "password": "no"}
    assert_down(
        await http(apache, path="/basic", basic_auth=wrong), "unexpected_response", "found 401"
    )


async def test_a_token_lets_in(web: Web) -> None:
    assert_up(await http(web.port, path="/bearer", bearer=TOKEN, expect="welcome"))
    assert_down(
        await http(web.port, path="/bearer", bearer="other"), "unexpected_response", "found 401"
    )


# Redirects


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("PUT", 302, "PUT"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PATCH", 308, "PATCH"),
    ],
)
async def test_a_redirect_keeps_or_changes_the_method_as_browsers_do(
    web: Web, method: str, status: int, then: str
) -> None:
    body = None if method == "HEAD" else "0123456789"
    expected = {} if then == "HEAD" else {"expect": f"{then} [t] []"}
    if then not in {"GET", "HEAD"}:
        expected = {"expect": f"{then} [t] [] [10] [] [text/plain]"}
    elif then == "GET":
        expected = {"expect": "GET [t] [] [] [] []"}
    headers = {"X-Token": "t", "Content-Type": "text/plain"}
    asked = {"path": f"/same/{status}", "method": method, "headers": headers, **expected}
    if body is not None:
        asked["body"] = body
    assert_up(await http(web.port, **asked))


@pytest.mark.parametrize("status", [307, 308])
async def test_the_body_goes_again_to_the_same_server(apache: int, status: int) -> None:
    outcome = await http(
        apache, path=f"/moved/{status}", method="POST", body="once more", expect="once more"
    )
    assert_up(outcome)


async def test_another_origin_gets_nothing_of_the_target(web: Web) -> None:
    asked: dict[str, Any] = {"headers": {"X-Token": "t", "Cookie": "a=b"}, "bearer": TOKEN}
    nothing = "[] [] [] [] [] at /end"
    assert_up(await http(web.port, path="/away/302", expect=f"GET {nothing}", **asked))
    assert_up(
        await http(web.port, path="/away/302", method="POST", expect=f"GET {nothing}", **asked)
    )
    # Not even when it leads back: it has chosen the path.
    assert_up(await http(web.port, path="/away/and/back", expect=f"GET {nothing}", **asked))


@pytest.mark.parametrize(
    ("probe", "what"),
    [
        ({"method": "POST", "body": "x"}, "POST with its body"),
        ({"method": "DELETE"}, "DELETE"),
        ({"method": "GET", "json": {}}, "GET with its body"),
    ],
    ids=str,
)
async def test_what_may_change_something_goes_to_no_other_origin(
    web: Web, probe: dict[str, Any], what: str
) -> None:
    before = web.told.read_text().count("localhost")
    outcome = await http(web.port, path="/away/307", **probe)
    expected = f"the status 307 leads {what} to another origin, http://localhost:{web.port}/end"
    assert_down(outcome, "unexpected_response", expected)
    assert web.told.read_text().count("localhost") == before


# Cookies


async def test_cookies_are_kept_across_redirects(web: Web) -> None:
    assert_up(await http(web.port, path="/private", expect="welcome back [session=abc]"))
    own = {"Cookie": "mine=1"}
    expected = "welcome back [mine=1; session=abc]"
    assert_up(await http(web.port, path="/private", headers=own, expect=expected))


async def test_a_cookie_goes_where_it_may(web: Web) -> None:
    assert_up(await http(web.port, path="/stranger", expect="GET [] [] ["))
    assert_up(await http(web.port, path="/passed", expect="GET [] [] ["))


async def test_every_check_begins_without_cookies(web: Web) -> None:
    assert_up(await http(web.port, path="/login", redirects=0, status=[302]))
    assert_down(
        await http(web.port, path="/private", redirects=0), "unexpected_response", "found 302"
    )


# SNI


async def test_server_name_is_of_the_target_alone(web: Web, certificates: Certificates) -> None:
    """Not of a host to which a redirect leads."""

    async def https(**probe: Any) -> CheckOutcome:
        return await http(web.tls, tls=True, **probe)

    assert_up(await https(server_name="other.example.com", expect="of other.example.com"))
    assert_down(
        await https(server_name="localhost.example"), "certificate_invalid", "localhost.example"
    )
    moved = f"HTTP/1.1 302 Found\r\nLocation: https://localhost:{web.tls}/\r\n\r\n".encode()
    async with answering(moved, pair=certificates.other) as port:
        outcome = await http(
            port, tls=True, server_name="other.example.com", expect="GET [] of localhost"
        )
    assert_up(outcome)


# Packed bodies


async def test_brotli_of_apache_and_zstd_of_caddy_are_unpacked(apache: int) -> None:
    text = "all is well, " * 200 + "the end"
    asked: dict[str, Any] = {"method": "POST", "body": text, "expect": "the end"}
    wanted = {"headers": {"Accept-Encoding": "br"}, "expect_headers": {"content-encoding": "^br$"}}
    assert_up(await http(apache, path="/packed", **asked, **wanted))
    with web_servers.caddy(text) as port:
        wanted = {
            "headers": {"Accept-Encoding": "zstd"},
            "expect_headers": {"content-encoding": "^zstd$"},
        }
        assert_up(await http(port, expect="the end", **wanted))
        assert_down(await http(port, expect="no end", **wanted), "unexpected_response", "all is w")


# Secrets


async def test_secrets_are_put_in_at_the_moment_of_use(
    apache: int, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_PASSWORD", PASSWORD)
    monkeypatch.setenv("PORTQUORUM_SECRET_TOKEN", TOKEN)

    async def asked(port: int, probe: HttpProbe) -> CheckOutcome:
        settled = settle(probe, port)
        return await measured(lambda: check_once("127.0.0.1", port, "http", 10, probe=settled))

    password, token = "${PORTQUORUM_SECRET_PASSWORD}", "${PORTQUORUM_SECRET_TOKEN}"
    login = BasicAuth(username=USER, password=password)
    assert_up(await asked(apache, HttpProbe(path="/basic", basic_auth=login, insecure=True)))
    assert_up(await asked(web.port, HttpProbe(path="/bearer", bearer=token, insecure=True)))
    body = HttpProbe(path="/reflect", method="POST", body=f"<{token}>", insecure=True)
    outcome = await asked(apache, HttpProbe(**{**_fields(body), "expect": "nothing"}))
    assert_down(outcome, "unexpected_response", "found '<***>'")
    path = HttpProbe(path=f"/end?token={token}", insecure=True, expect=f"at /end?token={TOKEN}")
    assert_up(await asked(web.port, path))
    missing = HttpProbe(bearer="${PORTQUORUM_SECRET_NONE}", insecure=True)
    assert (await asked(web.port, missing)).reason == "secret_missing"


def _fields(probe: HttpProbe) -> dict[str, Any]:
    return {name: getattr(probe, name) for name in probe.__struct_fields__}
