"""Databases, caches, and what stands in front of them."""

from typing import Final

from tests.wide.server import Port, Server

_POSTGRES: Final = Server(
    name="postgres",
    source="debian postgresql-15",
    program=("postgres", "usr/lib/postgresql/*/bin/postgres"),
    user="postgres",
    ports=(Port("port", "postgres postgres/starttls"),),
    before=("$(dirname @program@)/initdb -D data -U postgres -A trust -N",),
    command="@program@ -D data -c port=@port@ -c listen_addresses=127.0.0.1 "
    "-c unix_socket_directories=@dir@ -c fsync=off -c ssl=on -c ssl_cert_file=@cert@ "
    "-c ssl_key_file=@key@",
)
_REDIS: Final = Server(
    name="redis",
    source="debian redis-server",
    program=("redis-server",),
    ports=(Port("port", "redis"), Port("secure", "redis/implicit tls")),
    command="@program@ --bind 127.0.0.1 --port @port@ --tls-port @secure@ --tls-cert-file @cert@ "
    "--tls-key-file @key@ --tls-ca-cert-file @ca@ --tls-auth-clients no --save '' --dir @dir@",
)
_MEMCACHED: Final = Server(
    name="memcached",
    source="debian memcached",
    program=("memcached",),
    user="memcache",
    ports=(Port("port", "memcached", over="both"),),
    command="@program@ -l 127.0.0.1 -p @port@ -U @port@ -m 8",
)

# Of Netty, which Debian's ZooKeeper names nowhere, what its factory of connections with TLS needs.
_ZOOKEEPER_JARS: Final = ":".join(
    f"/usr/share/java/{jar}.jar"
    for jar in (
        "zookeeper",
        "netty-buffer",
        "netty-codec",
        "netty-common",
        "netty-handler",
        "netty-resolver",
        "netty-transport",
    )
)
_ZOOKEEPER: Final = (
    f"@program@ -Xmx64m -cp '{_ZOOKEEPER_JARS}:/etc/zookeeper/conf' "
    "org.apache.zookeeper.server.quorum.QuorumPeerMain @dir@/zoo.cfg"
)


def _slapd(name: str, *settings: str, ends_without_certificate: bool = False) -> Server:
    """OpenLDAP with these lines in front of those of its database."""
    return Server(
        name=name,
        source="debian slapd",
        program=("slapd",),
        ports=(
            Port("port", "ldap ldap/starttls"),
            Port(
                "secure",
                "ldap/implicit tls",
                ends_without_certificate=ends_without_certificate,
            ),
        ),
        files={
            "slapd.conf": "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\n"
            "TLSCertificateFile @cert@\nTLSCertificateKeyFile @key@\n"
            "TLSCACertificateFile @ca@\n"
            + "".join(f"{line}\n" for line in settings)
            + "moduleload back_mdb\ndatabase mdb\nsuffix dc=example\ndirectory @dir@/data\n"
        },
        before=("mkdir data",),
        command="@program@ -d 0 -f @dir@/slapd.conf "
        "-h 'ldap://127.0.0.1:@port@ ldaps://127.0.0.1:@secure@'",
    )


