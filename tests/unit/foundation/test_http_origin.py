from email.message import Message

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from foundation.http_origin import SETTING, Headers, Served, is_forwarded, refusal

LOOPBACK = Served("127.0.0.1")
EVERYWHERE = Served("0.0.0.0", ("prober", "metrics.example.org"))
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0"


def asked(served: Served = LOOPBACK, method: str = "GET", **headers: str) -> str | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return refusal(method, named, served)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:8123", "127.9.8.7:1", "localhost", "LOCALHOST:8123"),
        *("localhost.:8123", "[::1]", "[::1]:8123", "[0:0:0:0:0:0:0:1]:80", "[::ffff:127.0.0.1]"),
    ],
)
def test_this_machine_is_named_in_many_ways(host: str) -> None:
    for served in (LOOPBACK, Served("::1"), Served("localhost"), EVERYWHERE, Served("10.0.0.5")):
        assert asked(served, Host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8123", "127.0.0.1.evil.example", "localhost.evil.example"),
        *("a.localhost", "localhost.localdomain", "192.168.0.7:8123", "0.0.0.0:8123", "[::]:8123"),
        *("127.1", "2130706433", "0x7f000001", "[fe80::1%25eth0]:8123", "[2001:db8::1]", "prober"),
    ],
)
def test_another_host_is_refused_with_what_to_do(host: str) -> None:
    why = asked(Host=host)
    assert why is not None
    assert repr(host) in why
    assert SETTING in why


@pytest.mark.parametrize(
    "host",
    [
        *("", " ", "a b", "127.0.0.1:x", "127.0.0.1:", "127.0.0.1:123456", "u@127.0.0.1", "::1"),
        *("127.0.0.1, evil.example", "http://127.0.0.1", "127.0.0.1/", "[::1", "local\nhost", "é"),
        *("127.0.0.1\N{ARABIC-INDIC DIGIT ONE}", "localhost#evil.example"),
    ],
)
def test_a_host_that_is_none_is_refused(host: str) -> None:
    assert "expected host[:port] in Host" in (asked(Host=host) or "")
    assert asked(EVERYWHERE, Host=host) is not None


def test_a_listener_on_all_addresses_answers_for_each_address_and_for_names_that_are_given() -> (
    None
):
    for listen in ("0.0.0.0", "::", "[::]", ""):
        served = Served(listen, ("prober", "metrics.example.org"))
        for host in (
            *("10.1.2.3:9400", "[2001:db8::1]:9400", "[fe80::1%25eth0]:9400"),
            *("prober:9400", "Prober", "metrics.EXAMPLE.org.:443"),
        ):
            assert asked(served, Host=host) is None, (listen, host)
        for host in ("evil.example", "prober.evil.example", "0.0.0.0:9400", "[::]", "xprober"):
            assert SETTING in (asked(served, Host=host) or ""), (listen, host)


def test_a_listener_on_one_address_answers_for_it_and_not_for_others() -> None:
    served = Served("10.0.0.5", ("Prober1", "10.0.0.6"))
    for host in ("10.0.0.5:9400", "[::ffff:10.0.0.5]", "prober1", "10.0.0.6"):
        assert asked(served, Host=host) is None, host
    for host in ("10.0.0.7:9400", "prober2", "0.0.0.0"):
        assert asked(served, Host=host) is not None, host
    assert asked(Served("2001:DB8:0::1"), Host="[2001:db8::1]:80") is None
    assert asked(Served("prober1.example.org"), Host="Prober1.Example.org:9400") is None


def test_a_client_without_host_is_no_browser() -> None:
    """HTTP/1.0 needs none."""
    assert asked() is None
    assert asked(User_Agent="curl/8") is None
    for sign in ("Origin", "Referer", "Sec-Fetch-Site", "Sec-CH-UA", "Access-Control-Request-X"):
        why = refusal("GET", {sign: "x"}, LOOPBACK)
        assert why is not None
        assert "Host" in why


@pytest.mark.parametrize("name", ["Host", "Origin", "Sec-Fetch-Site", "Referer"])
def test_what_says_who_asks_comes_once(name: str) -> None:
    headers: CIMultiDict[str] = CIMultiDict({"Host": "localhost", "Origin": "http://localhost"})
    headers.setdefault(name, "none")
    headers.add(name.lower(), headers[name])
    assert f"expected one {name} header, found 2" in (refusal("GET", headers, LOOPBACK) or "")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "", "other"])
