"""All kinds of checks that a prober can make, by name."""

from typing import Final

from producers.kinds import (
    amqp,
    ftp,
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
)
from producers.kinds.kind import Kind

KINDS: Final[dict[str, Kind]] = {
    "tcp": tcp.KIND,
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
