"""Modules of the exporter as targets."""

from typing import Any

import pytest

from portquorum.importing.prometheus import checks
from portquorum.importing.prometheus.making import CannotError, Making
from portquorum.importing.prometheus.modules import module_of
from portquorum.importing.secrets import Secrets
from portquorum.importing.source_yaml import Fields
from portquorum.inventory.probes import probe_of
from producers.kinds.registry import KINDS

URL = "https://a.example/health"


def made(
    prober: str, target: str, *, hostname: str = "", **options: Any
) -> tuple[dict[str, Any], list[str]]:
    """The target's fields and the differences; the options pass the inventory's own rules."""
    entry, making = _made(prober, target, hostname, options)
    probe_of(entry["kind"], entry.get("probe"), entry.get("port", KINDS[entry["kind"]].port))
    return entry, making.differences


def _made(
    prober: str, target: str, hostname: str, options: dict[str, Any]
) -> tuple[dict[str, Any], Making]:
    written = Fields({"prober": prober, prober: options}, "blackbox.yml", "m")
    making = Making(module_of("m", written), Secrets())
    return checks.made(making, target, hostname), making


def why_not(prober: str, target: str, **options: Any) -> str:
    with pytest.raises(CannotError) as caught:
        _made(prober, target, "", options)
    return str(caught.value)


def test_an_empty_module_of_http() -> None:
    assert made("http", "a.example") == (
        {"kind": "http", "host": "a.example", "probe": {"redirects": 10}},
        [],
    )


def test_a_url_with_all_that_a_request_may_have() -> None:
    entry, differences = made(
        "http",
        URL,
        method="post",
        headers={"Host": "b.example", "X-Api-Key": "hunter22", "Accept": "text/html"},
        body="{}",
        basic_auth={"username": "me", "password": "hunter2"},
        tls_config={"insecure_skip_verify": True},
    )
    assert differences == []
    assert entry["probe"] == {
        "path": "/health",
        "critical_days": 0,
        "method": "POST",
        "verify": False,
        "server_name": "b.example",
        "basic_auth": {"username": "me", "password": "${PORTQUORUM_SECRET_M_PASSWORD}"},
        "headers": {
            "Host": "b.example",
            "X-Api-Key": "${PORTQUORUM_SECRET_M_X_API_KEY}",
            "Accept": "text/html",
        },
        "body": "{}",
        "redirects": 10,
        "insecure": True,
    }


def test_no_secret_is_copied() -> None:
    entry, _ = made(
        "http",
        "https://user:hunter1@a.example/?token=x",
        headers={"Authorization": "Basic aHVudGVyMg=="},
        body='{"password": "hunter3"}',
        proxy_url="http://me:hunter4@proxy.example:3128",
    )
    assert "hunter" not in repr(entry)
    assert "aHVudGVyMg" not in repr(entry)
    assert entry["probe"]["proxy"] == ("http://me:${PORTQUORUM_SECRET_M_PROXY}@proxy.example:3128")


@pytest.mark.parametrize(
    ("options", "bearer"),
    [
        ({"bearer_token": "abc"}, True),
        ({"bearer_token_file": "/run/token"}, True),
        ({"authorization": {"credentials": "abc"}}, True),
        ({"authorization": {"type": "Token", "credentials_file": "/x"}}, False),
    ],
)
def test_logins_by_a_token(options: dict[str, Any], bearer: bool) -> None:
    probe = made("http", URL, **options)[0]["probe"]
    named = "${PORTQUORUM_SECRET_M_TOKEN}"
    if bearer:
        assert probe["bearer"] == named
    else:
        assert probe["headers"] == {"Authorization": f"Token {named}"}


def test_statuses_of_redirects_are_those_after_all_redirects() -> None:
    # One that stands by itself would not be followed here, as it is there.
    assert made("http", URL, valid_status_codes=[200, 204, 301, 302])[0]["probe"]["status"] == [
        200,
        204,
        "301-301",
        "302-302",
    ]
    alone = made("http", URL, valid_status_codes=[301], follow_redirects=False)[0]["probe"]
    assert (alone["status"], alone["redirects"]) == ([301], 0)
    older = made("http", URL, no_follow_redirects=True)[0]["probe"]
    assert older["redirects"] == 0


