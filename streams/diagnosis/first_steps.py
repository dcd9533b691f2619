"""First steps: commands to copy and run, with the target's own host and port."""

import ipaddress
import re
from typing import Final

from schemas.probe import GrpcProbe, TcpProbe, WebSocketProbe
from schemas.target import Target

_STARTTLS: Final = {
    "smtp": ("smtp", 465),
    "imap": ("imap", 993),
    "pop3": ("pop3", 995),
    "ftp": ("ftp", 990),
    "ldap": ("ldap", 636),
    "postgres": ("postgres", None),
    "postgresql": ("postgres", None),
    "mysql": ("mysql", None),
}
"""Kind → protocol of `openssl s_client -starttls`, and the port with TLS from the first byte."""

_BY_PORT: Final = {
    21: "ftp",
    25: "smtp",
    110: "pop3",
    143: "imap",
    389: "ldap",
    587: "smtp",
    3306: "mysql",
    5432: "postgres",
    6379: "redis",
}
"""The usual service of a port, for plain `tcp` and `tls` targets (IANA's registry)."""

_STARTTLS_BY_PORT: Final = {
    24: "lmtp",
    119: "nntp",
    433: "nntp",
    4190: "sieve",
    5222: "xmpp",
    5269: "xmpp-server",
    6667: "irc",
}
"""The protocol of `openssl s_client -starttls` by the usual port of a `tcp` dialogue."""

_DATAGRAMS: Final = frozenset({"udp", "dns", "snmp", "ntp"})
"""The kinds that use UDP."""

_CURL: Final = "curl -sv -o /dev/null --max-time 10"
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/._~-]*")
"""A path that needs no quotes; one with a query may have secrets."""
_UPGRADE: Final = (
    "-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' "
    "-H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='"
)
_HEALTH: Final = (
    "-H 'Content-Type: application/grpc' -H 'TE: trailers' "
    "--data-binary @<(printf '\\0\\0\\0\\0\\0')"
)
"""A HealthCheckRequest without a service: five bytes of length, and nothing."""


def service(target: Target) -> str:
    """The service: the kind if it has a named handshake, else the usual service of the port."""
    if target.kind in {"tcp", "tls"} and target.port is not None:
        return _BY_PORT.get(target.port, target.kind)
    return target.kind


def listens(target: Target) -> str:
    """Tests whether a process listens on the port."""
    socket = "-lunp" if target.kind in _DATAGRAMS else "-ltnp"
    return f"On {_host(target)}: ss {socket} 'sport = :{target.port}'"


def queue(target: Target) -> str:
    """Tests whether the accept queue is full: `Recv-Q` of a listening socket against `Send-Q`."""
    return (
        f"On {_host(target)}: ss -ltn 'sport = :{target.port}' (is Recv-Q as large as Send-Q?); "
        "nstat -az TcpExtListenOverflows TcpExtListenDrops"
    )


def firewall(target: Target) -> str:
    """Finds the rule of the host's own firewall for the port."""
    return (
        f"On {_host(target)}: nft list ruleset | grep -w {target.port} (or iptables -S); "
        "then the firewalls and security groups before it"
    )


def journal(target: Target) -> str:
    """Lists recent failures."""
    return f"On {_host(target)}: systemctl --failed; journalctl -p warning --since '-30 min'"


def restarts(target: Target) -> str:
    """Tests whether a service ended and started again, and why."""
    return (
        f"On {_host(target)}: systemctl list-units --state=activating,failed; "
        "journalctl --since '-1 hour' | grep -E 'Main process exited|Scheduled restart'"
    )


def load(target: Target) -> str:
    """Tests whether the machine is short of a resource."""
    return f"On {_host(target)}: uptime; vmstat 1 5; df -h; journalctl -k --since '-30 min'"


def out_of_memory(target: Target) -> str:
    """Tests whether the kernel killed the service for its memory."""
    return (
        f"On {_host(target)}: journalctl -k --since '-1 hour' | grep -iE 'oom|killed process' "
        "(was it killed for its memory?)"
    )


def started(target: Target) -> str:
    """Shows the boot time of the machine."""
    return f"On {_host(target)}: uptime -s; last -x -n 5 reboot (was it restarted?)"


def trace(target: Target) -> str:
    """Shows where the path to the port ends."""
    host = _host(target)
    if target.port is None:
        return f"mtr --report {host}"
    way = "--udp" if target.kind in _DATAGRAMS else "--tcp"
    return f"mtr --report {way} --port {target.port} {host}"


def ping(target: Target) -> str:
    """Tests whether the host answers at all."""
    return f"ping -c 5 {_host(target)}"


def route(target: Target) -> str:
    """Shows the route of packets to the host. `ip route` takes only addresses."""
    host = _host(target)
    if _is_address(host):
        return f"ip route get {host}"
    return f"ip route get $(getent ahosts {host} | awk 'NR==1 {{print $1}}')"


