"""Each documented option of a source, set by itself, changes the inventory or is in the report.

What can't change anything is left out: `tls_config` without TLS, how Prometheus asks, and so on.
Sources: README.md of TwiN/gatus; CONFIGURATION.md of prometheus/blackbox_exporter.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from portquorum.importing import report as reporting
from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options
from portquorum.importing.wings import WINGS

Document = dict[str, Any]

URL: Final = "https://a.example.org/"
ENDPOINT: Final[Document] = {"name": "a", "url": URL, "conditions": ["[STATUS] == 200"]}
SLACK: Final = {"slack": {"webhook-url": "https://hooks.slack.com/services/T/B/x"}}
OF_CLIENT: Final[Document] = {
    "client/insecure": True,
    "client/ignore-redirect": True,
    "client/timeout": "3s",
    "client/dns-resolver": "tcp://1.1.1.1:53",
    "client/oauth2": {"token-url": "x"},
    "client/proxy-url": "http://p:1",
    "client/identity-aware-proxy": {"audience": "x"},
    "client/tls": {"certificate-file": "a", "private-key-file": "b"},
    "client/tunnel": "t",
    "client/network": "ip4",
    "client/unknown": 1,
}
OF_ENDPOINT: Final[Document] = {
    "enabled": False,
    "group": "g",
    "extra-labels": {"x": "y"},
    "method": "POST",
    "interval": "7m",
    "graphql": True,
    "body": "x",
    "headers": {"Accept": "x/y"},
    "alerts": [{"type": "slack"}],
    "ui": {"hide-url": True},
    "unknown": 1,
    "maintenance-windows": [{"start": "01:00", "duration": "1h"}],
}
OF_TLS: Final[Document] = {
    "ca_file": "x",
    "cert_file": "x",
    "key_file": "y",
    "server_name": "z",
    "max_version": "TLS12",
    "insecure_skip_verify": True,
    "min_version": "TLS13",
    "unknown": 1,
}
HEADER: Final = [{"header": "a", "regexp": "b"}]
OF_HTTP: Final[Document] = {
    "valid_status_codes": [201],
    "valid_http_versions": ["HTTP/2.0"],
    "method": "POST",
    "headers": {"Accept": "x"},
    "body_size_limit": "1MB",
    "compression": "gzip",
    "no_follow_redirects": True,
    "follow_redirects": False,
    "fail_if_ssl": True,
    "fail_if_not_ssl": True,
    "fail_if_body_json_matches_cel": "body.a == 1",
    "fail_if_body_json_not_matches_cel": "body.a == 1",
    "fail_if_body_matches_regexp": ["x"],
    "fail_if_body_not_matches_regexp": ["x"],
    "fail_if_header_matches": HEADER,
    "fail_if_header_not_matches": HEADER,
    "bearer_token": "tttt",
    "bearer_token_file": "x",
    "basic_auth": {"username": "u", "password": "pass"},
    "oauth2": {"client_id": "x"},
    "authorization": {"credentials": "cccc"},
    "proxy_url": "http://p:1",
    "enable_http3": True,
    "proxy_from_environment": True,
    "skip_resolve_phase_with_proxy": True,
    "body": "x",
    "ip_protocol_fallback": False,
    "body_file": "x",
    "unknown": 1,
    "http_headers": {"a": {"values": ["bcde"]}},
}
OF_DNS: Final[Document] = {
    "source_ip_address": "1.1.1.1",
    "transport_protocol": "tcp",
    "dns_over_tls": True,
    "tls_config": {"server_name": "a"},
    "query_type": "AAAA",
    "query_class": "CH",
    "recursion_desired": False,
    "valid_rcodes": ["NXDOMAIN"],
    "unknown": 1,
    "validate_answer_rrs": {"fail_if_matches_regexp": ["x"]},
    "validate_authority_rrs": {"fail_if_not_matches_regexp": ["x"]},
    "validate_additional_rrs": {"fail_if_none_matches_regexp": ["x"]},
}
OF_WEBSOCKET: Final[Document] = {
    "headers": {"a": {"values": ["bcde"]}},
    "query_response": [{"send": "x"}],
    "unknown": 1,
    "http_config/bearer_token": "xxxx",
    "http_config/proxy_url": "http://p:1",
    "http_config/follow_redirects": False,
    "http_config/proxy_from_environment": True,
    "http_config/http_headers": {"a": {"values": ["b"]}},
    "http_config/unknown": 1,
    "http_config/tls_config": {"min_version": "TLS13"},
}
OF_JOB: Final[Document] = {
    **dict.fromkeys(("honor_labels", "honor_timestamps", "enable_compression"), True),
    **dict.fromkeys(("sample_limit", "label_limit", "target_limit", "body_size_limit"), 5),
    "scheme": "https",
    "basic_auth": {"username": "x"},
    "proxy_url": "x",
    "unknown": 1,
    "scrape_interval": "7s",
    "scrape_timeout": "3s",
    "params": {"module": ["http_post_2xx"]},
    "dns_sd_configs": [{"names": ["x"]}],
    "file_sd_configs": [{"files": ["x.json"]}],
    "params/hostname": ["h.example.org"],
    "params/unknown": ["x"],
}
RELABELLING: Final = [
    {"source_labels": ["__address__"], "target_label": "__param_target"},
    {"target_label": "__address__", "replacement": "bb:9115"},
]


def endpoint(one: Document) -> Document:
    return {"endpoints": [one], "alerting": SLACK}


def of_kind(url: str, condition: str) -> tuple[Document, Document]:
    kept = {name: one for name, one in OF_ENDPOINT.items() if name != "graphql"}
    return ENDPOINT | {"url": url, "conditions": [condition]}, kept | OF_CLIENT


def section(one: Document) -> Document:
    return {"endpoints": [ENDPOINT], **one}


def job(one: Document) -> Document:
    whole = {"job_name": "j", "metrics_path": "/probe", "relabel_configs": RELABELLING}
    whole["static_configs"] = [{"targets": [URL]}]
    return {"global": {"scrape_interval": "30s"}, "scrape_configs": [whole | one]}


def alone(kind: str, document: Document, folder: Path, modules: Document | None = None) -> str:
    """The inventory and the report, without places, as one text."""
    path, of_modules = folder / "source.yaml", folder / "modules.yaml"
    path.write_text(json.dumps(document))
    of_modules.write_text(json.dumps({"modules": modules}))
    options = Options(blackbox=() if modules is None else (of_modules,))
    inventory, report = assemble(WINGS[kind]([path], options), options)  # type: ignore[index]
    said = reporting.as_json(report)
    for one in (*said["entries"], *said["ignored"], *said["secrets"], *said["unreadable"]):
        one["place"] = None
        for inner in one.get("ignored", ()):
            inner["place"] = None
    return json.dumps([inventory, said])


def with_option(document: Document, path: str, value: object) -> Document:
    changed = copy.deepcopy(document)
    node, *keys = changed, *path.split("/")
    for key in keys[:-1]:
        node = node.setdefault(key, {})
    node[keys[-1]] = value
    return changed


OF_GATUS: Final[dict[str, tuple[Document, Document, Callable[[Document], Document]]]] = {
    "http": (ENDPOINT, OF_ENDPOINT | OF_CLIENT | {"always-run": True, "token": "x"}, endpoint),
    "tcp": (*of_kind("tcp://a.example.org:1", "[CONNECTED] == true"), endpoint),
    "icmp": (*of_kind("icmp://a.example.org", "[CONNECTED] == true"), endpoint),
    "tls": (*of_kind("tls://a.example.org:1", "[CONNECTED] == true"), endpoint),
    "starttls": (*of_kind("starttls://a.example.org:25", "[CONNECTED] == true"), endpoint),
    "ssh": (*of_kind("ssh://a.example.org:22", "[CONNECTED] == true"), endpoint),
    "grpc": (*of_kind("grpc://a.example.org:1", "[CONNECTED] == true"), endpoint),
    "websocket": (*of_kind("wss://a.example.org", "[CONNECTED] == true"), endpoint),
    "dns": (
        ENDPOINT
        | {"url": "1.1.1.1", "dns": {"query-name": "a.example.org"}}
        | {"conditions": ["[DNS_RCODE] == NOERROR"]},
        {"client/timeout": "3s", "client/dns-resolver": "tcp://1.1.1.1:53", "client/insecure": True}
        | {"dns/query-type": "AAAA", "dns/unknown": 1, "body": "x", "method": "POST"},
        endpoint,
    ),
    "sections": (
        {"connectivity": {"checker": {"target": "1.1.1.1:53"}}},
        {"connectivity/checker/interval": "5m", "connectivity/unknown": 1, "ui": {"title": "x"}}
        | {"web": {"port": 1}, "security": {}, "storage": {}, "metrics": True, "unknown": 1}
        | {"remote": {}, "announcements": [{"message": "x"}], "concurrency": 1, "alerting": SLACK}
        | {"maintenance": {"start": "01:00", "duration": "1h"}},
        section,
    ),
}


@pytest.mark.parametrize("name", OF_GATUS)
def test_of_gatus(name: str, tmp_path: Path) -> None:
    base, options, whole = OF_GATUS[name]
    before = alone("gatus", whole(base), tmp_path)
    lost = [
        path
        for path, value in options.items()
        if alone("gatus", whole(with_option(base, path, value)), tmp_path) == before
    ]
    assert lost == []


OF_MODULES: Final[dict[str, tuple[str, Document]]] = {
    "http": (URL, OF_HTTP | {f"tls_config/{name}": one for name, one in OF_TLS.items()}),
    "tcp": (
        "a.example.org:1",
        {"ip_protocol_fallback": False, "source_ip_address": "1.1.1.1", "tls": True, "unknown": 1}
        | {"query_response": [{"expect": "x"}]},
    ),
    "icmp": (
        "a.example.org",
        {"ip_protocol_fallback": False, "source_ip_address": "1.1.1.1", "dont_fragment": True}
        | {"payload_size": 9, "ttl": 5, "unknown": 1},
    ),
    "dns": ("1.1.1.1", OF_DNS),
    "grpc": (
        "a.example.org:1",
        {"service": "s", "ip_protocol_fallback": False, "tls": True, "unknown": 1}
        | {"metadata": {"a": ["bcde"]}},
    ),
    "websocket": ("wss://a.example.org/", OF_WEBSOCKET),
}


@pytest.mark.parametrize("prober", OF_MODULES)
def test_of_the_blackbox_exporter(prober: str, tmp_path: Path) -> None:
    target, options = OF_MODULES[prober]
    document = job({"params": {"module": ["m"]}, "static_configs": [{"targets": [target]}]})
    base: Document = {"query_name": "a.example.org"} if prober == "dns" else {}

    def said(module: Document) -> str:
        whole = {"m": {"prober": prober, prober: module}}
        return alone("prometheus", document, tmp_path, whole)

    before = said(base)
    lost = [p for p, value in options.items() if said(with_option(base, p, value)) == before]
    assert lost == []


def test_of_a_job_of_prometheus(tmp_path: Path) -> None:
    before = alone("prometheus", job({}), tmp_path)
    lost = [
        path
        for path, value in OF_JOB.items()
        if alone("prometheus", job(with_option({}, path, value)), tmp_path) == before
    ]
    assert lost == []


NAGIOS: Final = """define command {
 command_name c
 command_line /x/check_tcp -H $HOSTADDRESS$ -p 1
}
define host {
 host_name h
 address h.example.org
 check_command c%s
}
define service {
 host_name h
 service_description s
 check_command c%s
}
"""
DIRECTIVES: Final = (
    *("alias", "display_name", "importance", "initial_state", "max_check_attempts", "notes"),
    *("check_interval", "check_freshness", "event_handler", "low_flap_threshold", "contacts"),
    *("process_perf_data", "first_notification_delay", "notification_period", "notes_url"),
    *("notification_options", "stalking_options", "icon_image", "check_period", "unknown"),
    *("notification_interval", "passive_checks_enabled", "action_url", "contact_groups"),
)


@pytest.mark.parametrize("of_host", [True, False])
def test_of_nagios(of_host: bool, tmp_path: Path) -> None:
    path = tmp_path / "nagios.cfg"

    def said(directive: str) -> str:
        path.write_text(NAGIOS % ((directive, "") if of_host else ("", directive)))
        inventory, report = assemble(WINGS["nagios"]([path], Options()), Options())
        told = [one.what for one in (*report.ignored, *report.entries[not of_host].ignored)]
        return repr((inventory, told, report.entries[not of_host].differences))

    before = said("")
    assert [name for name in DIRECTIVES if said(f"\n {name} 9") == before] == []


def test_of_a_route_of_alertmanager(tmp_path: Path) -> None:
    route: Document = {"receiver": "r", "match": {"a": "b"}}
    options: Document = {
        "group_by": ["a"],
        "group_wait": "9s",
        "group_interval": "9m",
        "continue": True,
        "repeat_interval": "9h",
        "matchers": ["c=d"],
        "match_re": {"x": "y"},
        "unknown": 1,
    }
    receivers = [{"name": "r", "webhook_configs": [{"url": URL}]}]

    def said(one: Document) -> str:
        document = {"route": {"receiver": "r", "routes": [one]}, "receivers": receivers}
        return alone("alertmanager", document, tmp_path)

    before = said(route)
    assert [name for name, one in options.items() if said(route | {name: one}) == before] == []
