"""The blackbox exporter itself beside our checks that were imported from its modules.

Both ask the same servers on loopback, one right after the other; the verdicts of what was taken
over exactly must be the same.
"""

import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

import pytest
import yaml

from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options, Taken
from portquorum.importing.prometheus import read_blackbox
from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.resolve import resolve
from producers.engine.single_check import check_once
from schemas.target import Target
from tests.integration.kinds.servers import free_port, program, running
from tests.wide.blackbox import servers
from tests.wide.server import Pems

pytestmark = [pytest.mark.wide, pytest.mark.timeout(600)]

TIMEOUT: Final = "2s"
NOT_THE_SAME: Final = frozenset(
    {
        # Nobody answers there without an end of line; here the connection's end is none.
        "banner without an end of line, closed",
        # What the server said is not said back here.
        "irc, wrong word",
        # The status alone is looked at where a redirect should lead to TLS.
        "must be TLS, is not",
        # A redirect to TLS is followed.
        "must not be TLS, redirected to it",
    }
)


class Case(NamedTuple):
    """A module and a target."""

    name: str
    prober: str
    options: dict[str, Any]
    target: str


class Ports(NamedTuple):
    plain: int
    secure: int
    mail: int
    banner: int
    no_end: int
    no_end_closed: int
    silent: int
    chat: int
    wrong_chat: int
    names: int
    grpc: int
    dead: int


def http(ports: Ports) -> Iterator[Case]:
    """Cases of HTTP, each with the path and the options of its module."""
    post = {"method": "POST", "body": '{"a": 1}', "headers": {"Content-Type": "application/json"}}
    pages: list[tuple[str, str, dict[str, Any]]] = [
        ("fine", "/", {}),
        ("no content", "/empty", {}),
        ("missing", "/missing", {}),
        ("broken", "/broken", {}),
        ("missing is fine", "/missing", {"valid_status_codes": [200, 404]}),
        ("only 204", "/", {"valid_status_codes": [204]}),
        ("moved", "/moved", {}),
        ("moved, 301 is fine", "/moved", {"valid_status_codes": [301]}),
        ("moved, 200 and 301 are fine", "/moved", {"valid_status_codes": [200, 301, 302]}),
        ("leads to nothing, 302 is fine", "/found-missing", {"valid_status_codes": [200, 302]}),
        ("moved, not followed", "/moved", {"follow_redirects": False}),
        (
            "moved, not followed, fine",
            "/moved",
            {"follow_redirects": False, "valid_status_codes": [301]},
        ),
        ("nowhere", "/nowhere", {}),
        ("nowhere is fine", "/nowhere", {"valid_status_codes": [301]}),
        ("loop", "/loop", {}),
        ("10 redirects", "/hop/10", {}),
        ("11 redirects", "/hop/11", {}),
        ("body", "/", {"fail_if_body_not_matches_regexp": ["healthy"]}),
        ("body lacks it", "/", {"fail_if_body_not_matches_regexp": ["well"]}),
        ("body has what it must not", "/", {"fail_if_body_matches_regexp": ["heal"]}),
        ("body lacks what it must not have", "/", {"fail_if_body_matches_regexp": ["ill"]}),
        ("`.` is no line end", "/", {"fail_if_body_not_matches_regexp": ["one.all"]}),
        ("`.` with (?s)", "/", {"fail_if_body_not_matches_regexp": ["(?s)one.all"]}),
        ("the body as a whole", "/", {"fail_if_body_not_matches_regexp": ["^line"]}),
        ("end of the body", "/", {"fail_if_body_not_matches_regexp": ["one$"]}),
        ("header", "/", {"fail_if_header_not_matches": [_header("Server", "^old")]}),
        ("header is another", "/", {"fail_if_header_not_matches": [_header("Server", "new")]}),
        ("header is missing", "/", {"fail_if_header_not_matches": [_header("X-No", "a")]}),
        (
            "header may be missing",
            "/",
            {"fail_if_header_not_matches": [_header("X-No", "a", allow_missing=True)]},
        ),
        ("header that must not be", "/", {"fail_if_header_matches": [_header("Server", "old")]}),
        ("header that is not", "/", {"fail_if_header_matches": [_header("Server", "new")]}),
        ("header that must be there", "/", {"fail_if_header_matches": [_header("X-No", "a")]}),
        (
            "header that may be missing",
            "/",
            {"fail_if_header_matches": [_header("X-No", "a", allow_missing=True)]},
        ),
        ("login", "/login", {"basic_auth": {"username": "me", "password": "secret1"}}),
        ("wrong login", "/login", {"basic_auth": {"username": "me", "password": "secret2"}}),
        ("token", "/login", {"bearer_token": "token-1"}),
        ("token of another scheme", "/login",
         {"authorization": {"type": "X", "credentials": "token-1"}}),
        ("no login", "/login", {}),
        ("host", "/host", {"headers": {"Host": "b.example"}}),
        ("post", "/any", post),
        ("post without a body", "/any", {"method": "POST"}),
        ("head", "/", {"method": "HEAD"}),
        ("packed", "/packed", {"compression": "gzip"}),
        ("not packed", "/", {"compression": "gzip"}),
        ("said to be packed", "/said-packed", {"compression": "identity"}),
        ("HTTP/1.1", "/", {"valid_http_versions": ["HTTP/1.1", "HTTP/2.0"]}),
        ("must be TLS, is not", "/", {"fail_if_not_ssl": True}),
        ("must be TLS, redirected to it", "/to-tls", {"fail_if_not_ssl": True}),
        ("must not be TLS, redirected to it", "/to-tls", {"fail_if_ssl": True}),
        ("redirected to TLS", "/to-tls", {}),
    ]  # fmt: skip
    for name, path, options in pages:
        yield Case(name, "http", options, f"http://127.0.0.1:{ports.plain}{path}")
    secure = f"https://localhost:{ports.secure}/"
    yield Case("TLS", "http", {}, secure)
    yield Case("must be TLS", "http", {"fail_if_not_ssl": True}, secure)
    no_redirect = {"fail_if_not_ssl": True, "follow_redirects": False}
    yield Case("must be TLS, no redirects", "http", no_redirect, secure)
    other = {"tls_config": {"server_name": "other.example"}}
    yield Case("TLS of another name", "http", other, secure)
    unverified = {"tls_config": {"server_name": "other.example", "insecure_skip_verify": True}}
    yield Case("TLS not verified", "http", unverified, secure)
    yield Case("Host of another name", "http", {"headers": {"Host": "b.example"}}, secure)
    yield Case("TLS 1.3", "http", {"tls_config": {"min_version": "TLS13"}}, secure)
    yield Case("no scheme", "http", {}, f"127.0.0.1:{ports.plain}")
    yield Case("nobody there", "http", {}, f"http://127.0.0.1:{ports.dead}/")
    yield Case("HTTP without HTTP", "http", {}, f"http://127.0.0.1:{ports.banner}/")
    yield Case("TLS without TLS", "http", {}, f"https://127.0.0.1:{ports.plain}/")
    yield Case("silent", "http", {}, f"http://127.0.0.1:{ports.silent}/")


