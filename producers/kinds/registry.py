"""All kinds of checks that a prober can make, by name."""

from typing import Final

from producers.kinds import (
    amqp,
    dns,
    ftp,
    http,
    icmp,
    imap,
    kafka,
    memcached,
    mongodb,
    mqtt,
    mssql,
    mysql,
    pop3,
    postgres,
    redis,
    smtp,
    ssh,
    tcp,
    tls,
    udp,
)
from producers.kinds.kind import Kind

KINDS: Final[dict[str, Kind]] = {
    "tcp": tcp.KIND,
    "udp": udp.KIND,
    "tls": tls.KIND,
    "http": http.KIND,
    "dns": dns.KIND,
    "icmp": icmp.KIND,
    "smtp": smtp.DIALOGUE.kind(),
    "imap": imap.DIALOGUE.kind(),
    "pop3": pop3.DIALOGUE.kind(),
    "ftp": ftp.DIALOGUE.kind(),
    "ssh": ssh.DIALOGUE.kind(),
    "redis": redis.DIALOGUE.kind(),
    "memcached": memcached.DIALOGUE.kind(),
    "postgres": postgres.DIALOGUE.kind(),
    "mysql": mysql.DIALOGUE.kind(),
    "mongodb": mongodb.DIALOGUE.kind(),
    "mssql": mssql.DIALOGUE.kind(),
    "amqp": amqp.DIALOGUE.kind(),
    "kafka": kafka.DIALOGUE.kind(),
    "mqtt": mqtt.DIALOGUE.kind(),
}