@pytest.mark.parametrize("mode", ["navigate", "no-cors", "cors", "websocket"])
def test_pages_of_other_sites_and_of_other_ports_are_refused(site: str, mode: str) -> None:
    for served in (LOOPBACK, EVERYWHERE):
        why = asked(served, Host="127.0.0.1:8123", Sec_Fetch_Site=site, Sec_Fetch_Mode=mode)
        assert why is not None
        assert "Sec-Fetch-Site" in why


def test_a_typed_address_and_the_servers_own_pages_are_fine() -> None:
    host = "127.0.0.1:8123"
    assert asked(Host=host, Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate") is None
    assert asked(Host=host, Sec_Fetch_Site="same-origin", Origin=f"http://{host}") is None
    assert asked(Host=host, Referer=f"http://{host}/play?x#y", User_Agent=BROWSER) is None
    assert asked(Host="LOCALHOST", Origin="http://localhost") is None
    assert asked(Host="localhost:80", Origin="http://localhost") is None
    assert asked(Host="[::1]:8123", Origin="http://[0::1]:8123") is None
    assert asked(Host=host, Referer="/here") is None
    assert asked(Host=host, Referer="") is None


@pytest.mark.parametrize("name", ["Origin", "Referer"])
@pytest.mark.parametrize(
    "page",
    [
        *("http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8123", "null"),
        *("http://127.0.0.1", "http://localhost:8123", "http://127.0.0.1:8123.evil.example"),
        *("http://127.0.0.1:8123@evil.example", "file://", "chrome-extension://abc", "http://["),
        *("http://[::1]:8123", "//evil.example/", "http://127.0.0.1:99999", "android-app://a/"),
    ],
)
def test_a_page_of_another_origin_is_refused(name: str, page: str) -> None:
    for method in ("GET", "POST", "HEAD"):
        headers = {"Host": "127.0.0.1:8123", name: page}
        if name == "Referer" and page == "null":
            continue  # a path
        why = refusal(method, headers, LOOPBACK)
        assert why is not None, method
        assert f"expected {name} http://127.0.0.1:8123" in why
        assert repr(page) in why


def test_an_origin_that_is_empty_is_refused() -> None:
    assert "Origin" in (asked(Host="localhost", Origin="") or "")


def test_a_page_whose_name_leads_here_is_refused_although_all_is_of_one_origin() -> None:
    """DNS rebinding."""
    for served in (LOOPBACK, EVERYWHERE, Served("::")):
        why = asked(
            served,
            method="POST",
            Host="evil.example:8123",
            Origin="http://evil.example:8123",
            Sec_Fetch_Site="same-origin",
        )
        assert why is not None
        assert "evil.example" in why


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
def test_a_preflight_is_refused_also_of_the_same_origin(method: str) -> None:
    for name in ("Access-Control-Request-Method", "access-control-request-private-network"):
        headers = {"Host": "127.0.0.1", "Origin": "http://127.0.0.1", name: "POST"}
        assert "Access-Control-Request" in (refusal(method, headers, LOOPBACK) or "")


def test_a_target_in_absolute_form_names_a_host_too() -> None:
    ours = {"Host": "127.0.0.1:8123"}
    assert refusal("GET", ours, LOOPBACK, "http://127.0.0.1:8123/?query=SELECT+1") is None
    assert refusal("GET", ours, LOOPBACK, "/?next=http://evil.example/") is None
    assert refusal("OPTIONS", ours, LOOPBACK, "*") is None
    assert "evil" in (refusal("GET", ours, LOOPBACK, "http://evil.example/") or "")
    assert "evil" in (refusal("GET", {}, LOOPBACK, "HTTP://evil.example?x") or "")
    assert refusal("GET", ours, LOOPBACK, "http://u@127.0.0.1/") is not None
    assert refusal("GET", {"Host": "evil.example"}, LOOPBACK, "http://127.0.0.1/") is not None
    assert "proxy" in (refusal("CONNECT", ours, LOOPBACK, "127.0.0.1:80") or "")


def test_a_long_header_is_not_said_whole() -> None:
    for headers in ({"Host": "a" * 9000}, {"Host": "localhost", "Origin": "b" * 9000}):
        assert len(refusal("GET", headers, LOOPBACK) or "") < 1000


def test_behind_a_proxy_that_ends_tls_the_page_is_of_https() -> None:
    served = Served("127.0.0.1", ("ch.example.org",))
    page = {"Host": "ch.example.org", "Origin": "https://ch.example.org"}
    assert refusal("POST", page, served) is not None
    assert refusal("POST", page | {"X-Forwarded-Proto": "https"}, served) is None
    foreign = page | {"Origin": "https://ch.example.org:8443", "X-Forwarded-Proto": "https"}
    assert refusal("POST", foreign, served) is not None


@pytest.mark.parametrize(
    "name",
    [
        *("Forwarded", "Via", "X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-HOST"),
        *("X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Ray", "X-Envoy-External-Address"),
        *("X-Original-Forwarded-For", "X-Cluster-Client-IP", "Fastly-Client-IP", "CDN-Loop"),
        *("X-Amzn-Trace-Id", "X-Cloud-Trace-Context", "X-Azure-ClientIP", "Fly-Client-IP"),
    ],
)
def test_what_proxies_add_tells_them(name: str) -> None:
    assert is_forwarded({"Host": "127.0.0.1:8123", name: ""})


def test_what_clients_send_is_not_taken_for_a_proxy() -> None:
    sent = {
        "Host": "127.0.0.1:8123",
        "User-Agent": "Prometheus/3.0",
        "Accept": "*/*",
        "Accept-Encoding": "gzip",
        "Authorization": "Basic x",
        "Connection": "keep-alive",
        "Content-Type": "text/plain",
        "Cookie": "a=b",
        "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "Upgrade-Insecure-Requests": "1",
        "X-ClickHouse-User": "default",
        "X-Prometheus-Scrape-Timeout-Seconds": "10",
        "X-Request-ID": "1",
    }
    assert not is_forwarded(sent)


def of_http_server(fields: dict[str, str]) -> Headers:
    message = Message()
    for name, value in fields.items():
        message[name] = value
    return message


def of_aiohttp(fields: dict[str, str]) -> Headers:
    return CIMultiDictProxy(CIMultiDict(fields))


@pytest.mark.parametrize("made", [of_http_server, of_aiohttp, dict])
def test_the_headers_of_each_server_are_understood(made: type) -> None:
    assert refusal("GET", made({"Host": "localhost:9402"}), LOOPBACK) is None
    assert refusal("GET", made({"HOST": "evil.example"}), LOOPBACK) is not None
    page = {"host": "localhost", "SEC-fetch-SITE": "cross-site"}
    assert refusal("GET", made(page), LOOPBACK) is not None
    assert is_forwarded(made({"x-FORWARDED-for": "1.2.3.4"}))
    assert not is_forwarded(made({"Host": "localhost:9402"}))


def test_two_hosts_are_one_malformed_host_in_wsgi() -> None:
    """As wsgiref (its `get_environ`) joins them."""
    assert "," in (asked(Host="127.0.0.1,127.0.0.1") or "")


FOLLOWED = {
    "Host": "localhost:9480",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Referer": "https://chat.example.org/",
}


def test_a_followed_link_is_let_in_where_links_are_meant_to_be_followed() -> None:
    assert refusal("GET", FOLLOWED, LOOPBACK, links=True) is None
    assert refusal("HEAD", FOLLOWED, LOOPBACK, links=True) is None
    assert "Sec-Fetch-Site" in (refusal("GET", FOLLOWED, LOOPBACK) or "")


@pytest.mark.parametrize(
    "changed",
    [
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Dest": "embed"},
        {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"},
        {"Origin": "https://chat.example.org"},
        {"Host": "evil.example"},
        {"Access-Control-Request-Method": "GET"},
    ],
)
def test_anything_else_from_another_page_is_refused_there_too(changed: dict[str, str]) -> None:
    assert refusal("GET", FOLLOWED | changed, LOOPBACK, links=True) is not None


def test_a_form_of_another_page_is_refused_there_too() -> None:
    assert refusal("POST", FOLLOWED, LOOPBACK, links=True) is not None