def _header(name: str, regexp: str, **more: Any) -> dict[str, Any]:
    return {"header": name, "regexp": regexp, **more}


def dialogues(ports: Ports) -> Iterator[Case]:
    """Cases of tcp."""

    def tcp(name: str, port: int, steps: list[dict[str, Any]] | None = None, **more: Any) -> Case:
        options = ({"query_response": steps} if steps else {}) | more
        return Case(name, "tcp", options, f"127.0.0.1:{port}")

    banner = [{"expect": "^SSH-2.0-"}, {"send": "SSH-2.0-check"}]
    trusted = {"tls_config": {"server_name": "localhost"}}
    starttls = [
        {"expect": "^220 "},
        {"send": "EHLO x\r"},
        {"expect": "^250-STARTTLS"},
        {"send": "STARTTLS\r"},
        {"expect": "^220"},
        {"starttls": True},
        {"send": "EHLO x\r"},
        {"expect": "^250 "},
        {"send": "QUIT\r"},
    ]
    yield tcp("open", ports.plain)
    yield tcp("closed", ports.dead)
    yield tcp("banner", ports.banner, banner)
    yield tcp("banner of the end of a line", ports.banner, [{"expect": "^SSH-2.0-.*_9$"}])
    yield tcp("another banner", ports.mail, banner)
    yield tcp("banner without an end of line", ports.no_end, [{"expect": "^SSH"}])
    yield tcp("banner without an end of line, closed", ports.no_end_closed, [{"expect": "^SSH"}])
    yield tcp("no banner", ports.silent, [{"expect": "^220"}])
    yield tcp("the second line", ports.mail, [{"expect": "^220 mail"}])
    yield tcp("a line twice", ports.mail, [{"expect": "^220"}, {"expect": "^220 "}])
    yield tcp("a line that was taken", ports.mail, [{"expect": "^220 "}, {"expect": "^220"}])
    yield tcp("not across lines", ports.mail, [{"expect": "first.*ESMTP"}])
    yield tcp("not across lines by a class", ports.mail, [{"expect": "first[^x]*ESMTP"}])
    yield tcp("mail with starttls", ports.mail, starttls, **trusted)
    wrong = {"tls_config": {"server_name": "other.example"}}
    yield tcp("starttls of another name", ports.mail, starttls, **wrong)
    unverified = {"tls_config": {"insecure_skip_verify": True}}
    yield tcp("starttls not verified", ports.mail, starttls, **unverified)
    yield tcp("starttls where there is none", ports.banner, starttls, **trusted)
    yield tcp("handshake", ports.secure, tls=True)
    yield tcp("handshake of another name", ports.secure, tls=True, **wrong)
    yield tcp("handshake where there is no TLS", ports.plain, tls=True)
    yield tcp("handshake with a silent one", ports.silent, tls=True)
    head = [{"send": "GET / HTTP/1.0\r\n\r"}, {"expect": "^HTTP/1.. 200"}, {"expect": "^all he"}]
    yield tcp("dialogue in TLS", ports.secure, head, tls=True)
    yield tcp("dialogue in TLS, another answer", ports.secure, [*head, {"expect": "x"}], tls=True)
    irc = [
        {"send": "NICK prober"},
        {"send": "USER prober prober prober :prober"},
        {"expect": "PING :([^ ]+)", "send": "PONG ${1}"},
        {"expect": "^:[^ ]+ 001"},
    ]
    yield tcp("irc", ports.chat, irc)
    yield tcp("irc, wrong word", ports.wrong_chat, irc)


