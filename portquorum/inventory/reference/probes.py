"""The options of `probe:`, of each kind."""

from typing import Final

from msgspec import Struct

from portquorum.inventory.reference.fact import Fact, Facts, fact
from schemas.probe import (
    BasicAuth,
    ClientCertificate,
    Condition,
    DnsProbe,
    DomainProbe,
    Exchange,
    GrpcProbe,
    HandshakeProbe,
    HttpProbe,
    IcmpProbe,
    NtpProbe,
    SnmpProbe,
    Step,
    TcpProbe,
    TlsProbe,
    UdpProbe,
    WebSocketProbe,
)

_MUST: Final = "must be there"
_NONE: Final = "none"
_REPLACED: Final = "`${PORTQUORUM_SECRET_NAME}` is replaced by the prober."
_PEM: Final = '"${PORTQUORUM_SECRET_PEM}"'

_EXCHANGE: Final[Facts] = {
    "send": fact(f"Text to send (UTF-8). {_REPLACED}", '"PING\\r\\n"', "options", default=_NONE),
    "send_hex": fact("Bytes to send, two hex digits each.", '"00 ff 01"', "options", default=_NONE),
    "expect": fact("Text that the answer must contain.", '"+PONG"', "options", default=_NONE),
    "expect_hex": fact(
        "Bytes that the answer must contain, two hex digits each.",
        '"ff 6a"',
        "options",
        default=_NONE,
    ),
    "expect_regex": fact(
        "A regular expression (RE2) that is found in the answer, each byte of which is one "
        "character (Latin-1).",
        '"^OK [0-9]+"',
        "options",
        default=_NONE,
    ),
}
_INSECURE: Final = fact(
    "`true`: secrets may go in clear, or to a server that has not proved its name.",
    "true",
    "options",
)
_TLS: Final[Facts] = {
    "verify": fact(
        "The certificate must be valid, of the target's host, and from an authority that the "
        "prober's system trusts. `false`: it may be anything, and its end is not told.",
        "false",
        "warn_days",
    ),
    "server_name": fact(
        "The name in SNI and certificate, in place of the host.",
        "db.example.com",
        "options",
        default="the host",
    ),
    "critical_days": fact(
        "With fewer days until a certificate ends, the target is down (`certificate_ending`).",
        "7",
        "options",
    ),
    "warn_days": fact(
        "With fewer days until a certificate ends, an incident of the type `expiring` opens; "
        "`0`: never.",
        "30",
        "warn_days",
    ),
    "client_certificate": fact(
        "The certificate and key that the prober shows, both as secrets.",
        f"{{certificate: {_PEM}, key: {_PEM}}}",
        "options",
        default=_NONE,
    ),
}
_BY_PORT: Final = fact(
    "TLS from the first byte.", "true", "warn_days", default="`true` on the ports 443 and 8443"
)
_LOGIN: Final[Facts] = {
    "basic_auth": fact(
        f"A user's name and password (RFC 7617). {_REPLACED}",
        '{username: monitor, password: "${PORTQUORUM_SECRET_WEB}"}',
        "options",
        default=_NONE,
    ),
    "bearer": fact(
        f"A token (RFC 6750). {_REPLACED}",
        '"${PORTQUORUM_SECRET_API}"',
        "options",
        default=_NONE,
    ),
}
_HEADERS: Final = fact(
    f"Header fields to send. {_REPLACED}", "{Accept: application/json}", "options", default=_NONE
)
_PATH: Final = fact(f"The path, with the query; percent-encoded. {_REPLACED}", "/health", "options")

