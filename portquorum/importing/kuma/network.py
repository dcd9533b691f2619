"""Monitors of the network and of services without a login: `port`, `ping`, `dns`, `smtp`, ….

What each of them does is in server/monitor-types/ (louislam/uptime-kuma).
"""

import re
from typing import Any, Final

from portquorum.importing.kuma.left_out import LeftOutError
from portquorum.importing.kuma.monitor import Monitor, Targets
from portquorum.importing.private_hosts import is_address
from portquorum.importing.urls import http_place, tls_option
from schemas.partition import canonical_host

_MOST_ECHOES: Final = 20
_ECHOES: Final = 3
_PACKET: Final = 56
_RECORDS: Final = frozenset({"A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"})
_ALERTS: Final = frozenset({"certificate_required", "bad_certificate", "handshake_failure"})
_SMTP_TLS: Final = {"secure": "implicit", "starttls": "starttls"}
_SNMP: Final = {"1": "1", "2c": "2c", "3": "3"}
_NAMED_TLS: Final = {25: "smtp", 587: "smtp", 143: "imap", 110: "pop3", 21: "ftp", 389: "ldap"}
_OPERATORS: Final = {"==": "equals", "contains": "contains"}


def port(monitor: Monitor) -> Targets:
    """A TCP port; with an alert of TLS that is expected, or a certificate that ends."""
    host, number = monitor.host(), monitor.port()
    entry: dict[str, Any] = {"kind": "tcp", "host": host, "port": number}
    alert = monitor.fields.text("expectedTlsAlert").lower()
    security = monitor.fields.text("smtpSecurity").lower()
    if monitor.fields.flag("upsideDown"):
        return [entry | {"expect": "closed"}]
    if alert and alert != "none":
        return [_alert(monitor, entry, alert)]
    if security in {"secure", "starttls"} and monitor.fields.flag("expiryNotification"):
        return [_with_certificate(monitor, entry, security)]
    return [entry]


def _alert(monitor: Monitor, entry: dict[str, Any], alert: str) -> dict[str, Any]:
    if alert not in _ALERTS:
        raise LeftOutError(
            f"it waits for the TLS alert {alert[:40]!r}; check the port by kind tls instead"
        )
    monitor.differs(
        f"it is up when TLS is spoken there, also when no certificate of a client is asked for "
        f"({alert} was expected)"
    )
    verify = {} if not monitor.fields.flag("ignoreTls") else {"verify": False}
    return entry | {"kind": "tls", "probe": {**verify, **monitor.ends(tls=True)}}


def _with_certificate(monitor: Monitor, entry: dict[str, Any], security: str) -> dict[str, Any]:
    """The connection and the certificate there; a protocol by its port where TLS begins later."""
    ends = monitor.ends(tls=True)
    if security == "secure":
        return entry | {"kind": "tls", "probe": ends}
    kind = _NAMED_TLS.get(entry["port"])
    if kind is None:
        monitor.differs(
            "the certificate behind STARTTLS is not looked at: the port is none of smtp, imap, "
            "pop3, ftp, ldap; `kind:` of one of these with `tls: starttls` does"
        )
        return entry
    return entry | {"kind": kind, "probe": {"tls": "starttls", **ends}}