def test_what_must_and_must_not_be_in_an_answer() -> None:
    entry, differences = made(
        "http",
        URL,
        fail_if_body_matches_regexp=["maintenance"],
        fail_if_body_not_matches_regexp=["a.*b"],
        fail_if_header_matches=[{"header": "Server", "regexp": "^old"}],
        fail_if_header_not_matches=[{"header": "X-Cache", "regexp": "HIT", "allow_missing": True}],
    )
    assert differences == []
    assert entry["probe"]["conditions"] == [
        {"header": "Server", "matches": "^old", "not": True},
        {"header": "Server", "exists": True},
        {"header": "X-Cache", "matches": "HIT", "or_missing": True},
        {"body": True, "matches": "maintenance", "not": True},
        {"body": True, "matches": "(?-s)a.*b"},  # Go's `.` is no line end
    ]


@pytest.mark.parametrize(
    ("expression", "conditions"),
    [
        ('body.status == "up"', [{"json": "$.status", "equals": "up"}]),
        (
            "body.n >= 3 && size(body.list) > 0",
            [{"json": "$.n", "at_least": 3}, {"json": "$.list", "length": True, "more_than": 0}],
        ),
        ("5 > body['a b'][0]", [{"json": "$['a b'][0]", "less_than": 5}]),
        ("has(body.x)", [{"json": "$.x", "exists": True}]),
        (
            "body.x != null",
            [{"json": "$.x", "exists": True}, {"json": "$.x", "equals": None, "not": True}],
        ),
    ],
)
def test_comparisons_of_cel(expression: str, conditions: list[dict[str, Any]]) -> None:
    probe = made("http", URL, fail_if_body_json_not_matches_cel=expression)[0]["probe"]
    assert probe["conditions"] == conditions


def test_cel_that_must_not_hold() -> None:
    probe = made("http", URL, fail_if_body_json_matches_cel="body.n > 3")[0]["probe"]
    assert probe["conditions"] == [{"json": "$.n", "at_most": 3}]
    assert "CEL" in why_not("http", URL, fail_if_body_json_matches_cel="body.a.exists(x, x > 1)")


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        (URL, {"valid_http_versions": ["HTTP/2.0"]}, "speak HTTP/1.1"),
        (URL, {"valid_http_versions": ["HTTP/1.1", "HTTP/2"]}, "speaks HTTP/2 over TLS"),
        (URL, {"fail_if_not_ssl": True}, "a redirect to http://"),
        ("http://a.example", {"fail_if_not_ssl": True}, "redirects to https:// is not"),
        ("http://a.example", {"fail_if_ssl": True}, "a redirect to https://"),
        (URL, {"body_size_limit": "1MB"}, "more than 1MB"),
        (URL, {"compression": "gzip"}, "packed with gzip"),
        (URL, {"tls_config": {"ca_file": "/ca.pem"}}, "SSL_CERT_FILE"),
        (URL, {"tls_config": {"min_version": "TLS10"}}, "TLS 1.0 is down"),
        (URL, {"proxy_from_environment": True}, "HTTP_PROXY"),
        (URL, {"ip_protocol_fallback": False}, "addresses of IPv4 are tried too"),
        (URL, {"headers": {"Connection": "close"}}, "the header Connection"),
    ],
)
def test_what_is_only_nearly_the_same(target: str, options: dict[str, Any], said: str) -> None:
    _, differences = made("http", target, **options)
    assert len(differences) == 1
    assert said in differences[0]


@pytest.mark.parametrize(
    "options",
    [
        {"valid_http_versions": ["HTTP/1.1", "HTTP/2.0"]},
        {"preferred_ip_protocol": "ip4"},
        {"follow_redirects": False, "fail_if_not_ssl": True},
        {"tls_config": {"min_version": "TLS12"}},
    ],
)
def test_what_is_exactly_the_same(options: dict[str, Any]) -> None:
    assert made("http", URL, **options)[1] == []


@pytest.mark.parametrize(
    ("prober", "target", "options", "why"),
    [
        ("http", URL, {"oauth2": {"client_id": "x"}}, "OAuth"),
        ("http", URL, {"body_file": "/b"}, "the file /b"),
        ("http", URL, {"enable_http3": True}, "HTTP/3"),
        ("http", URL, {"follow_redirects": False, "fail_if_ssl": True}, "always down"),
        ("http", URL, {"proxy_url": "socks5://p:1"}, "socks5"),
        ("http", "ftp://a", {}, "one of ftp://"),
        ("tcp", "a.example", {}, "needs a port"),
        ("tcp", "a.example:99999", {}, "from 1 to 65535"),
        ("dns", "a.example", {"query_name": "x", "dns_over_tls": True}, "DNS over TLS"),
        ("dns", "a.example", {"query_name": "x", "query_class": "CH"}, "class CH"),
        ("dns", "a.example", {}, "would not load"),
        ("unix", "/run/x.sock", {}, "own machine"),
        ("http", URL, {"fail_if_body_matches_regexp": ["("]}, "would not load"),
    ],
)
def test_what_is_left_out(prober: str, target: str, options: dict[str, Any], why: str) -> None:
    assert why in why_not(prober, target, **options)


