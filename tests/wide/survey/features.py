"""What entries of other monitors ask for, and how an inventory says it."""

from typing import Any, Final

from msgspec import Struct


class Said(Struct, frozen=True):
    """How a feature is said: the words of the table, and a target that has it (no host, no name).

    Without a target nothing says it yet, and `how` tells why.
    """

    how: str
    target: dict[str, Any] | None


def _http(**probe: Any) -> dict[str, Any]:
    return {"kind": "http", "port": 443, "probe": probe}


_FOUND: Final = {"json": "$.id", "exists": True}
_SIX: Final = {"json": "$.items", "length": True, "equals": 6}
_HEALTH: Final = {"json": "$.State.Health.Status", "equals": "unhealthy", "not": True}
_RUNNING: Final = {"json": "$.State.Running", "equals": True}
_CERTIFICATE: Final = {
    "certificate": "${PORTQUORUM_SECRET_CERTIFICATE}",
    "key": "${PORTQUORUM_SECRET_KEY}",
}

FEATURES: Final[dict[str, Said]] = {
    "HTTP": Said("`kind: http`", _http()),
    "status": Said("`status: [204]`", _http(status=[204])),
    "several statuses": Said("`status: [200, 301]`", _http(status=[200, 301])),
    "range of statuses": Said('`status: ["200-399"]`', _http(status=["200-399", 401])),
    "certificate's days left": Said("`critical_days`, `warn_days`", _http(critical_days=10)),
    "certificate not verified": Said("`verify: false`", _http(verify=False)),
    "response time": Said("`max_ms` of the target", {"port": 22, "max_ms": 300}),
    "HTTP proxy": Said("`proxy`", _http(proxy="http://proxy.example.com:8888")),
    "JSON value": Said(
        "`conditions`: `json` with `equals`, `matches` and others",
        _http(conditions=[{"json": "$.status", "equals": "UP"}]),
    ),
    "JSON value is there": Said("`conditions`: `exists: true`", _http(conditions=[_FOUND])),
    "JSON value's length": Said("`conditions`: `length: true`", _http(conditions=[_SIX])),
    "comparison": Said(
        "`conditions`: `at_least`, `less_than` and others",
        _http(conditions=[{"json": "$.size", "at_least": 1}]),
    ),
    "negated condition": Said("`conditions`: `not: true`", _http(conditions=[_HEALTH])),
    "body": Said(
        "`expect`, or `conditions` on `body`",
        _http(conditions=[{"body": True, "contains": "ok"}]),
    ),
    "several conditions in one": Said(
        "a range or a list of `status`; Gatus itself has no `&&` and no `or`",
        _http(status=["200-399"]),
    ),
    "headers": Said("`headers`", _http(headers={"Accept": "application/json"})),
    "header Host": Said(
        "`headers`, with TLS beside `server_name`",
        _http(headers={"Host": "www.example.com"}, server_name="www.example.com"),
    ),
    "method": Said("`method`", _http(method="POST")),
    "request body": Said(
        "`body` or `json`", _http(method="POST", body="{}", headers={"Content-Type": "a/b"})
    ),
    "basic auth": Said(
        "`basic_auth`",
        _http(basic_auth={"username": "a", "password": "${PORTQUORUM_SECRET_PASSWORD}"}),
    ),
    "client certificate": Said("`client_certificate`", _http(client_certificate=_CERTIFICATE)),
    "secret in header, path or body": Said(
        "`${PORTQUORUM_SECRET_…}`", _http(headers={"X-Token": "${PORTQUORUM_SECRET_TOKEN}"})
    ),
    "variable in host, URL or condition": Said(
        "written out, or filled in by `envsubst` before `inventory apply`", _http()
    ),
    "container of Docker": Said(
        "`http` at Docker's interface, if it can be reached over TCP (a socket proxy)",
        {
            "kind": "http",
            "port": 2375,
            "probe": {"path": "/containers/app/json", "conditions": [_RUNNING]},
        },
    ),
    "resolver of its own": Said(
        "`resolver` of the target", {"port": 443, "resolver": "192.0.2.53"}
    ),
    "ping": Said("`kind: icmp`", {"kind": "icmp"}),
    "packet loss": Said("`max_loss`", {"kind": "icmp", "probe": {"max_loss": 0.6}}),
    "TCP port": Said("`kind: tcp`", {"port": 8443}),
    "UDP": Said(
        "`udp` with a question, or a kind; silence is never up",
        {"kind": "udp", "port": 53, "probe": {"protocol": "dns"}},
    ),
    "TLS": Said("`kind: tls`", {"kind": "tls"}),
    "STARTTLS": Said(
        "`tls: starttls` of the kind, or of a step",
        {"kind": "smtp", "probe": {"tls": "starttls"}},
    ),
    "SSH": Said("`kind: ssh`", {"kind": "ssh"}),
    "named handshake": Said("`kind: imap` and others", {"kind": "imap"}),
    "database's or broker's handshake": Said("`kind: mysql` and others", {"kind": "mysql"}),
    "dialogue": Said(
        "`steps`", {"port": 24, "probe": {"steps": [{"send": "LHLO a\r\n", "expect": "250"}]}}
    ),
    "DNS": Said("`kind: dns`", {"kind": "dns", "probe": {"name": "www.example.com"}}),
    "DNS answer": Said(
        "`expect`, `expect_regex`",
        {"kind": "dns", "probe": {"name": "www.example.com", "expect": ["192.0.2.7"]}},
    ),
    "DNS answer's code": Said(
        "`rcode`; NOERROR wants a record",
        {"kind": "dns", "probe": {"name": "www.example.com", "rcode": "NOERROR"}},
    ),
    "domain's days left": Said("`kind: domain`", {"kind": "domain"}),
    "localhost": Said("the host's name: a prober is elsewhere", {"port": 80}),
    "rule that applies a service to hosts": Said("a target for each host", {"port": 22}),
    "heartbeat (push)": Said("not yet: the receiver of heartbeats comes with the pages", None),
    "status beyond 599": Said("not: no status of HTTP (LinkedIn's 999)", None),
}
