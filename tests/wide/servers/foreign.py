"""Servers of other languages and of PyPI, around a library with a few lines of ours."""

from typing import Final

from tests.wide.server import Port, Server


def _python(name: str, source: str, *ports: Port) -> Server:
    return Server(
        name=name,
        source=f"pypi {source}",
        program=("python", "bin/python"),
        ports=ports,
        command=f"@program@ @foreign@/servers.py {name} @port@ {_second(ports)} @cert@ @key@",
    )


def _node(name: str, source: str, *ports: Port) -> Server:
    return Server(
        name=f"{name} (node)",
        source=f"npm {source}",
        program=("node",),
        ports=ports,
        command=f"@program@ @foreign@/servers.cjs @wide@ {name} @port@ {_second(ports)} "
        "@cert@ @key@",
    )


def _go(name: str, source: str, *ports: Port, host: str = "github.com") -> Server:
    return Server(
        name=f"{source.removesuffix('/v2')} (Go)",
        source=f"go {host}/{source}",
        program=("wide", "wide"),
        ports=ports,
        command=f"@program@ {name} @port@ {_second(ports)} @cert@ @key@",
    )


def _second(ports: tuple[Port, ...]) -> str:
    return f"@{ports[1].name}@" if len(ports) > 1 else "@other@"


def _java(name: str, artifact: str, command: str, *ports: Port, before: str = "true") -> Server:
    return Server(
        before=(before,),
        name=name,
        source=f"maven {artifact}",
        program=("java",),
        ports=ports,
        command=f"@program@ -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m "
        f"-cp '@wide@/java:@wide@/java/jars/*' {command}",
    )


GRPCIO: Final = _python("grpcio", "grpcio", Port("port", "grpc"), Port("secure", "grpc/tls tls"))
WEBSOCKETS: Final = _python(
    "websockets",
    "websockets",
    Port("port", "http websocket"),
    Port("secure", "http/tls http/certificate websocket/tls tls"),
)
"""What stands behind the proxies of the other tables."""

_SECURE_PAGE: Final = "http/tls http/certificate tcp/certificate tls"

SERVERS: Final = (
    GRPCIO,
    WEBSOCKETS,
    _python(
        "aiosmtpd",
        "aiosmtpd",
        Port("port", "smtp smtp/starttls"),
        Port("secure", "smtp/implicit tls"),
    ),
    _python("amqtt", "amqtt", Port("port", "mqtt"), Port("secure", "mqtt/implicit tls")),
    _python("asyncssh", "asyncssh", Port("port", "ssh")),
    _python("fakeredis", "fakeredis", Port("port", "redis")),
    _python("hypercorn", "Hypercorn", Port("port", "http"), Port("secure", _SECURE_PAGE)),
    _python("pyftpdlib", "pyftpdlib", Port("port", "ftp")),
    _python("twisted", "Twisted", Port("port", "imap"), Port("pop3", "pop3")),
    _node("aedes", "aedes", Port("port", "mqtt"), Port("secure", "mqtt/implicit tls")),
    _node("ftp-srv", "ftp-srv", Port("port", "ftp ftp/starttls")),
    _node("hoodiecrow", "hoodiecrow-imap", Port("port", "imap imap/starttls")),
    _node("node", "node", Port("port", "http"), Port("secure", _SECURE_PAGE)),
    _node(
        "smtp-server",
        "smtp-server",
        Port("port", "smtp smtp/starttls"),
        Port("secure", "smtp/implicit tls"),
    ),
    _node(
        "ws",
        "ws",
        Port("port", "http websocket"),
        Port("secure", "http/tls http/certificate websocket/tls tls"),
    ),
    _go("dns", "miekg/dns", Port("port", "dns dns/tcp udp/dns", over="both")),
    _go(
        "grpc",
        "grpc",
        Port("port", "grpc"),
        Port("secure", "grpc/tls tls"),
        host="google.golang.org",
    ),
    # The first begins TLS as the client does (`handshake_first: auto`), the second before its INFO.
    _go(
        "nats",
        "nats-io/nats-server/v2",
        Port("port", "nats nats/starttls nats/implicit tls"),
        Port("secure", "nats/implicit tls"),
    ),
    _go(
        "websocket",
        "gorilla/websocket",
        Port("port", "http websocket"),
        Port("secure", "http http/tls http/certificate websocket/tls tls"),
    ),
    _go(
        "imap",
        "emersion/go-imap/v2",
        Port("port", "imap imap/starttls"),
        Port("secure", "imap/implicit tls"),
    ),
    _go("miniredis", "alicebob/miniredis/v2", Port("port", "redis")),
    _go("mqtt", "mochi-mqtt/server/v2", Port("port", "mqtt"), Port("secure", "mqtt/implicit tls")),
    _go("mysql", "dolthub/go-mysql-server", Port("port", "mysql mysql/starttls")),
    _go(
        "smtp",
        "emersion/go-smtp",
        Port("port", "smtp smtp/starttls"),
        Port("secure", "smtp/implicit tls"),
    ),
    _go("ssh", "gliderlabs/ssh", Port("port", "ssh")),
    _java(
        "mongo-java-server", "mongo-java-server", "Servers mongo @port@", Port("port", "mongodb")
    ),
    _java(
        "artemis",
        "artemis-server",
        "Servers artemis @port@ @mqtt@ @secure@ @dir@/store.p12",
        # AMQP 1.0, which the detail of the other says; over WebSocket it takes them all, too.
        Port("port", "amqp amqp/1.0 websocket"),
        Port("mqtt", "mqtt websocket"),
        Port("secure", "amqp/implicit amqp/1.0/implicit websocket/tls tls"),
        before="openssl pkcs12 -export -in @cert@ -inkey @key@ -passout pass:secret -out store.p12",
    ),
    _java(
        "h2",
        "h2",
        "org.h2.tools.Server -pg -pgPort @port@ -web -webPort @web@ -ifNotExists",
        Port("port", "postgres"),
        Port("web", "http"),
    ),
    _java(
        "wiremock",
        "wiremock-standalone",
        "wiremock.Run --port @port@ --bind-address 127.0.0.1",
        Port("port", "http"),
    ),
    Server(
        name="kafka",
        source="embedded Kafka",
        ports=(Port("port", "kafka"),),
        command="@python@ -m portquorum.embedded.kafka.main --listen 127.0.0.1:@port@ "
        "--data @dir@/data",
        env={"HOME": "@home@", "PYTHONPATH": "@ours@"},
    ),
    Server(
        name="clickhouse",
        source="embedded chDB",
        ports=(Port("port", "http"),),
        command="@python@ -m portquorum.embedded.clickhouse.main --listen 127.0.0.1:@port@ "
        "--data @dir@/data",
        env={"HOME": "@home@", "PYTHONPATH": "@ours@"},
    ),
)
