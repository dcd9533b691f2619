"""The server that each recipe is held against: those that start within a second or two.

Heavier ones are in tests/wide/recipes.py.
"""

from typing import Final

from msgspec import structs

from tests.wide.server import Port, Server
from tests.wide.servers import databases, files, messaging, others

_KNOWN: Final = {
    server.name: server
    for server in (
        *databases.SERVERS,
        *files.SERVERS,
        *messaging.SERVERS,
        *others.SERVERS,
    )
}

_BOTH: Final = (Port("port", over="both"),)

KAMAILIO: Final = Server(
    name="kamailio",
    source="debian kamailio",
    program=("kamailio",),
    ports=_BOTH,
    files={
        "conf": "#!KAMAILIO\nlog_stderror=yes\nchildren=1\ntcp_children=1\ndns=no\nrev_dns=no\n"
        "listen=udp:127.0.0.1:@port@\nlisten=tcp:127.0.0.1:@port@\n"
        'mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"\nloadmodule "sl.so"\n'
        'request_route { sl_send_reply("200", "OK"); }\n'
    },
    command="@program@ -DD -E -f @dir@/conf -Y @dir@ -P @dir@/pid -m 16 -M 4",
)

XRDP: Final = Server(
    name="xrdp",
    source="debian xrdp",
    program=("xrdp",),
    ports=(Port("port"),),
    files={
        "xrdp.ini": "[Globals]\nini_version=1\nfork=true\nport=tcp://127.0.0.1:@port@\n"
        "security_layer=negotiate\ncrypt_level=high\ncertificate=@cert@\nkey_file=@key@\n"
        "ssl_protocols=TLSv1.2, TLSv1.3\n[Logging]\nLogFile=@dir@/log\nLogLevel=INFO\n"
    },
    command="@program@ --nodaemon --config @dir@/xrdp.ini",
)

VNC: Final = Server(
    name="tigervnc",
    source="debian tigervnc-standalone-server",
    program=("Xtigervnc",),
    ports=(Port("port"),),
    command="@program@ :@port@ -rfbport @port@ -localhost -SecurityTypes VncAuth "
    "-PasswordFile @dir@/none -geometry 64x64 -nolisten unix",
)

GANESHA: Final = Server(
    name="nfs-ganesha",
    source="debian nfs-ganesha-mem",
    program=("ganesha.nfsd",),
    ports=(Port("port"),),
    files={
        "conf": "NFS_CORE_PARAM { Protocols = 4; NFS_Port = @port@; Bind_addr = 127.0.0.1; "
        "Enable_NLM = false; Enable_RQUOTA = false; Plugins_Dir = /usr/lib/ganesha; }\n"
        'NFSv4 { Graceless = true; RecoveryBackend = fs; RecoveryRoot = "@dir@"; }\n'
        'EXPORT { Export_Id = 1; Path = "/mem"; Pseudo = "/mem"; Protocols = 4; '
        "FSAL { Name = MEM; } }\n"
    },
    command="@program@ -F -L STDERR -f @dir@/conf -p @dir@/pid",
)

RADIUS: Final = Server(
    name="freeradius",
    source="debian freeradius",
    program=("freeradius",),
    ports=(Port("port", over="udp"),),
    files={
        "radiusd.conf": "prefix = @dir@\nlogdir = @dir@\nrun_dir = @dir@\n"
        "libdir = /usr/lib/freeradius\npidfile = @dir@/pid\n"
        "log { destination = stderr }\nsecurity { status_server = yes }\n"
        "client localhost { ipaddr = 127.0.0.1\n secret = testing123 }\n"
        "thread pool { }\nmodules {\n always ok {\n rcode = ok\n }\n}\n"
        "server status {\n listen { type = status\n ipaddr = 127.0.0.1\n port = @port@ }\n"
        " authorize {\n Autz-Type Status-Server {\n ok\n }\n }\n}\n"
    },
    command="@program@ -f -l stderr -d @dir@ -n radiusd",
)

