"""Name servers and time servers."""

import json
from typing import Final

from tests.wide.attempts import DOMAIN
from tests.wide.server import Port, Server

_DNS_UP: Final = "dns dns/tcp udp/dns"
_DNS: Final = Port("port", f"{_DNS_UP} dns/rcode", over="both")
_ZONE: Final = {
    "zone": "$ORIGIN example.test.\n@ 60 SOA ns.example.test. a.example.test. 1 60 60 60 60\n"
    "@ 60 NS ns.example.test.\n@ 60 A 192.0.2.7\nns 60 A 192.0.2.8\n"
}
REGISTRATION: Final = json.dumps(
    {
        "rdapConformance": ["rdap_level_0"],
        "objectClassName": "domain",
        "ldhName": DOMAIN,
        "status": ["active"],
        "events": [{"eventAction": "expiration", "eventDate": "2099-01-01T00:00:00Z"}],
    }
)
"""What a registry says of the domain of the matrix (RFC 9083, section 5.3)."""

_RDAP: Final = {
    "RDAP_SRV_LISTEN_ADDR": "127.0.0.1",
    "RDAP_SRV_LISTEN_PORT": "@port@",
    "RDAP_SRV_STORAGE": "memory",
    "RDAP_SRV_DATA_DIR": "@dir@/data",
    "RDAP_SRV_AUTO_RELOAD": "false",
    "RDAP_SRV_BOOTSTRAP": "false",
    "RDAP_SRV_LOG": "info",
}
_NTP: Final = Port("port", "ntp udp/ntp", over="udp")