def datagrams(ports: Ports) -> Iterator[Case]:
    """Cases of icmp, grpc and dns."""
    yield Case("ping", "icmp", {}, "127.0.0.1")
    yield Case("ping a name", "icmp", {"preferred_ip_protocol": "ip4"}, "localhost")
    yield Case("ping nobody", "icmp", {}, "nobody.invalid")
    yield Case("health", "grpc", {}, f"127.0.0.1:{ports.grpc}")
    yield Case("health of one", "grpc", {"service": "good"}, f"127.0.0.1:{ports.grpc}")
    yield Case("health of a bad one", "grpc", {"service": "bad"}, f"127.0.0.1:{ports.grpc}")
    yield Case("health of none", "grpc", {"service": "none"}, f"127.0.0.1:{ports.grpc}")
    yield Case("health of a dead one", "grpc", {}, f"127.0.0.1:{ports.dead}")

    def dns(name: str, asked: str, **more: Any) -> Case:
        options = {"query_name": asked, "query_type": "A"} | more
        return Case(name, "dns", options, f"127.0.0.1:{ports.names}")

    def records(condition: str, *regexes: str) -> dict[str, Any]:
        return {"validate_answer_rrs": {f"fail_if_{condition}_regexp": list(regexes)}}

    yield dns("question", "www.example")
    yield dns("question over TCP", "www.example", transport_protocol="tcp")
    yield dns("no record", "www.example", query_type="AAAA")
    yield dns("no name", "none.example")
    yield dns("no name is fine", "none.example", valid_rcodes=["NXDOMAIN"])
    yield dns("a name, and none is fine", "www.example", valid_rcodes=["NXDOMAIN"])
    yield dns("refused", "refused.example")
    yield dns("record", "www.example", **records("none_matches", "192\\.0\\.2\\.1"))
    yield dns("another record", "www.example", **records("none_matches", "192\\.0\\.2\\.9"))
    yield dns("record of none", "www.example", query_type="TXT", **records("none_matches", "x"))
    yield dns("all records", "www.example", **records("not_matches", "192\\.0\\.2\\.."))
    yield dns("mail", "www.example", query_type="MX", **records("none_matches", "10\\smail"))
    yield Case("question to nobody", "dns", {"query_name": "x.example", "query_type": "A"},
               f"127.0.0.1:{ports.dead}")  # fmt: skip


@pytest.fixture(scope="module")
def ports(pems: Pems) -> Iterator[Ports]:
    cert, key = str(pems.cert), str(pems.key)
    greeting = servers.greeting
    wrong = greeting(b"PING :x\r\n:irc 433 used\r\n", waits=True)
    with ExitStack() as stack:
        plain, secure = stack.enter_context(servers.pages(cert, key))
        talks = (
            servers.mail(cert, key),
            greeting(b"SSH-2.0-OpenSSH_9\r\n", waits=True),
            greeting(b"SSH-2.0-x", waits=True),
            greeting(b"SSH-2.0-x", waits=False),
            greeting(b"", waits=True),
            servers.chat,
            wrong,
        )
        found = [stack.enter_context(servers.talking(talk)) for talk in talks]
        names, health = (
            stack.enter_context(servers.names()),
            stack.enter_context(servers.healths()),
        )
        yield Ports(plain, secure, *found, names, health, free_port())


