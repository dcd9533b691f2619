"""Whatever a file says, the wing of Gatus raises nothing, and loses no endpoint."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.importing import report as reporting
from portquorum.importing import writer
from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options
from portquorum.importing.wings import WINGS
from portquorum.inventory import check

WORDS = st.sampled_from(
    [
        *(
            "",
            "x",
            "yes",
            "5",
            "1m",
            "-1s",
            "tcp://a:1",
            "https://a.org/x?token=abcdef",
            "udp://a:5",
        ),
        *(
            "icmp://a",
            "wss://a",
            "${X}",
            "$",
            "${",
            "{{ .X }}",
            "8.8.8.8",
            "[::1]:5",
            "http://[",
            "a\0b",
        ),
        *("[STATUS] == 200", "[BODY].a[0].b == pat(*[*)", "len([BODY]) > 0", "[CONNECTED] == true"),
        *(
            "[BODY][ == 1",
            "has([BODY].x) == true",
            "[CERTIFICATE_EXPIRATION] > 9999h",
            " == ",
            "[IP] == x",
        ),
        *(
            "[RESPONSE_TIME] < 5",
            "[DNS_RCODE] == NOERROR",
            "[DOMAIN_EXPIRATION] > 1h",
            "\u202e",
            "é" * 300,
        ),
    ]
)
KEYS = st.sampled_from(
    [
        *("name", "group", "url", "conditions", "interval", "client", "timeout", "headers", "body"),
        *(
            "alerts",
            "type",
            "failure-threshold",
            "enabled",
            "dns",
            "query-name",
            "ssh",
            "tls",
            "ui",
        ),
        *(
            "maintenance-windows",
            "start",
            "every",
            "heartbeat",
            "endpoints",
            "extra-labels",
            "method",
        ),
        *(
            "minimum-reminder-interval",
            "provider-override",
            "dns-resolver",
            "proxy-url",
            "insecure",
        ),
    ]
)
VALUES = st.recursive(
    WORDS | st.integers(-5, 10**25) | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
ENDPOINTS = st.lists(
    st.dictionaries(KEYS, VALUES, max_size=6)
    | st.fixed_dictionaries(
        {"name": WORDS, "url": WORDS, "conditions": st.lists(WORDS, max_size=3)},
        optional={"client": VALUES, "alerts": VALUES, "dns": VALUES, "interval": VALUES},
    )
    | VALUES,
    max_size=4,
)
FILES = st.fixed_dictionaries(
    {"endpoints": ENDPOINTS},
    optional={
        "external-endpoints": ENDPOINTS,
        "suites": st.lists(
            st.fixed_dictionaries({"name": WORDS, "endpoints": ENDPOINTS}) | VALUES, max_size=2
        ),
        "alerting": st.dictionaries(st.sampled_from(["discord", "slack", "x"]), VALUES) | VALUES,
        "maintenance": VALUES,
        "connectivity": VALUES,
        "ui": VALUES,
    },
)


def of(files: dict[str, Any], name: str) -> list[Any]:
    found = files.get(name)
    return found if isinstance(found, list) else []


@settings(max_examples=25, deadline=None)
@given(files=FILES)
def test_anything(tmp_path_factory: Any, files: dict[str, Any]) -> None:
    folder: Path = tmp_path_factory.mktemp("gatus")
    path = folder / "g.yaml"
    path.write_text(yaml.safe_dump(files, allow_unicode=False))
    options = Options()
    inventory, report = assemble(WINGS["gatus"]([path], options), options)
    if not report.unreadable:
        endpoints = len(of(files, "endpoints")) + len(of(files, "external-endpoints"))
        assert len(report.entries) >= endpoints
    assert sum(reporting.counts(report).values()) == len(report.entries)
    reporting.markdown(report)
    list(reporting.lines(report))
    written = folder / "inventory.yaml"
    written.write_text(writer.document(inventory, report))
    check([written])


@settings(max_examples=15, deadline=None)
@given(at=st.integers(0, 400), cut=st.integers(0, 30), text=st.text(max_size=10))
def test_a_broken_file(tmp_path_factory: Any, at: int, cut: int, text: str) -> None:
    whole = (
        "alerting:\n  discord: {webhook-url: '${X}', default-alert: {failure-threshold: 2}}\n"
        "endpoints:\n  - name: a\n    url: https://a.org/x\n    conditions:\n"
        '      - "[STATUS] == 200"\n      - "[BODY].a == pat(*b*)"\n'
        "    alerts: [{type: discord}]\n    client: {timeout: 5s}\n"
    )
    path: Path = tmp_path_factory.mktemp("gatus") / "g.yaml"
    path.write_bytes((whole[:at] + text + whole[at + cut :]).encode("utf-8", "surrogatepass"))
    options = Options()
    _, report = assemble(WINGS["gatus"]([path], options), options)
    assert sum(reporting.counts(report).values()) == len(report.entries)
