"""First steps: commands that can be typed as they stand, with the target's own host and port."""

import ipaddress
from typing import Final

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
"""Kind → protocol of `openssl s_client -starttls`, and the port on which TLS begins at once."""

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
"""What a plain `tcp` or `tls` target's port usually is (IANA's registry)."""


def service(target: Target) -> str:
    """The kind of service: of a named handshake its kind, else what the port usually is."""
    if target.kind in {"tcp", "tls"} and target.port is not None:
        return _BY_PORT.get(target.port, target.kind)
    return target.kind


def listens(target: Target) -> str:
    """Does anything listen on the port?"""
    socket = "-lunp" if target.kind in {"udp", "dns"} else "-ltnp"
    return f"On {_host(target)}: ss {socket} 'sport = :{target.port}'"


def queue(target: Target) -> str:
    """Is the accept queue full? `Recv-Q` of a listening socket against `Send-Q`."""
    return (
        f"On {_host(target)}: ss -ltn 'sport = :{target.port}' (is Recv-Q as large as Send-Q?); "
        "nstat -az TcpExtListenOverflows TcpExtListenDrops"
    )


def firewall(target: Target) -> str:
    """Which rule of the host's own firewall names the port?"""
    return (
        f"On {_host(target)}: nft list ruleset | grep -w {target.port} (or iptables -S); "
        "then the firewalls and security groups before it"
    )


def journal(target: Target) -> str:
    """What failed lately?"""
    return f"On {_host(target)}: systemctl --failed; journalctl -p warning --since '-30 min'"


def restarts(target: Target) -> str:
    """Did a service end and start again, and why?"""
    return (
        f"On {_host(target)}: systemctl list-units --state=activating,failed; "
        "journalctl --since '-1 hour' | grep -E 'Main process exited|Scheduled restart'"
    )


def load(target: Target) -> str:
    """Is the machine short of something?"""
    return f"On {_host(target)}: uptime; vmstat 1 5; df -h; journalctl -k --since '-30 min'"


def out_of_memory(target: Target) -> str:
    """Was the service killed for its memory?"""
    return (
        f"On {_host(target)}: journalctl -k --since '-1 hour' | grep -iE 'oom|killed process' "
        "(was it killed for its memory?)"
    )


def started(target: Target) -> str:
    """When was the machine started?"""
    return f"On {_host(target)}: uptime -s; last -x -n 5 reboot (was it restarted?)"


def trace(target: Target) -> str:
    """Where does the path to the port end?"""
    host = _host(target)
    if target.port is None:
        return f"mtr --report {host}"
    way = "--udp" if target.kind in {"udp", "dns"} else "--tcp"
    return f"mtr --report {way} --port {target.port} {host}"


def ping(target: Target) -> str:
    """Is the host there at all?"""
    return f"ping -c 5 {_host(target)}"


def route(target: Target) -> str:
    """Which way do packets to the host take? `ip route` takes addresses only."""
    host = _host(target)
    if _is_address(host):
        return f"ip route get {host}"
    return f"ip route get $(getent ahosts {host} | awk 'NR==1 {{print $1}}')"


def resolve(target: Target) -> tuple[str, str]:
    """What do other resolvers and the name's own servers say?"""
    host = _host(target)
    return (f"dig {host} @1.1.1.1; dig {host} @9.9.9.9", f"dig +trace {host}")


def addresses(target: Target) -> str:
    """Which addresses does a region see?"""
    return f"getent ahosts {_host(target)}"


def greeting(target: Target) -> str:
    """What does the port say?"""
    if target.kind == "http":
        scheme = "https" if target.port in {443, 8443} else "http"
        return f"curl -sv -o /dev/null --max-time 10 {scheme}://{target.place}/"
    return f"nc -v -w 5 {_host(target)} {target.port}"


def certificate(target: Target) -> str:
    """Which certificate is served, and until when is it valid?"""
    return (
        f"{_s_client(target)} </dev/null 2>/dev/null | "
        "openssl x509 -noout -subject -issuer -dates -ext subjectAltName"
    )


def verify(target: Target) -> str:
    """Is the certificate the host's, and its chain complete?"""
    host = _host(target)
    check = f"-verify_ip {host}" if _is_address(host) else f"-verify_hostname {host}"
    return f"{_s_client(target)} {check} -verify_return_error </dev/null"


def handshake(target: Target) -> str:
    """Which version of TLS is agreed on, if any?"""
    return f"{_s_client(target)} -brief </dev/null; the same with -tls1_2"


def connections(target: Target) -> tuple[str, ...]:
    """How many connections are there, and how many may there be?"""
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
    protocol, at_once = _STARTTLS.get(service(target), (None, None))
    if protocol is not None and target.port != at_once and target.kind != "tls":
        command += f" -starttls {protocol}"
    return command


def _host(target: Target) -> str:
    return target.host or target.id


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