def module(case: Case) -> dict[str, Any]:
    return {"prober": case.prober, "timeout": TIMEOUT, case.prober: case.options}


@pytest.fixture(scope="module")
def cases(ports: Ports) -> list[Case]:
    return [*http(ports), *dialogues(ports), *datagrams(ports)]


@pytest.fixture(scope="module")
def exporter(cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the exporter with a module for each case."""
    name = program("prometheus-blackbox-exporter", "/usr/local/bin/blackbox_exporter")
    folder = tmp_path_factory.mktemp("exporter")
    file = folder / "blackbox.yml"
    file.write_text(yaml.safe_dump({"modules": {case.name: module(case) for case in cases}}))
    port = free_port()
    command = [name, f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}"]
    with running(command, port, folder / "log"):
        yield port


def asked_there(port: int, case: Case) -> bool:
    """What the exporter says: `probe_success`."""
    query = urllib.parse.urlencode({"module": case.name, "target": case.target})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/probe?{query}", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return "probe_success 1" in lines


async def asked_here(target: Target) -> str | None:
    """The reason of our check; None: up."""
    outcome = await check_once(
        str(target.host), target.port, target.kind, target.timeout_ms / 1000, probe=target.probe
    )
    assert outcome.reason != "prober_error", outcome.detail
    return None if outcome.status == "up" else f"{outcome.reason}: {outcome.detail}"


@pytest.fixture(scope="module")
def imported(
    cases: list[Case], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Taken, Target | None]]:
    """Each case as `portquorum import blackbox` takes it over."""
    folder = tmp_path_factory.mktemp("import")
    modules, jobs = folder / "blackbox.yml", folder / "prometheus.yml"
    modules.write_text(yaml.safe_dump({"modules": {case.name: module(case) for case in cases}}))
    relabel = [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"target_label": "__address__", "replacement": "blackbox:9115"},
    ]
    written = [
        {
            "job_name": case.name,
            "metrics_path": "/probe",
            "params": {"module": [case.name]},
            "static_configs": [{"targets": [case.target]}],
            "relabel_configs": relabel,
        }
        for case in cases
    ]
    jobs.write_text(yaml.safe_dump({"global": {}, "scrape_configs": written}))
    inventory, report = assemble(read_blackbox([modules, jobs], Options()), Options())
    entries = Entries()
    problems = decode(tree.Root("inventory", tree.planted(inventory), 0), entries)
    targets = {one.id: one for one in resolve(entries, "test", problems).targets}
    assert len(report.entries) == len(cases)
    return {
        case.name: (entry, targets[entry.ids[0]] if entry.ids else None)
        for case, entry in zip(cases, report.entries, strict=True)
    }


async def test_the_verdicts_are_those_of_the_exporter(
    cases: list[Case],
    exporter: int,
    imported: dict[str, tuple[Taken, Target | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for case, secret in (("LOGIN", "secret1"), ("WRONG_LOGIN", "secret2")):
        monkeypatch.setenv(f"PORTQUORUM_SECRET_{case}_PASSWORD", secret)
    for case in ("TOKEN", "TOKEN_OF_ANOTHER_SCHEME"):
        monkeypatch.setenv(f"PORTQUORUM_SECRET_{case}_TOKEN", "token-1")
    wrong: list[str] = []
    counts = dict.fromkeys(("exact", "nearly", "left_out"), 0)
    for case in cases:
        entry, target = imported[case.name]
        counts[entry.outcome] += 1
        if target is None:
            wrong.append(f"{case.name}: left out: {entry.why}")
            continue
        there, here = asked_there(exporter, case), await asked_here(target)
        same = there == (here is None)
        if not same and case.name not in NOT_THE_SAME:
            wrong.append(f"{case.name} ({entry.outcome}): there {there}, here {here or 'up'}")
        if same and case.name in NOT_THE_SAME:
            wrong.append(f"{case.name} is the same by now")
        if not same and entry.outcome == "exact" and case.name not in NOT_THE_SAME:
            wrong.append(f"{case.name} is told to be exact")
    print(f"\n{len(cases)} modules: {counts}")  # noqa: T201
    assert wrong == []