def ping(monitor: Monitor) -> Targets:
    """Echo requests; one answer is enough there (`ping -c N -w DEADLINE`)."""
    host = _ping_host(monitor)
    if monitor.fields.flag("upsideDown"):
        raise LeftOutError("upside down of a ping: no check says that a host must be silent")
    wanted = int(min(max(monitor.fields.number("ping_count", 1), 1), 1000))
    count = min(max(wanted, _ECHOES), _MOST_ECHOES)
    size = monitor.fields.number("packetSize", _PACKET)
    if size != _PACKET:
        monitor.differs(f"echo requests have the usual size, and not {size:g} bytes")
    loss = min(-(-100 * (count - 1) // count) / 100, 0.99)
    return [{"kind": "icmp", "host": host, "probe": {"count": count, "max_loss": loss}}]


def _ping_host(monitor: Monitor) -> str:
    host = monitor.host()
    # Uptime Kuma takes a URL's host here (pingAsync, server/util-server.js).
    return http_place(host).host if "://" in host else host


def tailscale_ping(monitor: Monitor) -> Targets:
    """A machine of a tailnet."""
    monitor.differs(
        "an echo request in place of `tailscale ping`: the prober needs a way into the tailnet"
    )
    return [{"kind": "icmp", "host": monitor.host(), "probe": {"count": _ECHOES, "max_loss": 0.67}}]


def dns(monitor: Monitor) -> Targets:
    """A record at a name server."""
    if monitor.fields.flag("upsideDown"):
        raise LeftOutError("upside down of a DNS query: write `rcode: NXDOMAIN` if that is meant")
    name = monitor.host()
    record = monitor.fields.text("dns_resolve_type", "A").strip().upper()
    if record not in _RECORDS:
        raise LeftOutError(f"records of the type {record[:20]!r} are not known")
    servers = re.sub(r"\s", "", monitor.expanded(monitor.fields.text("dns_resolve_server")))
    asked = [one.strip("[]") for one in servers.split(",") if one] or ["1.1.1.1"]
    if len(asked) > 1:
        monitor.differs(
            f"the first of {len(asked)} name servers is asked, and the others not when it is silent"
        )
    entry: dict[str, Any] = {"kind": "dns", "host": asked[0]}
    number = monitor.port(53)
    if number != 53:
        entry["port"] = number
    probe: dict[str, Any] = {"name": name}
    if record != "A":
        probe["record"] = record
    _dns_conditions(monitor, probe, record)
    return [entry | {"probe": probe}]


def _dns_conditions(monitor: Monitor, probe: dict[str, Any], record: str) -> None:
    written = monitor.fields.listed("conditions")
    if not written:
        return
    one = written[0]
    if len(written) == 1 and isinstance(one, dict) and one.get("type", "expression") != "group":
        value = str(one.get("value", ""))
        operator = str(one.get("operator"))
        if operator == "equals" and record in {"A", "AAAA", "CNAME", "NS", "PTR", "TXT"}:
            probe["expect"] = [value]
            return
        pattern = _dns_pattern(operator, re.escape(value), record)
        if value and pattern is not None:
            probe["expect_regex"] = pattern
            return
    monitor.differs("its conditions on the records are not looked at: write `expect:` or a regex")


def _dns_pattern(operator: str, value: str, record: str) -> str | None:
    """RE2 for a record as it is written in a zone; Uptime Kuma looks at its name alone."""
    before = {"MX": r"^[0-9]+ ", "SRV": r"^[0-9]+ [0-9]+ [0-9]+ ", "TXT": '^"'}.get(record, "^")
    after = {"TXT": '"$', "SOA": r"\.? ", "CAA": '"?$'}.get(record, r"\.?$")
    if record == "CAA":
        before = r'issue "?'
    return {
        "equals": f"{before}{value}{after}",
        "contains": value,
        "starts_with": f"{before}{value}",
        "ends_with": f"{value}{after}",
    }.get(operator)


def smtp(monitor: Monitor) -> Targets:
    """A mail server that says hello."""
    _not_upside_down(monitor)
    number = monitor.port(25)
    tls = _SMTP_TLS.get(monitor.fields.text("smtpSecurity").lower(), "none")
    usual = {465: "implicit", 587: "starttls"}.get(number, "none")
    probe: dict[str, Any] = {} if tls == usual else {"tls": tls}
    probe |= monitor.ends(tls=tls != "none")
    entry: dict[str, Any] = {"kind": "smtp", "host": monitor.host()}
    if number != 25:
        entry["port"] = number
    return [entry | ({"probe": probe} if probe else {})]


def snmp(monitor: Monitor) -> Targets:
    """A value of an agent."""
    _not_upside_down(monitor)
    fields = monitor.fields
    version = _SNMP.get(fields.text("snmpVersion", "2c"), "2c")
    entry: dict[str, Any] = {"kind": "snmp", "host": monitor.host()}
    number = monitor.port(161)
    if number != 161:
        entry["port"] = number
    probe: dict[str, Any] = {} if version == "2c" else {"version": version}
    if version == "3":
        fields.skip("snmpV3Username", "snmpOid", "jsonPath", "jsonPathOperator", "expectedValue")
        monitor.differs("of version 3 only that the agent answers is checked, not the value")
        return [entry | {"probe": probe}]
    community = fields.text("radiusPassword", "public")
    if community not in {"public", "private"}:
        probe |= {"community": monitor.secret("radiusPassword", community, "the community")}
        probe |= {"insecure": True}
    elif community != "public":
        probe["community"] = community
    oid = fields.text("snmpOid", "1.3.6.1.2.1.1.3.0").removeprefix(".")
    if oid != "1.3.6.1.2.1.1.3.0":
        probe["oid"] = oid
    _snmp_value(monitor, probe)
    return [entry | ({"probe": probe} if probe else {})]


def _snmp_value(monitor: Monitor, probe: dict[str, Any]) -> None:
    fields = monitor.fields
    operator, expected = fields.text("jsonPathOperator", "=="), fields.text("expectedValue")
    plain = fields.text("jsonPath").strip() in {"", "$", "$$"}
    if plain and operator in _OPERATORS and expected:
        value = re.escape(expected)
        probe["expect_regex"] = f"^{value}$" if operator == "==" else value
    elif expected:
        monitor.differs(
            f"only that the value is there is checked, and not that it is {operator[:10]} the "
            "expected one"
        )


def ntp(monitor: Monitor) -> Targets:
    """A time server."""
    _not_upside_down(monitor)
    fields = monitor.fields
    stratum = int(min(max(fields.number("ntpStratumThreshold") or 5, 2), 16)) - 1
    offset = fields.number("ntpTimeOffsetThreshold") or 1000
    entry: dict[str, Any] = {"kind": "ntp", "host": monitor.host()}
    number = monitor.port(123)
    if number != 123:
        entry["port"] = number
    if fields.number("ntpRootDispersionThreshold", 500) != 500:
        monitor.differs("the root dispersion is not looked at")
    return [entry | {"probe": {"max_stratum": stratum, "max_offset_ms": offset}}]


def mqtt(monitor: Monitor) -> Targets:
    """A broker: that it takes a connection."""
    _not_upside_down(monitor)
    fields = monitor.fields
    fields.skip(
        *("mqttUsername", "mqttPassword", "mqttTopic", "mqttSuccessMessage", "mqttCheckType"),
        *("jsonPath", "expectedValue", "conditions", "jsonPathOperator"),
    )
    written = monitor.host()
    scheme, colon, rest = written.partition("://")
    host = (rest if colon else written).strip("/")
    scheme = scheme.lower() if colon else "mqtt"
    monitor.differs("no topic is subscribed, and no message looked at: the broker must answer")
    if scheme in {"ws", "wss", "http", "https"}:
        number = monitor.port({"ws": 80, "http": 80}.get(scheme, 443))
        tls = scheme in {"wss", "https"}
        path = "/" + fields.text("mqttWebsocketPath").lstrip("/")
        probe: dict[str, Any] = {"path": path, "subprotocols": ["mqtt"]}
        probe |= tls_option(number, tls=tls) | monitor.ends(tls=tls)
        return [{"kind": "websocket", "host": host, "port": number, "probe": probe}]
    tls = scheme == "mqtts"
    number = monitor.port(8883 if tls else 1883)
    entry: dict[str, Any] = {"kind": "mqtt", "host": host, "port": number}
    if tls:
        return [entry | {"probe": {"tls": "implicit", **monitor.ends(tls=True)}}]
    return [entry | ({"probe": {"tls": "none"}} if number == 8883 else {})]


def radius(monitor: Monitor) -> Targets:
    """A RADIUS server: the bytes that it answers need its secret."""
    monitor.fields.skip(
        *("radiusUsername", "radiusPassword", "radiusSecret", "radiusCalledStationId"),
        "radiusCallingStationId",
    )
    raise LeftOutError(
        "a login by RADIUS is signed with a secret: docs/recipes.md has the line that makes the "
        "bytes of a Status-Server request for kind udp, which needs no user"
    )


def sip(monitor: Monitor) -> Targets:
    """A SIP server that answers OPTIONS, as in docs/recipes.md."""
    _not_upside_down(monitor)
    host, number = monitor.host(), monitor.port(5060)
    shown = f"[{host}]" if ":" in host else host
    lines = (
        f"OPTIONS sip:ping@{shown} SIP/2.0",
        "Via: SIP/2.0/UDP portquorum.invalid;branch=z9hG4bK-pq1;rport",
        "From: <sip:ping@portquorum.invalid>;tag=pq1",
        f"To: <sip:ping@{shown}>",
        "Call-ID: pq1@portquorum.invalid",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    send = "".join(f"{line}\r\n" for line in (*lines, ""))
    probe = {"send": send, "expect_regex": r"^SIP/2\.0 200 "}
    return [{"kind": "udp", "host": host, "port": number, "probe": probe}]


def _not_upside_down(monitor: Monitor) -> None:
    if monitor.fields.flag("upsideDown"):
        raise LeftOutError("upside down: only that a port must be closed can be said (kind tcp)")


def domain(monitor: Monitor, host: str) -> dict[str, Any] | None:
    """A target for the registration of the host's domain; None if there is none to watch."""
    try:
        name = canonical_host(host)
    except ValueError:
        return None
    registered = registered_domain(name)
    if registered is None or registered in monitor.context.domains:
        return None
    monitor.context.domains.add(registered)
    days = monitor.context.notify_days
    return {
        "kind": "domain",
        "name": f"Domain {registered}",
        "host": registered,
        "probe": {"warn_days": days, "critical_days": 0},
    }


_SECOND_LEVELS: Final = frozenset(
    {"ac", "co", "com", "edu", "gob", "gouv", "gov", "govt", "gv", "ltd", "me", "mil", "net", "ne"}
    | {"nom", "or", "org", "plc", "sch", "go", "re", "id", "info", "web", "gen", "school"}
)
"""Second levels under which countries register; the whole list is publicsuffix.org's."""


def registered_domain(name: str) -> str | None:
    """The domain that is registered, most likely; None for an address or a name of one label."""
    labels = name.rstrip(".").split(".")
    if is_address(name) or len(labels) < 2:
        return None
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3 if deep else -2 :])
