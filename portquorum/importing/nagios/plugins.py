"""Plugins by their name: what a check of each is here.

Source: https://github.com/monitoring-plugins/monitoring-plugins, `plugins/check_*.c`: the options
of `process_arguments`, their defaults, and what is a warning and what is critical.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from portquorum.importing import hiding
from portquorum.importing.nagios.options import Options
from portquorum.importing.nagios.thresholds import days, place, slowness
from portquorum.importing.nagios.web import HTTP, http
from portquorum.importing.urls import literal
from portquorum.inventory.duration import text as duration_text
from producers.kinds.secrets import PREFIX

Target = dict[str, Any]
Make = Callable[[Options], Target]

TIMEOUT_S: Final = 10.0
_COMMON: Final = (
    "H/hostname= t/timeout= v/verbose V/version 4/use-ipv4 6/use-ipv6 w/warning= c/critical= "
    "output-format= extra-opts= "
)
_TCP: Final = _COMMON + (
    "p/port= s/send= e/expect= E/escape A/all M/mismatch= q/quit= r/refuse= m/maxbytes= j/jail "
    "d/delay= D/certificate= S/ssl sni= C/critical-codes= W/warning-codes= P/protocol= "
)
_LOSS: Final = re.compile(r"([0-9.]+),([0-9.]+)%?")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}
_WARNING_MS: Final = 1.0


def _certificate(host: str, port: int, written: str, options: Options) -> Target:
    warn, critical = days(written)
    options.differences.append("the certificate must hold (name, chain), too, and not only last")
    probe: Target = {"critical_days": critical, "warn_days": max(warn, critical)}
    return {"kind": "tls", "host": host, "port": port, "probe": probe}


def _tcp(options: Options, port: int = 0, *, tls: bool = False, kind: str = "tcp") -> Target:
    host = place(options)
    number = options.integer("port", port)
    if not number:
        raise ValueError(f"{options.what} names no port")
    options.skip("jail", "delay", "maxbytes", "all", "mismatch", "escape", "quit", "sni")
    tls = tls or options.has("ssl")
    if options.has("certificate"):
        return _certificate(host, number, options.text("certificate"), options)
    found: Target = {"kind": "tcp", "host": host, "port": number, **slowness(options)}
    steps = _steps(options)
    clear = {"insecure": True} if PREFIX in str(steps) else {}
    if options.text("refuse") == "ok":
        found["expect"] = "closed"
        options.differences.append("a refused connection is fine there, an open port is down here")
        return found
    if kind != "tcp" and not steps:
        found["kind"] = kind
        found["probe"] = {"tls": "implicit", "verify": False} if tls else {}
    elif tls and not steps:
        found |= {"kind": "tls", "probe": {"verify": False}}
    elif steps:
        tls_probe = {"tls": "implicit", "verify": False} if tls else {}
        found["probe"] = {"steps": steps, **tls_probe, **clear}
    return {name: value for name, value in found.items() if value != {}}


def _steps(options: Options) -> list[Target]:
    send, expected = options.text("send"), options.all("expect")
    if options.has("escape"):
        send = re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[0]), send)
    sent = hiding.line(literal(send), options.secrets, options.place, options.what)
    step: Target = {"send": sent} if send else {}
    if len(expected) == 1:
        step["expect"] = expected[0]
    elif expected:
        step["expect_regex"] = "|".join(map(re.escape, expected))
    return [step] if step else []


def _of_tcp(port: int, kind: str = "tcp", *, tls: bool = False) -> Make:
    return lambda options: _tcp(options, port, tls=tls, kind=kind)


def _udp(options: Options) -> Target:
    found = _tcp(options)
    steps = found.get("probe", {}).get("steps")
    if found["kind"] != "tcp" or not steps or "send" not in steps[0]:
        raise ValueError("check_udp without -s and -e asks nothing that a server would answer")
    clear = {"insecure": True} if PREFIX in str(steps) else {}
    return {**found, "kind": "udp", "probe": {**steps[0], **clear}}


def _ping(options: Options) -> Target:
    """`-w`, `-c`: a mean round trip in ms, and a loss in percent."""
    host = place(options)
    options.skip("max-packets", "link", "interval", "bytes", "ttl", "nodns", "source", "units")
    count = min(max(options.integer("packets", 5), 1), 100)
    found: Target = {"kind": "icmp", "host": host}
    probe: Target = {"count": count}
    critical = _LOSS.search(options.text("critical", "5000,100%"))
    warning = _LOSS.search(options.text("warning"))
    if critical is not None:
        round_ms, loss = float(critical[1]), float(critical[2])
        lost = max((k for k in range(count) if k * 100 / count < loss), default=0)
        probe["max_loss"] = round(lost / count, 3)
        found["timeout"] = duration_text(round(min(max(round_ms, 50), TIMEOUT_S * 1000)))
        if round_ms < 1000:
            options.differences.append(
                f"an echo later than {round_ms:g} ms is lost; there their mean may not be longer"
            )
    if warning is not None and float(warning[1]) >= _WARNING_MS:
        found["latency"] = {"max_ms": round(float(warning[1])), "of": "connect"}
        if float(warning[2]) < float(critical[2] if critical is not None else 100):
            options.differences.append("a loss that is a warning there is none here")
    return found | {"probe": probe}


def _ssh(options: Options) -> Target:
    found: Target = {"kind": "ssh", "host": place(options)}
    port = options.integer("port", 0) or next(
        (int(one) for one in options.rest[1:] if one.isdecimal()), 0
    )
    if options.has("remote-version") or options.has("remote-protocol"):
        options.differences.append("the version that the server names is not compared")
    return found | ({"port": port} if port not in {0, 22} else {})


def _smtp(options: Options) -> Target:
    host, port = place(options), options.integer("port", 25)
    options.skip("from", "fqdn", "lmtp", "ignore-quit-failure", "proxy", "sni", "tls")
    for name in ("authtype", "command", "response", "expect"):
        if options.has(name):
            options.differences.append(f"{name} of the session is not taken over")
    options.skip("authuser", "authpassword")
    found: Target = {"kind": "smtp", "host": host, **slowness(options)}
    if port != 25:
        found["port"] = port
    if options.has("ssl"):
        found["probe"] = {"tls": "implicit", "verify": False}
    elif options.has("certificate"):
        warn, critical = days(options.text("certificate"))
        found["probe"] = {
            "tls": "starttls",
            "critical_days": critical,
            "warn_days": max(warn, critical),
        }
    elif options.has("starttls"):
        found["probe"] = {"tls": "starttls", "verify": False}
    return found


def _dns(options: Options) -> Target:
    server = options.text("server") or options.text(
        "hostname" if options.has("query_address") else "server"
    )
    name = options.text("query_address") or options.text("hostname")
    options.skip(
        "use-ipv4",
        "use-ipv6",
        "verbose",
        "version",
        "timeout",
        "expect-authority",
        "all",
        "retries",
        "dig-arguments",
    )
    if not server:
        raise ValueError(
            "it asks the name server of its own machine: write `host:` with the address of one"
        )
    probe: Target = {"name": name.rstrip(".") or server}
    record = (options.text("querytype") or options.text("record_type") or "A").upper()
    if record != "A":
        probe["record"] = record
    expected = [
        part
        for one in (*options.all("expected-address"), *options.all("expected_address"))
        for part in one.split(",")
    ]
    if options.has("expect-nxdomain"):
        probe["rcode"] = "NXDOMAIN"
    elif expected and all(expected):
        probe["expect"] = expected
        if options.has("expected-address"):
            options.differences.append("other addresses beside the expected ones are fine here")
    found: Target = {"kind": "dns", "host": server, "probe": probe, **slowness(options)}
    port = options.integer("port", 53)
    return found | ({"port": port} if port != 53 else {})


def _login(kind: str, port: int, *skipped: str) -> Make:
    """A database: whether it answers, without the login that the plugin makes."""

    def make(options: Options) -> Target:
        host = place(options, "localhost")
        number = options.integer("port", port)
        options.skip("warning", "critical", *skipped)
        logins = ("username", "logname", "password", "bind", "pass")
        given = [name for name in logins if options.has(name)]
        if given:
            options.differences.append("no login is made: only that the server answers is checked")
        for name in ("check-slave", "check-replica", "query", "base", "attr"):
            if options.has(name):
                options.differences.append(f"what {name} asks for is not looked at")
        return {"kind": kind, "host": host, **({"port": number} if number != port else {})}

    return make


def _ldap(options: Options, *, tls: bool = False) -> Target:
    found = _login("ldap", 389, "ver2", "ver3", "crit-entries", "warn-entries")(options)
    if options.has("starttls"):
        found["probe"] = {"tls": "starttls", "verify": False}
    if tls or options.has("ssl") or found.get("port") == 636:
        found |= {"port": found.get("port", 636), "probe": {"tls": "implicit", "verify": False}}
    return found


def _ntp(options: Options) -> Target:
    host = place(options)
    options.skip("quiet", "time-offset", "scrit", "swarn")
    found: Target = {"kind": "ntp", "host": host}
    critical = options.number("critical", 120.0)
    if critical:
        found["probe"] = {"max_offset_ms": max(1, round(critical * 1000))}
    if options.has("warning"):
        options.differences.append("an offset that is a warning there is none here")
    for name in ("jcrit", "jwarn"):
        if options.has(name):
            options.differences.append("the jitter is not looked at")
    return found


def _snmp(options: Options) -> Target:
    host = place(options)
    options.skip(
        "retries",
        "label",
        "units",
        "miblist",
        "output-delimiter",
        "delimiter",
        "next",
        "perf-oids",
        "ignore-mib-parsing-errors",
        "offset",
        "invert-search",
    )
    version = options.text("protocol", "1")
    oids = [one for part in options.all("oid") for one in part.split(",")]
    oid = next((one.lstrip(".") for one in oids if re.fullmatch(r"\.?[0-9]+(\.[0-9]+)+", one)), "")
    probe: Target = {}
    if version == "3":
        probe["version"] = "3"
        options.skip(
            "seclevel", "secname", "authproto", "authpasswd", "privproto", "privpasswd", "context"
        )
        options.differences.append("of version 3 only that the agent answers is checked")
    else:
        probe["version"] = "1" if version == "1" else "2c"
        community = options.all("community")
        if community and community[-1] != "public":
            probe["community"] = options.secret("community", "SNMP COMMUNITY")
            probe["insecure"] = True  # As it was: SNMP has no TLS.
        if oid:
            probe["oid"] = oid
        elif oids:
            options.differences.append("the OID is a name of a MIB: sysUpTime is asked for")
        if len(oids) > 1:
            options.differences.append("only the first OID is asked for")
    pattern = options.text("ereg") or options.text("eregi")
    if pattern and version != "3":
        probe["expect_regex"] = f"(?i){pattern}" if options.has("eregi") else pattern
    elif options.text("string") and version != "3":
        probe["expect_regex"] = re.escape(options.text("string"))
    if options.has("critical") or options.has("warning"):
        options.differences.append(
            "whether the value is within -w and -c is not judged, only that the agent has one"
        )
    port = options.integer("port", 161)
    return {"kind": "snmp", "host": host, "probe": probe, **({"port": port} if port != 161 else {})}


def _ssl_cert(options: Options) -> Target:
    """check_ssl_cert, check_ssl_validity: days before the end of a certificate."""
    host, port = place(options), options.integer("port", 443)
    warn, critical = options.integer("warning", 20), options.integer("critical", 15)
    probe: Target = {"critical_days": critical, "warn_days": max(warn, critical)}
    name = options.text("cn") or options.text("sni") or options.text("host-header")
    if name and name != host:
        probe["server_name"] = name
    options.skip(
        "rootcert",
        "ignore-exp",
        "altnames",
        "noauth",
        "selfsigned",
        "ignore-sct",
        "ignore-ocsp",
        "protocol",
    )
    return {"kind": "tls", "host": host, "port": port, "probe": probe}


_LDAP: Final = _COMMON + (
    "b/base= a/attr= D/bind= P/pass= p/port= T/starttls S/ssl 2/ver2 3/ver3 W/warn-entries= "
    "C/crit-entries= "
)
_PING: Final = _COMMON + "p/packets= L/link n/nodns "
_ICMP: Final = (
    _COMMON + "np/packets= i/interval= I/target-interval= m/max-packets= l/ttl= b/bytes= s/source= "
    "R/rta-mode-thresholds= P/packet-loss-mode-thresholds= J/jitter-mode-thresholds= "
    "M/mos-mode-thresholds= S/score-mode-thresholds= O/out-of-order-packets "
)

PLUGINS: Final[Mapping[str, tuple[str, Make]]] = {
    "check_tcp": (_TCP, _of_tcp(0)),
    "check_udp": (_TCP, _udp),
    "check_ftp": (_TCP, _of_tcp(21, "ftp")),
    "check_pop": (_TCP, _of_tcp(110, "pop3")),
    "check_spop": (_TCP, _of_tcp(995, "pop3", tls=True)),
    "check_imap": (_TCP, _of_tcp(143, "imap")),
    "check_simap": (_TCP, _of_tcp(993, "imap", tls=True)),
    "check_ssmtp": (_TCP, _of_tcp(465, "smtp", tls=True)),
    "check_nntp": (_TCP, _of_tcp(119)),
    "check_nntps": (_TCP, _of_tcp(563, tls=True)),
    "check_jabber": (_TCP, _of_tcp(5222)),
    "check_clamd": (_TCP, _of_tcp(3310)),
    "check_ping": (_PING, _ping),
    "check_fping": (
        _COMMON + "n/packets= b/bytes= T/target-timeout= i/interval= S/source= I/source-interface= "
        "a/alive R/random M/dontfrag ",
        _ping,
    ),
    "check_icmp": (_ICMP, _ping),
    "check_host": (_ICMP, _ping),
    "check_ssh": (_COMMON + "p/port= r/remote-version= P/remote-protocol= ", _ssh),
    "check_smtp": (
        _COMMON
        + "p/port= S/starttls s/ssl tls sni D/certificate= e/expect= C/command= R/response= "
        "f/from= A/authtype= U/authuser= P/authpassword= F/fqdn= ignore-certificate-expiration "
        "L/lmtp q/ignore-quit-failure "
        "r/proxy ",
        _smtp,
    ),
    "check_dns": (
        _COMMON + "s/server= r/reverse-server= q/querytype= "
        "a/expected-address= n/expect-nxdomain A/expect-authority L/all ",
        _dns,
    ),
    "check_dig": (
        _COMMON + "p/port= l/query_address= T/record_type= a/expected_address= A/dig-arguments= "
        "E/require-flags= X/forbid-flags= "
        "r/retries= ",
        _dns,
    ),
    "check_ldap": (_LDAP, _ldap),
    "check_ldaps": (_LDAP, lambda options: _ldap(options, tls=True)),
    "check_mysql": (
        _COMMON
        + "P/port= u/username= p/password= d/database= s/socket= f/file= g/group= S/check-slave "
        "n/ignore-auth a/cert= k/key= C/ca-cert= D/ca-dir= L/ciphers= l/ssl check-replica ",
        _login("mysql", 3306, "database", "socket", "file", "group", "ignore-auth", "ssl"),
    ),
    "check_mysql_query": (
        _COMMON
        + "q/query= P/port= u/username= p/password= d/database= s/socket= f/file= g/group= ",
        _login("mysql", 3306, "database", "socket", "file", "group"),
    ),
    "check_pgsql": (
        _COMMON + "P/port= d/database= l/logname= p/password= o/option= q/query= W/query-warning= "
        "C/query-critical= a/authorization= queryname= ",
        _login("postgres", 5432, "database", "option", "query-warning", "query-critical"),
    ),
    "check_redis": (_COMMON + "p/port= a/password= D/database= ", _login("redis", 6379)),
    "check_mongodb": (
        _COMMON + "P/port= u/username= p/password= A/action= ",
        _login("mongodb", 27017, "action"),
    ),
    "check_ntp": (_COMMON + "p/port= q/quiet j/jwarn= k/jcrit= ", _ntp),
    "check_ntp_time": (_COMMON + "p/port= q/quiet o/time-offset= ", _ntp),
    "check_ntp_peer": (
        _COMMON + "p/port= q/quiet j/jwarn= k/jcrit= W/swarn= C/scrit= m/twarn= n/tcrit= ",
        _ntp,
    ),
    "check_snmp": (
        _COMMON
        + "C/community= o/oid= p/port= P/protocol= N/context= L/seclevel= U/secname= a/authproto= "
        "A/authpasswd= x/privproto= X/privpasswd= s/string= r/ereg= R/eregi= e/retries= l/label= "
        "u/units= m/miblist= d/delimiter= D/output-delimiter= n/next f/perf-oids O/perf-oids-only "
        "I/ignore-mib-parsing-errors ",
        _snmp,
    ),
    "check_http": (HTTP, http),
    "check_curl": (HTTP, http),
    "check_ssl_cert": (
        _COMMON + "p/port= n/cn= r/rootcert= s/selfsigned A/noauth a/altnames P/protocol= sni= "
        "ignore-sct ignore-ocsp ignore-exp ",
        _ssl_cert,
    ),
    "check_ssl_validity": (_COMMON + "p/port= I/host-header= ", _ssl_cert),
}
"""By the plugin's name: its options, and what it is here."""

NOT_NETWORKED: Final = re.compile(
    r"check_(?:nrpe|nt|ncpa|nscp|by_ssh|disk|load|procs?|users|swap|mrtg|local_|dhcp|ups|hpjd|dummy"
    r"|log|file_age|mailq|apt|yum|sensors|cluster|mem|cpu|uptime|openmanage|omsa|ifstatus"
    r"|ifoperstatus|iftraffic|ide_smart|raid|nagios|icinga|overcr|oracle|nwstat|real|rpc|flexlm"
    r"|wave|breeze|ntpq|wmi|esx|vmware|multi|mk_|ips|interface|netint|zombie|total_procs|smart"
    r"|hardware|temp|fan|battery|kernel|service|process|inode|io)"
)
"""Checks of the inside of a machine, by an agent on it, or of Nagios' own."""
