"""The metrics over real sockets: who gets them, and that nobody can hurt the role with them."""

import base64
import contextlib
import gzip
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from foundation import metrics_server
from foundation.http_origin import SETTING
from foundation.metrics_server import MOST_CONNECTIONS, MOST_SHARE, PASSWORD_SETTING
from foundation.settings import Settings, SettingsError, load
from foundation.telemetry import own_names, serve_metrics

Counter("portquorum_test_answers", "for these tests").inc()
SOMETHING = b"portquorum_test_answers_total 1.0"


def served(**settings: str) -> int:
    return serve_metrics("stream", Settings(metrics="127.0.0.1:0", **settings))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def port() -> int:
    return served(http_hosts="prober, metrics.example.org")


def said(port: int, sent: bytes, host: str = "127.0.0.1") -> tuple[int, bytes, bytes]:
    """Status, head and body of the answer to these bytes."""
    with socket.create_connection((host, port), timeout=30) as connection:
        connection.sendall(sent)
        answer = b""
        while read := connection.recv(65536):
            answer += read
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def got(port: int, *headers: str, first: str = "GET /metrics HTTP/1.1") -> tuple[int, bytes, bytes]:
    fields = list(headers)
    if not any(field.lower().startswith("host:") for field in fields):
        fields.insert(0, f"Host: 127.0.0.1:{port}")
    return said(port, "\r\n".join((first, *fields, "", "")).encode())


def test_prometheus_gets_them(port: int) -> None:
    status, head, body = got(port, "User-Agent: Prometheus/3.0", "Accept: text/plain;version=0.0.4")
    assert status == 200
    assert SOMETHING in body
    assert b"text/plain" in head
    status, head, body = got(port, "Accept: application/openmetrics-text;version=1.0.0")
    assert b"application/openmetrics-text" in head
    assert body.endswith(b"# EOF\n")
    status, head, body = got(port, "Accept-Encoding: gzip")
    assert SOMETHING in gzip.decompress(body)
    one = "GET /metrics?name[]=portquorum_test_answers_total HTTP/1.1"
    assert b"python_info" not in got(port, first=one)[2]


@pytest.mark.parametrize("host", ["localhost", "[::1]:{}", "prober:{}", "Metrics.example.ORG"])
def test_names_that_are_this_servers(port: int, host: str) -> None:
    assert got(port, f"Host: {host.format(port)}")[0] == 200


@pytest.mark.parametrize(
    "header",
    [
        "Host: evil.example:{}",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Origin: http://127.0.0.1:1",
        "Origin: null",
        "Referer: http://evil.example/",
        "Access-Control-Request-Method: GET",
    ],
)
def test_no_page_gets_anything(port: int, header: str) -> None:
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        for path in ("/metrics", "/", "/other"):
            answer = got(port, header.format(port), first=f"{method} {path} HTTP/1.1")
            assert answer[0] == 403, (method, path)
            assert SOMETHING not in answer[2]
            assert b"access-control-allow" not in answer[1].lower()
    assert b"expected" in got(port, header.format(port))[2]


def test_who_comes_by_a_proxy_needs_a_password(port: int) -> None:
    status, _, body = got(port, "X-Forwarded-For: 10.0.0.1")
    assert status == 403
    assert PASSWORD_SETTING.encode() in body

    guarded = served(metrics_password="geheim:é")  # noqa: S106
    right = base64.b64encode("prometheus:geheim:é".encode()).decode()
    wrong = base64.b64encode(b"prometheus:geheim").decode()
    for forwarded in ("Via: 1.1 a", "Accept: */*"):
        assert got(guarded, forwarded, f"Authorization: Basic {right}")[0] == 200
        for header in ("X: y", f"Authorization: Basic {wrong}", "Authorization: Basic é"):
            status, head, body = got(guarded, forwarded, header)
            assert status == 401
            assert b"www-authenticate: basic" in head.lower()
            assert SOMETHING not in body
        assert got(guarded, f"Authorization: Bearer {right}")[0] == 401
        # A password does not let a page in.
        page = got(guarded, f"Authorization: Basic {right}", "Sec-Fetch-Site: same-site")
        assert page[0] == 403


def test_other_methods_and_paths(port: int) -> None:
    status, head, body = got(port, first="HEAD /metrics HTTP/1.1")
    assert (status, body) == (200, b"")
    assert b"content-length: 0" not in head.lower()
    for method in ("POST", "PUT", "DELETE", "TRACE", "OPTIONS", "BREW"):
        status, head, _ = got(port, first=f"{method} /metrics HTTP/1.1")
        assert status == 405
        assert b"allow: get, head" in head.lower()
    assert got(port, first="CONNECT 127.0.0.1:80 HTTP/1.1")[0] == 403
    assert got(port, first="GET /other HTTP/1.1")[0] == 404
    assert got(port, first="GET /favicon.ico HTTP/1.1")[0] == 404
    assert b"/metrics" in got(port, first="GET / HTTP/1.1")[2]
    assert got(port, first=f"GET http://127.0.0.1:{port}/metrics HTTP/1.1")[0] == 200
    assert got(port, first="GET http://evil.example/metrics HTTP/1.1")[0] == 403
    assert got(port, first="GET //[/metrics HTTP/1.1")[0] == 400
    assert got(port, first="GET /metrics?name[]=%ff&%00 HTTP/1.1")[0] == 200
    with_body = b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n" + b"x" * 9
    assert said(port, with_body)[0] == 405


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600) + b"\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 70_000,
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_an_error(port: int, sent: bytes) -> None:
    status, _, body = said(port, sent)
    assert 400 <= status < 500
    assert SOMETHING not in body
    assert got(port)[0] == 200