SERVERS: Final = (
    Server(
        name="bind",
        source="debian bind9",
        program=("named",),
        ports=(_DNS,),
        files={
            **_ZONE,
            "conf": 'options { directory "@dir@"; pid-file none; session-keyfile "@dir@/session";\n'
            "listen-on port @port@ { 127.0.0.1; }; listen-on-v6 { none; }; recursion no;\n"
            "dnssec-validation no; };\ncontrols { };\n"
            'zone "example.test" { type primary; file "zone"; };\n',
        },
        command="@program@ -g -c @dir@/conf",
    ),
    Server(
        name="knot",
        source="debian knot",
        program=("knotd",),
        ports=(_DNS,),
        files={
            **_ZONE,
            "conf": "server:\n  rundir: @dir@\n  listen: 127.0.0.1@@port@\n"
            "database:\n  storage: @dir@\nlog:\n  - target: stderr\n    any: info\n"
            "template:\n  - id: default\n    storage: @dir@\n"
            "zone:\n  - domain: example.test\n    file: zone\n    zonefile-sync: -1\n"
            "    journal-content: none\n",
        },
        command="@program@ -c @dir@/conf -s @dir@/sock",
    ),
    Server(
        name="nsd",
        source="debian nsd",
        program=("nsd",),
        ports=(_DNS,),
        files={
            **_ZONE,
            "conf": "server:\n  ip-address: 127.0.0.1@@port@\n  username: nobody\n"
            '  zonesdir: "@dir@"\n  pidfile: ""\n  database: ""\n  xfrdfile: "@dir@/xfrd"\n'
            '  zonelistfile: "@dir@/list"\n  chroot: ""\n  xfrdir: "@dir@"\n'
            "remote-control:\n  control-enable: no\n"
            'zone:\n  name: example.test\n  zonefile: "zone"\n',
        },
        before=("chmod 777 .",),
        command="@program@ -d -c @dir@/conf",
    ),
    Server(
        name="unbound",
        source="debian unbound",
        program=("unbound",),
        ports=(Port("port", _DNS_UP, over="both"), Port("tls", "tls dns udp/dns", over="both")),
        files={
            "conf": "server:\n  interface: 127.0.0.1@@port@\n  interface: 127.0.0.1@@tls@\n"
            '  tls-port: @tls@\n  tls-service-key: "@key@"\n  tls-service-pem: "@cert@"\n'
            '  username: ""\n  chroot: ""\n  directory: "@dir@"\n  pidfile: ""\n'
            '  use-syslog: no\n  do-daemonize: no\n  module-config: "iterator"\n'
            "  local-zone: example.test. static\n"
            '  local-data: "example.test. A 192.0.2.7"\n'
            "  local-zone: . refuse\nremote-control:\n  control-enable: no\n"
        },
        command="@program@ -d -p -c @dir@/conf",
    ),
    Server(
        name="dnsmasq",
        source="debian dnsmasq-base",
        program=("dnsmasq",),
        ports=(_DNS,),
        command="@program@ --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts "
        "--port=@port@ --listen-address=127.0.0.1 --bind-interfaces --pid-file=@dir@/pid "
        "--host-record=example.test,192.0.2.7 --user=root --log-facility=-",
    ),
    Server(
        name="pdns",
        source="debian pdns-server",
        program=("pdns_server",),
        ports=(_DNS,),
        files={
            **_ZONE,
            "named.conf": 'zone "example.test" { type master; file "@dir@/zone"; };\n',
        },
        command="@program@ --config-dir=@dir@ --launch=bind --bind-config=@dir@/named.conf "
        "--local-address=127.0.0.1 --local-port=@port@ --socket-dir=@dir@ --guardian=no "
        "--daemon=no --security-poll-suffix= --webserver=no",
    ),
    Server(
        name="pdns recursor",
        source="debian pdns-recursor",
        program=("pdns_recursor",),
        # It asks the root servers for other zones, and refuses none.
        ports=(Port("port", _DNS_UP, over="both"),),
        files=_ZONE,
        command="@program@ --config-dir=@dir@ --local-address=127.0.0.1 --local-port=@port@ "
        "--socket-dir=@dir@ --daemon=no --security-poll-suffix= "
        "--auth-zones=example.test=@dir@/zone "
        "--auth-zones=example.test=@dir@/zone",
    ),
    Server(
        name="dnsdist, nothing behind it",
        source="debian dnsdist",
        program=("dnsdist",),
        # It listens, and has nobody who could answer.
        ports=(Port("port", over="both"), Port("web", "http")),
        files={
            "conf": 'setLocal("127.0.0.1:@port@")\nnewServer({address="127.0.0.1:@other@"})\n'
            'webserver("127.0.0.1:@web@")\nsetSecurityPollSuffix("")\n'
        },
        command="@program@ --supervised --disable-syslog -C @dir@/conf",
    ),
    Server(
        name="icann-rdap-srv",
        source="cargo icann-rdap-srv",
        program=("rdap-srv", "bin/rdap-srv"),
        ports=(Port("port", "http domain"),),
        files={f"data/{DOMAIN}.json": REGISTRATION},
        env=_RDAP,
        command="@program@",
    ),
    Server(
        name="icann-rdap-srv that knows another domain",
        source="cargo icann-rdap-srv",
        program=("rdap-srv", "bin/rdap-srv"),
        ports=(Port("port", "http", unregistered=True),),
        files={f"data/{DOMAIN}.json": REGISTRATION.replace(DOMAIN, f"other.{DOMAIN}")},
        env=_RDAP,
        command="@program@",
    ),
    Server(
        name="chrony",
        source="debian chrony",
        program=("chronyd",),
        ports=(_NTP,),
        files={
            "conf": "port @port@\nbindaddress 127.0.0.1\nallow 127.0.0.1\nlocal stratum 5\n"
            "cmdport 0\nbindcmdaddress /\npidfile @dir@/pid\ndriftfile @dir@/drift\n"
        },
        command="@program@ -x -d -u root -f @dir@/conf",
    ),
    Server(
        name="chrony whose clock is not set",
        source="debian chrony",
        program=("chronyd",),
        # It has no source, and says so to who asks for the time.
        ports=(Port("port", over="udp"),),
        files={
            "conf": "port @port@\nbindaddress 127.0.0.1\nallow 127.0.0.1\ncmdport 0\n"
            "bindcmdaddress /\npidfile @dir@/pid\ndriftfile @dir@/drift\n"
        },
        command="@program@ -x -d -u root -f @dir@/conf",
    ),
)