SERVERS: Final = (
    _POSTGRES,
    Server(
        name="pgbouncer",
        source="debian pgbouncer",
        program=("pgbouncer",),
        user="postgres",
        needs=(_POSTGRES,),
        ports=(Port("port", "postgres postgres/starttls"),),
        files={
            "pgbouncer.ini": "[databases]\n* = host=127.0.0.1 port=@postgres_port@\n"
            "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = @port@\nunix_socket_dir =\n"
            "auth_type = md5\nauth_file = users\nclient_tls_sslmode = allow\n"
            "client_tls_cert_file = @cert@\nclient_tls_key_file = @key@\n",
            "users": '"portquorum" "x"\n',
        },
        command="@program@ pgbouncer.ini",
    ),
    Server(
        name="mariadb",
        source="debian mariadb-server",
        program=("mariadbd",),
        user="mysql",
        ports=(Port("port", "mysql mysql/starttls"),),
        files={"start.sql": "CREATE USER 'somebody'@'%' IDENTIFIED BY 'secret';\n"},
        before=("mariadb-install-db --no-defaults --datadir=@dir@/data --skip-test-db",),
        command="@program@ --no-defaults --datadir=@dir@/data --port=@port@ "
        "--bind-address=127.0.0.1 --socket=@dir@/sock --pid-file=@dir@/pid --ssl-cert=@cert@ "
        "--ssl-key=@key@ --ssl-ca=@ca@ --max-connect-errors=100000 --skip-name-resolve "
        "--init-file=@dir@/start.sql --innodb-flush-log-at-trx-commit=0",
    ),
    _REDIS,
    Server(
        name="redis that wants a client's certificate",
        source="debian redis-server",
        program=("redis-server",),
        ports=(Port("secure", "redis/implicit tls", ends_without_certificate=True),),
        command="@program@ --bind 127.0.0.1 --port 0 --tls-port @secure@ --tls-cert-file @cert@ "
        "--tls-key-file @key@ --tls-ca-cert-file @ca@ --tls-auth-clients yes --save '' "
        "--dir @dir@",
    ),
    Server(
        name="redis-sentinel",
        source="debian redis-server",
        program=("redis-server",),
        ports=(Port("port", "redis"),),
        files={"sentinel.conf": "port @port@\nbind 127.0.0.1\ndir @dir@\n"},
        command="@program@ @dir@/sentinel.conf --sentinel",
    ),
    Server(
        name="redis that wants a password",
        source="debian redis-server",
        program=("redis-server",),
        ports=(Port("port", "redis"),),
        command="@program@ --bind 127.0.0.1 --port @port@ --requirepass secret --save '' "
        "--dir @dir@",
    ),
    _MEMCACHED,
    Server(
        name="twemproxy",
        source="debian nutcracker",
        program=("nutcracker",),
        needs=(_REDIS, _MEMCACHED),
        ports=(Port("redis", "redis"), Port("memcached", "memcached")),
        files={
            "nutcracker.yml": "redis:\n  listen: 127.0.0.1:@redis@\n  redis: true\n"
            "  distribution: ketama\n  hash: fnv1a_64\n  servers:\n"
            "   - 127.0.0.1:@redis_port@:1\n"
            "memcached:\n  listen: 127.0.0.1:@memcached@\n  distribution: ketama\n"
            "  hash: fnv1a_64\n  servers:\n   - 127.0.0.1:@memcached_port@:1\n"
        },
        command="@program@ -c nutcracker.yml -s @other@ -a 127.0.0.1 -m 16384",
    ),
    Server(
        name="tdspool",
        source="debian freetds-bin",
        program=("tdspool",),
        ports=(Port("port", "mssql"),),
        files={
            "conf": "[global]\n  min pool conn = 0\n  max pool conn = 1\n  max member age = 60\n"
            "[pool]\n  server = nowhere\n  port = @port@\n  user = u\n  password = p\n"
            "  database = d\n  server user = u\n  server password = p\n"
        },
        command="@program@ -c @dir@/conf pool",
    ),
    Server(
        name="tarantool",
        source="debian tarantool",
        program=("tarantool",),
        ports=(Port("port"),),
        files={
            "init.lua": "box.cfg{listen='127.0.0.1:@port@', memtx_memory=33554432, "
            "wal_mode='none', work_dir='@dir@'}\n"
        },
        command="@program@ @dir@/init.lua",
    ),
    Server(
        name="influxdb",
        source="debian influxdb",
        program=("influxd",),
        ports=(Port("port", "http"), Port("rpc")),
        files={
            "conf": 'reporting-disabled = true\nbind-address = "127.0.0.1:@rpc@"\n'
            '[meta]\n  dir = "@dir@/meta"\n[data]\n  dir = "@dir@/data"\n  wal-dir = "@dir@/wal"\n'
            '[http]\n  bind-address = "127.0.0.1:@port@"\n'
        },
        command="@program@ -config @dir@/conf",
    ),
    Server(
        name="etcd",
        source="debian etcd-server",
        program=("etcd",),
        ports=(Port("port", "http grpc"), Port("peer", "http grpc")),
        command="@program@ --data-dir @dir@/data --listen-client-urls http://127.0.0.1:@port@ "
        "--advertise-client-urls http://127.0.0.1:@port@ "
        "--listen-peer-urls http://127.0.0.1:@peer@ "
        "--initial-advertise-peer-urls http://127.0.0.1:@peer@ "
        "--initial-cluster default=http://127.0.0.1:@peer@",
    ),
    Server(
        name="zookeeper",
        source="debian zookeeper",
        program=("java",),
        ports=(Port("port", "zookeeper"),),
        files={
            "zoo.cfg": "dataDir=@dir@/data\nclientPort=@port@\nclientPortAddress=127.0.0.1\n"
            "admin.enableServer=false\n"
        },
        command=_ZOOKEEPER,
    ),
    Server(
        name="zookeeper in TLS",
        source="debian zookeeper",
        program=("java",),
        ports=(
            Port("port", "zookeeper"),
            Port("secure", "zookeeper/implicit tls"),
        ),
        files={
            "zoo.cfg": "dataDir=@dir@/data\nclientPort=@port@\nclientPortAddress=127.0.0.1\n"
            "secureClientPort=@secure@\nsecureClientPortAddress=127.0.0.1\n"
            "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n"
            "ssl.keyStore.location=@dir@/store.p12\nssl.keyStore.type=PKCS12\n"
            "ssl.keyStore.password=secret\nssl.clientAuth=none\nadmin.enableServer=false\n"
        },
        before=(
            "openssl pkcs12 -export -in @cert@ -inkey @key@ -passout pass:secret -out store.p12",
        ),
        command=_ZOOKEEPER,
    ),
    Server(
        name="zookeeper without its ensemble",
        source="debian zookeeper",
        program=("java",),
        # Two of three servers that nobody starts: it says that it serves nobody.
        ports=(Port("port"),),
        files={
            "data/myid": "1",
            "zoo.cfg": "dataDir=@dir@/data\nclientPort=@port@\nclientPortAddress=127.0.0.1\n"
            "admin.enableServer=false\ninitLimit=5\nsyncLimit=2\n"
            "server.1=127.0.0.1:@other@:@another@\nserver.2=127.0.0.2:@other@:@another@\n"
            "server.3=127.0.0.3:@other@:@another@\n",
        },
        command=_ZOOKEEPER,
    ),
    _slapd("slapd"),
    # What it then says to strangers: confidentialityRequired, inappropriateAuthentication.
    _slapd("slapd that wants TLS", "security tls=128"),
    _slapd("slapd that lets no stranger in", "disallow bind_anon"),
    _slapd(
        "slapd that wants a client's certificate",
        "TLSVerifyClient demand",
        ends_without_certificate=True,
    ),
)