def test_a_client_of_http_1_0_needs_no_host(port: int) -> None:
    assert SOMETHING in said(port, b"GET /metrics HTTP/1.0\r\n\r\n")[2]
    assert said(port, b"GET /metrics HTTP/1.0\r\nSec-Fetch-Mode: no-cors\r\n\r\n")[0] == 403


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def threads() -> int:
    return threading.active_count()


def test_thousands_of_silent_connections_cost_a_bounded_number_of_descriptors(port: int) -> None:
    """10,000 connections, by which at most 1,000 are held open here at a time; none says a word."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    before, before_threads = descriptors(), threads()
    held: list[socket.socket] = []
    try:
        for number in range(10_000):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.sendall(b"GET /metrics HTTP/1.1\r\n")
            held.append(connection)
            if len(held) > 1000:
                held.pop(0).close()
            if number % 1000 == 999:
                # One that makes room closes within its turn of 20.
                assert descriptors() - before - len(held) <= MOST_CONNECTIONS + 30
                assert got(port)[0] == 200
        assert threads() == before_threads
    finally:
        for connection in held:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert got(port)[0] == 200


def test_a_slow_client_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "REQUEST_S", 0.3)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 20:
                connection.sendall(b"G")
                connection.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    assert connection.recv(1) == b""
                    break
        assert time.monotonic() - began < 20


class Late(Collector):
    """Is not asked for its names when it is registered."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        raise NotImplementedError


class Slow(Late):
    def collect(self) -> Iterator[Metric]:
        time.sleep(0.05)
        yield GaugeMetricFamily("portquorum_test_slow", "takes its time", 1)


class Much(Late):
    """A metric of 10 MB, which no socket takes at once."""

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("portquorum_test_much", "x" * 10_000_000)
        family.add_metric([], 1)
        yield family


class Broken(Late):
    def collect(self) -> Iterator[Metric]:
        raise ZeroDivisionError
        yield


@contextlib.contextmanager
def registered(collector: Collector) -> Iterator[None]:
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)


def test_who_does_not_read_the_answer_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "ANSWER_S", 0.3)
    before = descriptors()
    with registered(Much()), contextlib.ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(
                socket.create_connection(("127.0.0.1", port), timeout=30)
            )
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        deadline = time.monotonic() + 30
        while descriptors() - before > 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert descriptors() - before <= 3
    assert got(port)[0] == 200


def test_a_metric_that_cant_be_read_ends_nothing(port: int) -> None:
    with registered(Broken()):
        status, _, body = got(port)
        assert status == 500
        assert b"ZeroDivisionError" in body
    assert got(port)[0] == 200


def test_making_the_text_takes_a_share_of_a_cpu(port: int) -> None:
    """50 ms of 250, however many ask."""
    with registered(Slow()):
        began = time.monotonic()
        for _ in range(4):
            assert got(port)[0] == 200
        assert time.monotonic() - began > 3 * 0.05 / MOST_SHARE


def test_a_listener_on_all_addresses_says_which_setting_lets_a_name_in() -> None:
    everywhere = serve_metrics("stream", Settings(metrics="[::]:0", http_hosts="prober"))
    for host in ("10.1.2.3:9400", "[2001:db8::1]", "prober", socket.gethostname()):
        assert got(everywhere, f"Host: {host}")[0] == 200, host
    status, _, body = got(everywhere, "Host: other:9400")
    assert status == 403
    assert SETTING.encode() in body
    request = b"GET /metrics HTTP/1.1\r\nHost: [::1]\r\n\r\n"
    assert said(everywhere, request, "::1")[0] == 200


def test_only_a_server_for_others_answers_for_the_machines_names() -> None:
    assert own_names("127.0.0.1") == own_names("::1") == own_names("localhost") == ()
    assert socket.gethostname() in own_names("0.0.0.0")


def test_names_that_are_none_are_said() -> None:
    for wrong in ("http://prober", "prober:9400", "a b", "*", "*.example.org"):
        with pytest.raises(SettingsError, match="PORTQUORUM_HTTP_HOSTS: expected host"):
            load({"PORTQUORUM_HTTP_HOSTS": wrong})
    loaded = load({"PORTQUORUM_HTTP_HOSTS": "prober , ::1,[::1],10.0.0.1,"})
    assert loaded.http_host_names == ("prober", "::1", "[::1]", "10.0.0.1")
    with pytest.raises(SettingsError, match="PORTQUORUM_METRICS_PASSWORD"):
        load({"PORTQUORUM_METRICS_PASSWORD": ""})
