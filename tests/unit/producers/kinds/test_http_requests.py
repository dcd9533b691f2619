"""The bytes of a request, what a redirect makes of it, cookies, and the URL of a proxy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.checks.errors import CheckFailedError
from producers.kinds.http_cookies import MOST_BYTES, MOST_COOKIES, Cookies
from producers.kinds.http_head import Head
from producers.kinds.http_proxy_url import ProxyUrl, parsed
from producers.kinds.http_request import Request, after
from producers.kinds.http_url import RequestUrl

HERE = RequestUrl("http", "a.example.com", 80, "/first")
FIELDS = {
    "x-token": ("X-Token", "t"),
    "authorization": ("Authorization", "Bearer t"),
    "content-type": ("Content-Type", "text/plain"),
}


def url(text: str) -> RequestUrl:
    scheme, _, rest = text.partition("://")
    host, _, path = rest.partition("/")
    name, _, port = host.partition(":")
    return RequestUrl(scheme, name, int(port or (443 if scheme == "https" else 80)), f"/{path}")


def head_of(status: int, *cookies: str) -> Head:
    return Head(status, "", {b"set-cookie": [one.encode("latin-1") for one in cookies]})


def test_the_bytes_of_a_request() -> None:
    request = Request(HERE, "POST", FIELDS, "ü".encode())
    lines = [
        "POST /first HTTP/1.1",
        "Host: a.example.com",
        "User-Agent: portquorum",
        "Accept: */*",
        "X-Token: t",
        "Authorization: Bearer t",
        "Content-Type: text/plain",
        "Content-Length: 2",
        "Connection: close",
    ]
    plain = "\r\n".join([*lines, "", ""]).encode() + "ü".encode()
    assert request.encoded(None, absolute=False, login=None) == plain
    lines[0] = "POST http://a.example.com/first HTTP/1.1"
    lines[7:7] = ["Cookie: a=b", "Proxy-Authorization: Basic x"]
    proxied = "\r\n".join([*lines, "", ""]).encode() + "ü".encode()
    assert request.encoded("a=b", absolute=True, login="Basic x") == proxied


def test_what_the_user_says_goes_before_what_we_say() -> None:
    own = {"user-agent": ("user-agent", "me"), "host": ("Host", "b"), "cookie": ("Cookie", "c=d")}
    said = Request(HERE, "GET", own).encoded("a=b", absolute=False, login=None)
    assert said.split(b"\r\n")[1:4] == [b"Host: b", b"user-agent: me", b"Accept: */*"]
    assert said.count(b"Cookie:") == 1
    assert b"Cookie: c=d; a=b\r\n" in said


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
def test_the_method_after_a_redirect_is_that_of_the_fetch_standard(
    method: str, status: int
) -> None:
    body = b"x" if method in {"POST", "PUT", "PATCH"} else None
    following = after(Request(HERE, method, FIELDS, body), url("http://a.example.com/b"), status)
    changes = (status in {301, 302} and method == "POST") or (
        status == 303 and method not in {"GET", "HEAD"}
    )
    assert (following.method, following.body) == (("GET", None) if changes else (method, body))
    assert ("content-type" in following.fields) is not changes
    assert "authorization" in following.fields
    assert following.own


@pytest.mark.parametrize(
    "place",
    [
        "http://b.example.com/",
        "https://a.example.com/",
        "http://a.example.com:81/",
        "http://a.example.com.evil.test/",
    ],
)
def test_another_origin_gets_nothing_and_the_first_one_no_more(place: str) -> None:
    following = after(Request(HERE, "GET", FIELDS), url(place), 302)
    assert (following.fields, following.body, following.own) == ({}, None, False)
    back = after(following, HERE, 302)
    assert (back.fields, back.own) == ({}, False)
    for method, body in (("POST", b"x"), ("DELETE", None), ("GET", b"x"), ("OPTIONS", None)):
        with pytest.raises(CheckFailedError, match="which no check does"):
            after(Request(HERE, method, FIELDS, body), url(place), 307)
    # After one that has come back the method is as harmless as it was.
    assert after(Request(HERE, "POST", FIELDS, b"x"), url(place), 302).method == "GET"


@pytest.mark.parametrize(
    ("setter", "cookie", "place", "sent"),
    [
        ("http://a.example.com/", "a=b", "http://a.example.com/x", "a=b"),
        ("http://a.example.com/", "a=b", "http://b.example.com/", None),
        ("http://a.example.com/", "a=b; Domain=example.com", "http://b.example.com/", "a=b"),
        ("http://a.example.com/", "a=b; Domain=other.test", "http://other.test/", None),
        ("http://a.example.com/", "a=b; Domain=com", "http://b.com/", None),
        ("http://a.example.com/", "a=b; Path=/x", "http://a.example.com/y", None),
        ("http://a.example.com/", "a=b; Path=/x", "http://a.example.com/x/y", "a=b"),
        ("https://a.example.com/", "a=b; Secure", "http://a.example.com/", None),
        ("https://a.example.com/", "a=b; Secure; HttpOnly", "https://a.example.com/", "a=b"),
        ("http://a.example.com/", "a=b; Max-Age=0", "http://a.example.com/", None),
        ("http://a.example.com/", "a=b\rX: y", "http://a.example.com/", None),
        ("http://a.example.com/", "a=" + "b" * MOST_BYTES, "http://a.example.com/", None),
        ("http://127.0.0.1:81/", "a=b", "http://127.0.0.1:82/", "a=b"),
        (*["http://a/", f"a=b; Max-Age={'9' * 3_000}", "http://a/"], "a=b"),
        (*["http://a/", f"a=b; version={'9' * 3_000}", "http://a/"], None),
    ],
)
def test_a_cookie_goes_where_it_may(setter: str, cookie: str, place: str, sent: str | None) -> None:
    cookies = Cookies()
    cookies.take(url(setter), head_of(302, cookie))
    assert cookies.field(url(place)) == sent


def test_later_cookies_replace_earlier_ones_and_there_are_not_many() -> None:
    cookies, place = Cookies(), url("http://a.example.com/")
    cookies.take(place, head_of(302, "a=1", "b=2"))
    cookies.take(place, head_of(302, "a=3"))
    assert cookies.field(place) == "a=3; b=2"
    for first in range(0, 1_000, 100):
        cookies.take(place, head_of(302, *(f"c{number}=1" for number in range(first, first + 100))))
    assert len((cookies.field(place) or "").split(";")) <= 2 * MOST_COOKIES


@given(
    st.lists(
        st.binary(max_size=60) | st.sampled_from([b"a=b; Expires=", b"=; Port=", b'"']), max_size=8
    )
)
def test_no_cookie_breaks_a_check_or_the_next_request(parts: list[bytes]) -> None:
    cookies, place = Cookies(), url("http://a.example.com/")
    cookies.take(place, Head(302, "", {b"set-cookie": [b"".join(parts).replace(b"\n", b"")]}))
    field = cookies.field(place)
    assert field is None or not set(field) & set("\r\n\0")
    Request(place, "GET", {}).encoded(field, absolute=False, login=None)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("http://proxy.example.com:3128", ProxyUrl(None, "proxy.example.com", 3128)),
        ("HTTP://Proxy.Example.COM.:3128/", ProxyUrl(None, "proxy.example.com", 3128)),
        ("http://a:b:c%40@10.0.0.1:80", ProxyUrl("a:b:c%40", "10.0.0.1", 80)),
        (
            "http://a:${PORTQUORUM_SECRET_P}@p.test:80",
            ProxyUrl("a:${PORTQUORUM_SECRET_P}", "p.test", 80),
        ),
        ("http://[::1]:3128", ProxyUrl(None, "::1", 3128)),
    ],
)
def test_the_url_of_a_proxy(written: str, found: ProxyUrl) -> None:
    assert parsed(written) == found


@pytest.mark.parametrize(
    "written",
    [
        *("", "proxy:3128", "http://proxy", "socks5://proxy:1080", "https://proxy:3128"),
        *("http://a@b@proxy:3128", "http://proxy:3128/path", "http://proxy:99999", "http://:3128"),
        *("http://a:hunter2@:3128", "http://a:hunter2@pro xy:3128", "http://a:hunter2@p?x:3128"),
    ],
)
def test_what_is_none_is_refused_without_its_password(written: str) -> None:
    with pytest.raises(ValueError, match="proxy: expected") as found:
        parsed(written)
    assert "hunter2" not in str(found.value)
