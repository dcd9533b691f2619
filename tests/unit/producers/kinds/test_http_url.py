"""Where a redirect leads, as browsers read it (the URL Standard of the WHATWG)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.checks.errors import CheckFailedError
from producers.kinds.http_url import RequestUrl, next_place, shown_url

PLACE = RequestUrl("http", "h.example", 81, "/p/q?r")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/a b", "http://h.example:81/a%20b"),  # http-client 83, armeria 5477
        (" /a\t\r\nb ", "http://h.example:81/ab"),
        ("/\x01\x7f", "http://h.example:81/%01%7F"),
        ("/\xe9?\xff", "http://h.example:81/%E9?%FF"),
        ("/\xc3\xa9", "http://h.example:81/%C3%A9"),
        ('/<>"`{}', "http://h.example:81/%3C%3E%22%60%7B%7D"),
        ("/%zz%", "http://h.example:81/%zz%"),
        ("?a=b c#d", "http://h.example:81/p/q?a=b%20c"),
        ("#d", "http://h.example:81/p/q?r"),
        ("../../..", "http://h.example:81/"),
        ("s", "http://h.example:81/p/s"),
        ("//other.example/x", "http://other.example/x"),
        ("\\\\other.example\\x", "http://other.example/x"),
        ("https:/path", "https://path/"),
        ("http:path", "http://h.example:81/p/path"),
        ("HTTPS://Other.EXAMPLE", "https://other.example/"),
        ("https://other.example:443/", "https://other.example/"),
        ("http://other.example:443/", "http://other.example:443/"),
        ("http://other.example:/", "http://other.example/"),
        ("http://other.example./", "http://other.example/"),
        ("http://user:password@other.example/", "http://other.example/"),
        ("http://other.example\\@evil.example/", "http://other.example/@evil.example/"),
        ("http://b\xc3\xbccher.example/", "http://xn--bcher-kva.example/"),
        ("http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"),
        ("http://a_b.example/", "http://a_b.example/"),
        ("http://[::1]:9/", "http://[::1]:9/"),
        ("http://[0:0::1]/", "http://[::1]/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
    ],
)
def test_it_leads_where_a_browser_would_go(location: str, url: str) -> None:
    assert next_place(PLACE, location).url == url


@pytest.mark.parametrize(
    "location",
    [
        *("http://", "http://:80/", "//", "http://other.example:0/", "http://other.example:65536/"),
        *("http://other.example:x/", "http://other.example:-1/", "http://[::1", "http://[::1]x/"),
        *("http://[fe80::1%25lo]/", "http://[fe80::1%lo]/", "http://[v1.x]/", "http://256.1.1.1/"),
        *("http://a b/", "http://a%00b/", "http://\xe9\xff/", "http://a..b/", "http://xn--/"),
        *("http://-a.example/", "http://" + "a" * 64, "http://" + "a." * 200, "/" + "x" * 9_000),
        *("ftp://h/", "gopher://h/", "javascript:alert(1)", "data:,x", "file:///etc/passwd"),
        *("mailto:a@b", "about:blank", "ws://h/", "ws://h:8020/", "wss://h:1/", "ftp://h:80/"),
    ],
)
def test_what_is_no_url_of_http_is_the_servers_fault(location: str) -> None:
    with pytest.raises(CheckFailedError, match="a redirect to what is no URL of HTTP") as found:
        next_place(PLACE, location)
    assert found.value.reason == "unexpected_response"


LOCATIONS = st.builds(
    "".join,
    st.lists(
        st.sampled_from(
            [
                *("http:", "https:", "//", "/", "\\", "[", "]", "::1", "fe80::1", "%25", "%", "@"),
                *(":", "80", "0", "65536", "?", "#", "..", ".", "xn--", "h.example", "127.1", "\0"),
            ]
        )
        | st.text(st.characters(max_codepoint=255), max_size=4),
        max_size=12,
    ),
)


def place_or_reason(place: RequestUrl, location: str) -> RequestUrl | str:
    try:
        return next_place(place, location)
    except CheckFailedError as error:
        return error.reason


@given(LOCATIONS, st.sampled_from(["h.example", "127.0.0.1", "::1", "fe80::1%lo"]))
def test_anything_is_a_place_or_the_servers_fault(location: str, host: str) -> None:
    place = RequestUrl("https", host, 443, "/a/b?c")
    found = place_or_reason(place, location)
    if isinstance(found, str):
        assert found == "unexpected_response"
        return
    assert found.scheme in {"http", "https"}
    assert 0 < found.port < 65_536
    # Whatever is in it ends up in a request line, of which it must not be the end.
    assert all("!" <= one <= "~" for one in found.target + found.authority)
    if "%" not in host:
        assert next_place(place, found.url) == found


def test_a_relative_redirect_of_a_host_with_a_zone_stays_there() -> None:
    place = RequestUrl("http", "fe80::1%lo", 80, "/a/b")
    assert next_place(place, "c d") == RequestUrl("http", "fe80::1%lo", 80, "/a/c%20d")
    assert place.authority == "[fe80::1]"  # servers refuse the zone in Host
    assert place.url.startswith("http://[fe80::1%lo]/")
    assert next_place(place, "//h.example/").host == "h.example"


def test_a_query_is_not_shown() -> None:
    assert shown_url("http://h/a?token=secret") == "http://h/a"