OPTIONS: Final[dict[type[Struct], Facts]] = {
    Exchange: _EXCHANGE,
    Step: {
        **_EXCHANGE,
        "starttls": fact("TLS begins after the answer to this step.", "true", "options"),
    },
    ClientCertificate: {
        "certificate": fact("PEM with the whole chain.", _PEM, "options", default=_MUST),
        "key": fact("PEM of the key, without a password.", _PEM, "options", default=_MUST),
    },
    BasicAuth: {
        "username": fact("The user's name.", "monitor", "options", default=_MUST),
        "password": fact(
            f"The password. {_REPLACED}", '"${PORTQUORUM_SECRET_WEB}"', "options", default=_MUST
        ),
    },
    TcpProbe: {
        "steps": fact(
            "A dialogue: what is sent, and what must be answered.",
            '[{send: "PING\\r\\n", expect: "+PONG"}]',
            "options",
            default=_MUST,
        ),
        "tls": fact(
            "`implicit`: TLS from the first byte. A step with `starttls` begins it later.",
            "implicit",
            "warn_days",
        ),
        **_TLS,
        "insecure": _INSECURE,
    },
    HandshakeProbe: {
        "tls": fact(
            "`implicit`: TLS from the first byte; `starttls`: by the protocol's own command.",
            "implicit",
            "warn_days",
            default="by the port: `implicit` or `starttls` on those that mean it, else `none`",
        ),
        **_TLS,
        "version": fact(
            "The version of the protocol, of `amqp` alone: `1.0` or `0-9-1`, in quotes.",
            '"1.0"',
            "options",
            default="`0-9-1` of `amqp`",
        ),
    },
    UdpProbe: {
        **_EXCHANGE,
        "protocol": fact(
            "A question that such a server knows, and the answer to it, in place of `send` and "
            "`expect`.",
            "dns",
            "options",
            default="`dns` on port 53, `ntp` on 123",
        ),
        "insecure": _INSECURE,
    },
    TlsProbe: {
        **_TLS,
        "min_version": fact("The least version of TLS, in quotes.", '"1.3"', "options"),
    },
    DnsProbe: {
        "name": fact("The name that is asked for.", "www.example.com", "options", default=_MUST),
        "record": fact("The type of records, in capital letters.", "MX", "options"),
        "expect": fact(
            "Records that must be in the answer, as in a zone.",
            "[192.0.2.7]",
            "options",
            default="any record",
        ),
        "expect_regex": fact(
            "A regular expression (RE2) that one record must match, as in a zone.",
            '"v=spf1"',
            "options",
            default=_NONE,
        ),
        "rcode": fact(
            "The code that is expected.",
            "NXDOMAIN",
            "options",
            default="`NOERROR` with at least one record",
        ),
        "transport": fact(
            "`udp` (over TCP after an answer that was cut short), or `tcp` alone.",
            "tcp",
            "options",
        ),
    },
    IcmpProbe: {
        "count": fact("Echo requests of a check.", "5", "options"),
        "max_loss": fact("The share of them that may be lost.", "0.4", "options"),
    },
    HttpProbe: {
        "path": _PATH,
        "method": fact("The method, in capital letters; any but CONNECT.", "HEAD", "options"),
        "tls": _BY_PORT,
        **_TLS,
        "headers": _HEADERS,
        "redirects": fact("The most redirects that are followed.", "0", "options"),
        "status": fact(
            "The statuses that are fine: single ones, and ranges.",
            "[200-299, 401]",
            "options",
            default="200 to 299",
        ),
        "expect": fact("Text that the body must contain.", "Welcome", "options", default=_NONE),
        "expect_regex": fact(
            "A regular expression (RE2) that is found in the body.",
            '"v[0-9]+"',
            "options",
            default=_NONE,
        ),
        "expect_json": fact(
            "A JSONPath (RFC 9535) that finds something in the body.",
            '"$.state"',
            "options",
            default=_NONE,
        ),
        "json_value": fact(
            "The text of a JSON value that `expect_json` must find.",
            "'\"ok\"'",
            "options",
            default="any value",
        ),
        "expect_headers": fact(
            "Header fields of the answer, each with a regular expression (RE2).",
            '{Server: "^nginx"}',
            "options",
            default=_NONE,
        ),
        "conditions": fact(
            "Conditions on JSON, header fields and the body, all of which must hold.",
            "[{json: $.queue.depth, less_than: 100}]",
            "options",
            default=_NONE,
        ),
        "body": fact(f"Text to send. {_REPLACED}", '"ping"', "options", default=_NONE),
        "json": fact(
            f"A value to send as JSON. {_REPLACED}",
            '{query: "{ health }"}',
            "options",
            default=_NONE,
        ),
        **_LOGIN,
        "proxy": fact(
            "The HTTP proxy that is asked: `http://[user:password@]host:port`.",
            '"http://proxy.example.net:3128"',
            "options",
            default=_NONE,
        ),
        "insecure": _INSECURE,
    },
    Condition: {
        "json": fact(
            "Of what a JSONPath (RFC 9535) finds in the body.", "$.status", "options", default=_NONE
        ),
        "header": fact("Of a header field of the answer.", "Server", "options", default=_NONE),
        "body": fact("`true`: of the whole body as text.", "true", "options"),
        "length": fact(
            "`true`: of the length of this: characters, members, or values that were found.",
            "true",
            "options",
        ),
        "equals": fact("It is this value.", "up", "options", default=_NONE),
        "any_of": fact("It is one of these values.", "[up, starting]", "options", default=_NONE),
        "less_than": fact("It is a number below this.", "100", "options", default=_NONE),
        "at_most": fact("It is a number of at most this.", "100", "options", default=_NONE),
        "more_than": fact("It is a number above this.", "0", "options", default=_NONE),
        "at_least": fact("It is a number of at least this.", "1", "options", default=_NONE),
        "contains": fact("This text is in it.", "maintenance", "options", default=_NONE),
        "matches": fact(
            "A regular expression (RE2) is found in it.", '"^nginx"', "options", default=_NONE
        ),
        "exists": fact("`true`: there is such a value, `null` too.", "true", "options"),
        "or_missing": fact("`true`: it holds, too, if there is no value.", "true", "options"),
        "not": fact("`true`: it must hold for no value.", "true", "options"),
    },
    WebSocketProbe: {
        "path": _PATH,
        "tls": _BY_PORT,
        **_TLS,
        "headers": _HEADERS,
        **_LOGIN,
        "subprotocols": fact(
            "Subprotocols in the order of preference; the server must choose one.",
            "[chat.v2]",
            "options",
            default=_NONE,
        ),
        "steps": fact(
            "Messages to send, and to wait for.",
            "[{send: ping, expect: pong}]",
            "options",
            default="the upgrade is enough",
        ),
        "insecure": _INSECURE,
    },
    GrpcProbe: {
        "service": fact(
            "The service whose health is asked for.",
            "shop.Orders",
            "options",
            default="the whole server",
        ),
        "authority": fact(
            "What the request names as its host.",
            "orders.example.com",
            "options",
            default="host and port",
        ),
        "metadata": fact(
            f"Metadata to send. {_REPLACED}", "{x-tenant: monitor}", "options", default=_NONE
        ),
        "tls": _BY_PORT,
        **_TLS,
        "insecure": _INSECURE,
    },
    SnmpProbe: {
        "version": fact(
            "The version, in quotes; `3` asks for the engine's id only.", '"1"', "options"
        ),
        "community": fact(f"The community. {_REPLACED}", "monitor", "options"),
        "oid": fact("The object whose value is asked for.", "1.3.6.1.2.1.1.5.0", "options"),
        "expect_regex": fact(
            "A regular expression (RE2) that is found in the value as text.",
            '"^core-"',
            "options",
            default=_NONE,
        ),
        "insecure": _INSECURE,
    },
    NtpProbe: {
        "max_stratum": fact("The most strata from a reference clock.", "3", "options"),
        "max_offset_ms": fact(
            "The most that the server's clock may be off the prober's, in ms.",
            "50",
            "options",
            default="no limit",
        ),
    },
    DomainProbe: {
        "critical_days": fact(
            "With fewer days until the registration ends, the target is down (`domain_ending`).",
            "14",
            "options",
        ),
        "warn_days": fact(
            "With fewer days until the registration ends, an incident of the type `expiring` "
            "opens; `0`: never.",
            "45",
            "warn_days",
        ),
        "rdap": fact(
            "The base URL of the RDAP server that is asked.",
            "https://rdap.example.com/",
            "options",
            default="that of IANA's list",
        ),
    },
}
"""Struct of options → its fields, as they are written."""


def option(struct: type[Struct], name: str) -> Fact:
    """What is known of an option of a kind."""
    return OPTIONS[struct][name]