def resolve(target: Target) -> tuple[str, str]:
    """Asks other resolvers and the name's own servers."""
    host = _host(target)
    return (f"dig {host} @1.1.1.1; dig {host} @9.9.9.9", f"dig +trace {host}")


def addresses(target: Target) -> str:
    """Shows the addresses that a region sees."""
    return f"getent ahosts {_host(target)}"


def greeting(target: Target) -> str:
    """Shows the greeting of the port."""
    if target.kind == "http":
        scheme = "https" if target.port in {443, 8443} else "http"
        return f"{_CURL} {scheme}://{target.place}/"
    if isinstance(target.probe, WebSocketProbe):
        scheme = "https" if target.probe.tls else "http"
        path = target.probe.path if _PLAIN_PATH.fullmatch(target.probe.path) else "/"
        return f"{_CURL} --http1.1 {_UPGRADE} {scheme}://{target.place}{path}"
    if isinstance(target.probe, GrpcProbe):
        way = "--http2" if target.probe.tls else "--http2-prior-knowledge"
        scheme = "https" if target.probe.tls else "http"
        return f"{_CURL} {way} {_HEALTH} {scheme}://{target.place}/grpc.health.v1.Health/Check"
    return _by_client(target)


def _by_client(target: Target) -> str:
    """The question of a program that people have for it."""
    host, port = _host(target), target.port
    scheme = "ldaps" if port in {636, 3269} else "ldap"
    return {
        "ldap": f"ldapwhoami -x -H {scheme}://{target.place}",
        "zookeeper": f"echo srvr | nc -w 5 {host} {port}",
        "snmp": f"snmpget -v 2c -c COMMUNITY {host}:{port} SNMPv2-MIB::sysUpTime.0",
        "ntp": f"chronyd -Q 'server {host} iburst port {port}'",
    }.get(target.kind, f"nc -v -w 5 {host} {port}")


def certificate(target: Target) -> str:
    """Shows the served certificate and its end of validity."""
    return (
        f"{_s_client(target)} </dev/null 2>/dev/null | "
        "openssl x509 -noout -subject -issuer -dates -ext subjectAltName"
    )


def registration(target: Target) -> str:
    """Shows registrar, status and end of a domain."""
    return f"whois {_host(target)} | grep -iE 'registrar:|status:|expir|paid'"


def verify(target: Target) -> str:
    """Tests whether the certificate matches the host and its chain is complete."""
    host = _host(target)
    check = f"-verify_ip {host}" if _is_address(host) else f"-verify_hostname {host}"
    return f"{_s_client(target)} {check} -verify_return_error </dev/null"


def handshake(target: Target) -> str:
    """Shows the negotiated TLS version, if any."""
    return f"{_s_client(target)} -brief </dev/null; the same with -tls1_2"


def connections(target: Target) -> tuple[str, ...]:
    """Shows the number of connections and its limit."""
    host, number = _host(target), target.port
    established = f"On {host}: ss -Htn state established 'sport = :{number}' | wc -l"
    match service(target):
        case "postgres" | "postgresql":
            psql = f"psql -h {host} -p {number} -U postgres -c"
            return (
                f"{psql} 'SHOW max_connections' (a superuser still gets in)",
                f"{psql} 'TABLE pg_stat_activity' (who holds them?)",
                established,
            )
        case "redis":
            redis = f"redis-cli -h {host} -p {number}"
            return (f"{redis} INFO clients", f"{redis} CONFIG GET maxclients", established)
        case "mysql":
            mysql = f"mysql -h {host} -P {number} -u root -e"
            return (
                f"{mysql} \"SHOW VARIABLES LIKE 'max_connections'\"",
                f"{mysql} 'SHOW PROCESSLIST' (who holds them?)",
                established,
            )
        case _:
            return (established, "Look at the service's limit of connections, and who holds them")


def _s_client(target: Target) -> str:
    host = _host(target)
    command = f"openssl s_client -connect {target.place}"
    if not _is_address(host):  # RFC 6066, section 3: a server name is no address
        command += f" -servername {host}"
    protocol = _starttls(target)
    return command if protocol is None else f"{command} -starttls {protocol}"


def _starttls(target: Target) -> str | None:
    """The protocol in which the port begins TLS as openssl calls it; None: from the first byte.

    Of a dialogue with a step that begins TLS, at a port that has no usual service, it is a word
    in capital letters for the reader to replace.
    """
    protocol, at_once = _STARTTLS.get(service(target), (None, None))
    if isinstance(target.probe, TcpProbe) and target.probe.encrypted:
        if target.probe.tls == "implicit":
            return None
        return protocol or _STARTTLS_BY_PORT.get(target.port or 0, "PROTOCOL")
    return None if target.kind == "tls" or target.port == at_once else protocol


def _host(target: Target) -> str:
    return target.host or target.id


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