def test_a_port_and_a_handshake() -> None:
    assert made("tcp", "[2001:db8::1]:22")[0] == {"kind": "tcp", "host": "2001:db8::1", "port": 22}
    tls = made("tcp", "a.example:993", tls=True, tls_config={"min_version": "TLS13"})[0]
    assert tls == {
        "kind": "tls",
        "host": "a.example",
        "port": 993,
        "probe": {"min_version": "1.3", "critical_days": 0},
    }


def test_a_dialogue_waits_first_and_sends_then() -> None:
    entry, differences = made(
        "tcp",
        "a.example:25",
        query_response=[
            {"expect": "^220 (.*)$", "labels": [{"name": "banner", "value": "${1}"}]},
            {"send": "EHLO x\r"},
            {"expect": "^250-STARTTLS"},
            {"send": "STARTTLS\r"},
            {"expect": "^220"},
            {"starttls": True},
            {"send": "QUIT\r"},
        ],
    )
    assert differences == []
    assert entry["probe"] == {
        "steps": [
            {"expect_regex": "(?m)^220 ([^\\n]*)\\r?$[^\\n]*\\n"},
            {"send": "EHLO x\r\n", "expect_regex": "(?m)^250-STARTTLS[^\\n]*\\n"},
            {"send": "STARTTLS\r\n", "expect_regex": "(?m)^220[^\\n]*\\n", "starttls": True},
            {"send": "QUIT\r\n"},
        ],
        "critical_days": 0,
    }


def test_what_is_sent_one_after_the_other_is_one_step() -> None:
    steps = made(
        "tcp",
        "a.example:6667",
        query_response=[{"send": "NICK a"}, {"send": "USER a"}, {"expect": "^:"}],
    )[0]["probe"]["steps"]
    assert steps == [{"send": "NICK a\nUSER a\n", "expect_regex": "(?m)^:[^\\n]*\\n"}]


def test_an_answer_that_is_said_back_ends_the_dialogue() -> None:
    entry, differences = made(
        "tcp",
        "a.example:6667",
        query_response=[
            {"send": "NICK a"},
            {"expect": "PING :([^ ]+)", "send": "PONG ${1}"},
            {"expect": "^:[^ ]+ 001"},
        ],
    )
    assert [*entry["probe"]["steps"][0]] == ["send", "expect_regex"]
    assert len(entry["probe"]["steps"]) == 1
    assert "repeats what the server said" in differences[0]


def test_bytes_and_logins_in_a_dialogue() -> None:
    entry, _ = made(
        "tcp",
        "a.example:6379",
        query_response=[
            {"send": "AUTH hunter2"},
            {"expect": "OK"},
            {"send": "GET ${THE_KEY}"},
            {"expect_bytes": "$1\r"},
            {"send": "\ue000AP8="},
        ],
    )
    assert entry["probe"]["insecure"] is True
    assert entry["probe"]["steps"] == [
        {"send": "AUTH ${PORTQUORUM_SECRET_M_LOGIN}\n", "expect_regex": "(?m)OK[^\\n]*\\n"},
        {"send": "GET ${PORTQUORUM_SECRET_THE_KEY}\n", "expect_regex": "\\A\\$1\\x0d"},
        {"send_hex": "00 ff 0a"},
    ]


def test_a_ping() -> None:
    entry, differences = made("icmp", "gw.example", ttl=5, source_ip_address="192.0.2.1")
    assert entry == {"kind": "icmp", "host": "gw.example", "probe": {"count": 1, "max_loss": 0}}
    assert [one.split()[0] for one in differences] == ["it", "that"]


def test_a_question_of_dns() -> None:
    entry, differences = made(
        "dns",
        "192.0.2.53:5353",
        query_name="example.com.",
        query_type="MX",
        transport_protocol="tcp",
        valid_rcodes=["NOERROR"],
        validate_answer_rrs={"fail_if_none_matches_regexp": ["mail\\.example\\.com"]},
    )
    assert differences == []
    assert entry == {
        "kind": "dns",
        "host": "192.0.2.53",
        "port": 5353,
        "probe": {
            "name": "example.com",
            "record": "MX",
            "transport": "tcp",
            "rcode": "NOERROR",
            "expect_regex": "mail\\.example\\.com",
        },
    }