MICROSOCKS: Final = Server(
    name="microsocks",
    source="debian microsocks",
    program=("microsocks",),
    ports=(Port("port"),),
    command="@program@ -i 127.0.0.1 -p @port@",
)

OPENVPN: Final = Server(
    name="openvpn",
    source="debian openvpn",
    program=("openvpn",),
    ports=(Port("port", over="udp"),),
    command="@program@ --dev null --dev-type tun --proto udp4 --local 127.0.0.1 --lport @port@ "
    "--mode server --tls-server --dh none --ca @ca@ --cert @cert@ --key @key@ --ifconfig-noexec",
)

ZABBIX: Final = Server(
    name="zabbix agent",
    source="debian zabbix-agent",
    program=("zabbix_agentd",),
    user="nobody",
    ports=(Port("port", most=32_767),),
    files={
        "conf": "Server=127.0.0.1\nListenIP=127.0.0.1\nListenPort=@port@\nLogType=console\n"
        "PidFile=@dir@/pid\nHostname=test\nStartAgents=1\n"
    },
    command="@program@ -f -c @dir@/conf",
)

GIT: Final = Server(
    name="git daemon with a repository",
    source="debian git",
    program=("git",),
    ports=(Port("port"),),
    before=(
        "git init -q made",
        "cd made && git -c user.name=a -c user.email=a@b.example commit -q --allow-empty -m first",
        "git clone -q --bare made project.git",
    ),
    command="@program@ daemon --listen=127.0.0.1 --port=@port@ --base-path=@dir@ --export-all",
)

ALERTMANAGER: Final = Server(
    name="alertmanager",
    source="debian prometheus-alertmanager",
    program=("prometheus-alertmanager", "usr/bin/prometheus-alertmanager"),
    ports=(Port("port", "http"),),
    files={"conf": "route: {receiver: none}\nreceivers: [{name: none}]\n"},
    command="@program@ --config.file=@dir@/conf --storage.path=@dir@/data "
    "--web.listen-address=127.0.0.1:@port@ --cluster.listen-address=",
)

PROSODY: Final = structs.replace(
    _KNOWN["prosody"],
    name="prosody of example.com",
    files={
        name: text.replace("localhost", "example.com")
        for name, text in _KNOWN["prosody"].files.items()
    },
)

GRPC: Final = Server(
    name="grpcio",
    source="pypi grpcio",
    ports=(Port("port"),),
    files={
        "server.py": "from concurrent.futures import ThreadPoolExecutor\nimport grpc\n"
        "from grpc_health.v1 import health, health_pb2_grpc as pb, health_pb2\n"
        "server = grpc.server(ThreadPoolExecutor(2))\nservicer = health.HealthServicer()\n"
        'servicer.set("", health_pb2.HealthCheckResponse.SERVING)\n'
        "pb.add_HealthServicer_to_server(servicer, server)\n"
        'server.add_insecure_port("127.0.0.1:@port@")\nserver.start()\n'
        "server.wait_for_termination()\n"
    },
    command="@python@ @dir@/server.py",
)

HELD: Final[dict[str, Server]] = {
    "SIP over UDP": KAMAILIO,
    "SIP over TCP": KAMAILIO,
    "STUN": _KNOWN["coturn"],
    "XMPP": PROSODY,
    "IRC": _KNOWN["ngircd"],
    "RDP": XRDP,
    "VNC": VNC,
    "rsync": _KNOWN["rsync"],
    "git": GIT,
    "NFS": GANESHA,
    "LDAP by hex": _KNOWN["slapd"],
    "RADIUS": RADIUS,
    "SNMP by hex": _KNOWN["snmpd"],
    "SOCKS": MICROSOCKS,
    "OpenVPN": OPENVPN,
    "Zabbix agent": ZABBIX,
    "etcd": _KNOWN["etcd"],
    "Redis master": _KNOWN["redis"],
    "beanstalkd": _KNOWN["beanstalkd"],
    "Alertmanager": ALERTMANAGER,
    "gRPC by hex": GRPC,
}
"""The server of each recipe; its first port is the one."""
