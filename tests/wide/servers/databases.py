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
        command="@program@ -Xmx64m -cp /usr/share/java/zookeeper.jar:/etc/zookeeper/conf "
        "org.apache.zookeeper.server.quorum.QuorumPeerMain @dir@/zoo.cfg",
    ),
    Server(
        name="slapd",
        source="debian slapd",
        program=("slapd",),
        ports=(Port("port", "ldap ldap/starttls"), Port("secure", "ldap/implicit tls")),
        files={
            "slapd.conf": "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\n"
            "moduleload back_mdb\ndatabase mdb\nsuffix dc=example\ndirectory @dir@/data\n"
            "TLSCertificateFile @cert@\nTLSCertificateKeyFile @key@\n"
        },
        before=("mkdir data",),
        command="@program@ -d 0 -f @dir@/slapd.conf "
        "-h 'ldap://127.0.0.1:@port@ ldaps://127.0.0.1:@secure@'",
    ),
)