@pytest.mark.parametrize(
    ("regex", "data"),
    [
        (".*127.0.0.1", "127.0.0.1"),
        ("^example.com.\\t300\\tIN\\tA\\t192.0.2.1$", "192.0.2.1$"),
        ("example.com.    300   IN   MX   10 mail", "10 mail"),
        ("\\sIN\\sA\\s+192", "192"),
        ("(192|198)", "(192|198)"),
    ],
)
def test_an_expression_of_a_record_is_one_of_its_data(regex: str, data: str) -> None:
    validated = {"fail_if_none_matches_regexp": [regex], "fail_if_matches_regexp": ["x"]}
    probe = made("dns", "a.example", query_name="b.example", validate_answer_rrs=validated)[0]
    assert probe["probe"]["expect_regex"] == data


def test_headers_of_the_client_are_sent_too() -> None:
    written = {"X-A": {"values": ["1", "2"]}, "X-B": {"files": ["/run/b"]}, "X-C": "plain"}
    assert made("http", URL, http_headers=written)[0]["probe"]["headers"] == {
        "X-A": "1, 2",
        "X-B": "${PORTQUORUM_SECRET_M_X_B}",
        "X-C": "${PORTQUORUM_SECRET_M_X_C}",
    }


def test_the_older_names_of_fields() -> None:
    probe = made("http", URL, fail_if_not_matches_regexp=["a"], fail_if_matches_regexp=["b"])[0]
    assert probe["probe"]["conditions"] == [
        {"body": True, "matches": "b", "not": True},
        {"body": True, "matches": "a"},
    ]


def test_a_field_that_is_not_known_is_a_difference() -> None:
    assert made("http", URL, of_tomorrow=1)[1] == [
        "the field http.of_tomorrow of the module is not known here"
    ]


def test_what_is_not_looked_at_in_an_answer_of_dns_is_told() -> None:
    entry, differences = made(
        "dns",
        "ns.example",
        query_name="example.com",
        valid_rcodes=["NOERROR", "NXDOMAIN"],
        recursion_desired=False,
        validate_answer_rrs={
            "fail_if_not_matches_regexp": [".*127.0.0.1"],
            "fail_if_matches_regexp": ["192"],
        },
        validate_authority_rrs={"fail_if_none_matches_regexp": ["ns"]},
    )
    assert entry["probe"]["expect_regex"] == "127.0.0.1"
    assert len(differences) == 6


def test_grpc() -> None:
    entry, _ = made("grpc", "a.example", service="s", tls=True, metadata={"authorization": ["x1"]})
    assert entry == {
        "kind": "grpc",
        "host": "a.example",
        "port": 443,
        "probe": {
            "service": "s",
            "critical_days": 0,
            "metadata": {"authorization": "${PORTQUORUM_SECRET_M_AUTHORIZATION}"},
        },
    }
    assert made("grpc", "a.example:443")[0]["probe"] == {"tls": False}


def test_a_websocket() -> None:
    entry, differences = made(
        "websocket",
        "wss://a.example/live",
        headers={"Origin": {"values": ["https://a.example"]}, "X-Token": {"secrets": ["abcd"]}},
        query_response=[{"expect": "welcome"}, {"send": "ping"}, {"expect": "p.ng"}],
    )
    assert differences == ["messages that do not fit are passed over until one does"]
    assert entry["probe"] == {
        "path": "/live",
        "critical_days": 0,
        "headers": {
            "Origin": "https://a.example",
            "X-Token": "${PORTQUORUM_SECRET_M_X_TOKEN}",
        },
        "steps": [
            {"expect_regex": "welcome"},
            {"send": "ping", "expect_regex": "(?-s)p.ng"},
        ],
    }


def test_the_parameter_hostname() -> None:
    probe = made("http", "https://192.0.2.1/", hostname="a.example")[0]["probe"]
    assert (probe["headers"], probe["server_name"]) == ({"Host": "a.example"}, "a.example")
    assert made("tcp", "192.0.2.1:443", hostname="a.example", tls=True)[0]["probe"] == {
        "critical_days": 0,
        "server_name": "a.example",
    }


@pytest.mark.parametrize(
    ("no_proxy", "asked_through"),
    [
        ("example", False),
        (".example", False),
        ("a.example", False),
        ("b.example", True),
        ("a.example:8443", True),
        ("*", False),
        ("192.0.2.0/24", True),
    ],
)
def test_hosts_that_are_asked_without_the_proxy(no_proxy: str, asked_through: bool) -> None:
    probe = made("http", URL, proxy_url="http://p.example:3128", no_proxy=no_proxy)[0]["probe"]
    assert ("proxy" in probe) == asked_through
