"""Servers with the logging that they have by default, and what they count of connections."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import trustme
from msgspec import Struct

from tests.integration.kinds.servers import as_user, folder, free_port, program, running
from tests.wide.log_unpacked import exim, proftpd, pure_ftpd
from tests.wide.logs import Logging, Start


@contextlib.contextmanager
def postgres() -> Iterator[Logging]:
    server = program("postgres", "/usr/lib/postgresql/*/bin/postgres")
    initdb = program("initdb", "/usr/lib/postgresql/*/bin/initdb")
    port = free_port()
    with folder("postgres") as path:
        options = ["-A", "scram-sha-256", "-N", f"--pwfile={_password(path)}"]
        subprocess.run(
            [*as_user("postgres"), initdb, "-D", path / "data", *options],
            check=True,
            capture_output=True,
            cwd=path,
        )
        command = [*as_user("postgres"), server, "-D", str(path / "data"), f"-cport={port}"]
        command += ["-clisten_addresses=127.0.0.1", f"-cunix_socket_directories={path}"]
        with running(command, port, path / "log"):
            yield Logging(port, (path / "log",))


def _password(path: Path) -> Path:
    file = path / "password"
    file.write_text("secret\n")
    file.chmod(0o644)
    return file


@contextlib.contextmanager
def mariadb() -> Iterator[Logging]:
    server = program("mariadbd", "/usr/sbin/mysqld")
    install = program("mariadb-install-db", "/usr/bin/mysql_install_db")
    client = program("mariadb", "/usr/bin/mysql")
    port = free_port()
    with folder("mysql") as path:
        user = [] if os.geteuid() else ["--user=mysql"]
        subprocess.run(
            [install, "--no-defaults", f"--datadir={path}/data", "--skip-test-db", *user],
            check=True,
            capture_output=True,
        )
        command = [server, "--no-defaults", *user, f"--datadir={path}/data", f"--port={port}"]
        command += ["--bind-address=127.0.0.1", f"--socket={path}/socket", f"--pid-file={path}/pid"]

        def counters() -> dict[str, int]:
            query = (
                "SHOW GLOBAL STATUS WHERE variable_name IN "
                "('Aborted_connects', 'Aborted_clients', 'Aborted_connects_preauth')"
            )
            told = subprocess.run(
                [client, "--no-defaults", "-S", path / "socket", "-u", "root", "-N", "-e", query],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            return {name: int(number) for name, number in map(str.split, told.splitlines())}

        with running(command, port, path / "log"):
            yield Logging(port, (path / "log",), counters)


@contextlib.contextmanager
def redis() -> Iterator[Logging]:
    port = free_port()
    with folder() as path:
        command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1"]
        with running([*command, "--dir", str(path), "--save", ""], port, path / "log"):
            told = [program("redis-cli"), "-p", str(port), "info", "stats"]

            def counters() -> dict[str, int]:
                stats = subprocess.run(told, check=True, capture_output=True, text=True).stdout
                names = ("rejected_connections", "total_error_replies")
                return {name: int(_found(rf"{name}:(\d+)", stats)) for name in names}

            yield Logging(port, (path / "log",), counters)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, (pattern, text)
    return found[1]


@contextlib.contextmanager
def memcached() -> Iterator[Logging]:
    port = free_port()
    user = [] if os.geteuid() else ["-u", "nobody"]
    with folder() as path:
        command = [program("memcached"), "-l", "127.0.0.1", "-p", str(port), *user]
        with running(command, port, path / "log"):
            yield Logging(port, (path / "log",))


@contextlib.contextmanager
def postfix() -> Iterator[Logging]:
    server = program("postfix")
    port = free_port()
    with folder() as path:
        for name in ("etc", "data", "queue"):
            (path / name).mkdir()
        subprocess.run(["chown", "postfix", path / "data"], check=True)
        (path / "etc/main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {path}/queue\n"
            f"data_directory = {path}/data\nmaillog_file = /dev/stdout\n"
            "maillog_file_prefixes = /dev\ninet_interfaces = 127.0.0.1\n"
            "myhostname = mx.example.com\nalias_maps =\nalias_database =\n"
        )
        (path / "etc/master.cf").write_text(
            f"127.0.0.1:{port} inet n - n - - smtpd\n"
            "postlog unix-dgram n - n - 1 postlogd\nanvil unix - - n - 1 anvil\n"
            "rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\n"
            "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n"
            "qmgr unix n - n 300 1 qmgr\nbounce unix - - n - 0 bounce\n"
        )
        try:
            with running([server, "-c", str(path / "etc"), "start-fg"], port, path / "log"):
                yield Logging(port, (path / "log",))
        finally:
            # Its master leads a session of its own.
            subprocess.run([server, "-c", path / "etc", "abort"], capture_output=True, check=False)


def dovecot(protocol: str) -> Start:
    @contextlib.contextmanager
    def start() -> Iterator[Logging]:
        port = free_port()
        with folder() as path:
            (path / "conf").write_text(
                f"base_dir = {path}/run\nstate_dir = {path}/state\nlog_path = /dev/stderr\n"
                f"protocols = {protocol}\nmail_location = maildir:~/mail\nssl = no\n"
                "passdb {\n driver = static\n args = nopassword=y\n}\n"
                "userdb {\n driver = static\n args = uid=65534 gid=65534 home=/nonexistent\n}\n"
                f"service {protocol}-login {{\n chroot =\n inet_listener {protocol} {{\n"
                f"  address = 127.0.0.1\n  port = {port}\n }}\n}}\n"
            )
            command = [program("dovecot"), "-F", "-c", str(path / "conf")]
            with running(command, port, path / "log"):
                yield Logging(port, (path / "log",))

    return start


@contextlib.contextmanager
def vsftpd() -> Iterator[Logging]:
    server, port = program("vsftpd"), free_port()
    with folder() as path:
        (path / "empty").mkdir()
        # What Debian's own file has, but the log's place and the port.
        (path / "conf").write_text(
            "listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nbackground=NO\n"
            f"listen_port={port}\nanonymous_enable=NO\nlocal_enable=YES\nxferlog_enable=YES\n"
            f"secure_chroot_dir={path}/empty\nvsftpd_log_file={path}/vsftpd.log\n"
            "seccomp_sandbox=NO\n"
        )
        with running([server, str(path / "conf")], port, path / "log"):
            yield Logging(port, (path / "log", path / "vsftpd.log"))


@contextlib.contextmanager
def sshd() -> Iterator[Logging]:
    server, keygen, port = program("sshd"), program("ssh-keygen"), free_port()
    with folder() as path:
        key = path / "key"
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        if not os.geteuid():
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # noqa: PTH103
        settings = (f"Port={port}", "ListenAddress=127.0.0.1", f"HostKey={key}", "PidFile=none")
        command = [server, "-D", "-e", "-f", "/dev/null", *(f"-o{one}" for one in settings)]
        with running(command, port, path / "log"):
            yield Logging(port, (path / "log",))


@contextlib.contextmanager
def dropbear() -> Iterator[Logging]:
    server, keygen, port = program("dropbear"), program("dropbearkey"), free_port()
    with folder() as path:
        subprocess.run(
            [keygen, "-t", "ed25519", "-f", path / "key"], check=True, capture_output=True
        )
        command = [server, "-F", "-E", "-p", f"127.0.0.1:{port}", "-r", str(path / "key")]
        with running([*command, "-P", str(path / "pid")], port, path / "log"):
            yield Logging(port, (path / "log",))


def nginx(*, tls: bool) -> Start:
    @contextlib.contextmanager
    def start() -> Iterator[Logging]:
        server, port = program("nginx"), free_port()
        with folder("www-data") as path:
            listen = f"listen 127.0.0.1:{port}"
            if tls:
                certificate, key = _pair(path)
                listen += f" ssl; ssl_certificate {certificate}; ssl_certificate_key {key}"
            temps = "".join(
                f"{name}_temp_path {path}/{name};"
                for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            (path / "conf").write_text(
                f"daemon off; pid {path}/pid; error_log {path}/error.log;"
                "events { worker_connections 64; }"
                f"http {{ access_log {path}/access.log; {temps}"
                f"server {{ {listen}; location / {{ return 200 hello; }} }} }}"
            )
            with running([server, "-c", str(path / "conf"), "-p", str(path)], port, path / "log"):
                yield Logging(port, (path / "log", path / "error.log", path / "access.log"))

    return start


def _pair(path: Path) -> tuple[Path, Path]:
    made = trustme.CA().issue_cert("localhost", "127.0.0.1")
    made.private_key_pem.write_to_path(path / "key.pem")
    made.cert_chain_pems[0].write_to_path(path / "certificate.pem")
    return path / "certificate.pem", path / "key.pem"


def apache(*, tls: bool) -> Start:
    @contextlib.contextmanager
    def start() -> Iterator[Logging]:
        server, port = program("apache2"), free_port()
        modules = {"mpm_event": "mpm_event", "authz_core": "authz_core", "dir": "dir"}
        with folder("www-data") as path:
            host = ""
            if tls:
                certificate, key = _pair(path)
                modules |= {"socache_shmcb": "socache_shmcb", "ssl": "ssl"}
                host = (
                    f"SSLEngine on\nSSLSessionCache shmcb:{path}/cache(512000)\n"
                    f"SSLCertificateFile {certificate}\nSSLCertificateKeyFile {key}\n"
                )
            (path / "page").mkdir()
            (path / "page/index.html").write_text("hello")
            loaded = "".join(
                f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{file}.so\n"
                for name, file in modules.items()
            )
            # What Debian's apache2.conf and 000-default.conf have of logs.
            (path / "conf").write_text(
                f"{loaded}ServerName localhost\nPidFile {path}/pid\nDefaultRuntimeDir {path}\n"
                f"User www-data\nGroup www-data\nListen 127.0.0.1:{port}\n"
                f"ErrorLog {path}/error.log\nLogLevel warn\n"
                'LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" '
                f"combined\nCustomLog {path}/access.log combined\n"
                f"DocumentRoot {path}/page\n{host}"
            )
            command = [server, "-f", str(path / "conf"), "-DFOREGROUND"]
            with running(command, port, path / "log"):
                yield Logging(port, (path / "log", path / "error.log", path / "access.log"))

    return start


@contextlib.contextmanager
def lighttpd() -> Iterator[Logging]:
    server, port = program("lighttpd"), free_port()
    with folder() as path:
        (path / "index.html").write_text("hello")
        (path / "conf").write_text(
            f'server.document-root = "{path}"\nserver.port = {port}\nserver.bind = "127.0.0.1"\n'
            f'server.errorlog = "{path}/error.log"\nindex-file.names = ("index.html")\n'
        )
        with running([server, "-D", "-f", str(path / "conf")], port, path / "log"):
            yield Logging(port, (path / "log", path / "error.log"))


@contextlib.contextmanager
def haproxy() -> Iterator[Logging]:
    """Mode tcp before Redis, with the log of Debian's own file (`log global`, `option tcplog`)."""
    server, port = program("haproxy"), free_port()
    with folder() as path, redis() as behind:
        (path / "conf").write_text(
            "global\n log stdout format raw local0\n"
            "defaults\n log global\n mode tcp\n option tcplog\n option dontlognull\n"
            " timeout connect 5s\n timeout client 50s\n timeout server 50s\n"
            f"listen here\n bind 127.0.0.1:{port}\n server one 127.0.0.1:{behind.port}\n"
        )
        with running([server, "-db", "-f", str(path / "conf")], port, path / "log"):
            yield Logging(port, (path / "log",))


@contextlib.contextmanager
def rabbitmq() -> Iterator[Logging]:
    # Not the one in /usr/sbin: what that starts is not ours to end.
    server = program("/usr/lib/rabbitmq/bin/rabbitmq-server")
    epmd = program("epmd", "/usr/lib/erlang/erts-*/bin/epmd")
    port, names = free_port(), free_port()
    with folder("rabbitmq") as path:
        (path / "plugins").write_text("[].")
        env = {
            "RABBITMQ_NODENAME": f"pq{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(path / "mnesia"),
            "RABBITMQ_LOG_BASE": str(path / "log.d"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(path / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(path / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(names),
            "HOME": str(path),
        }
        with (
            running([epmd, "-address", "127.0.0.1", "-port", str(names)], names, path / "names"),
            running([*as_user("rabbitmq"), server], port, path / "log", env=env),
        ):
            yield Logging(port, (path / "log",))


@contextlib.contextmanager
def mosquitto() -> Iterator[Logging]:
    port = free_port()
    with folder() as path:
        (path / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        with running([program("mosquitto"), "-c", str(path / "conf")], port, path / "log"):
            yield Logging(port, (path / "log",))


class Server(Struct, frozen=True):
    """A server, how it is checked, and what it notes of each check, and why."""

    name: str
    kind: str
    start: Start
    lines: int
    why: str
    tls: bool = False
    rate: float = 100.0
    at_once: int = 20
    """The checks a second, and at a time, that it bears."""
    counted: dict[str, int] | None = None
    """What it counts of 1,000 checks; all its other counters must stay. None: it has no such
    counters."""


EVERY: Final = (
    Server("PostgreSQL", "postgres", postgres, 0, ""),
    Server(
        "MariaDB",
        "mysql",
        mariadb,
        1,
        "the refused login (`log_warnings` 2); without the login it would count us among those "
        "it blocks",
        counted={"Aborted_connects": 1_000},
    ),
    Server("Redis", "redis", redis, 0, "", counted={}),
    Server("memcached", "memcached", memcached, 0, ""),
    Server("Postfix", "smtp", postfix, 2, "every client: `connect from`, `disconnect from`"),
    Server("Exim", "smtp", exim, 0, "", rate=20.0, at_once=5),  # it starts anew for each client
    Server("Dovecot, IMAP", "imap", dovecot("imap"), 1, "every client without a login"),
    Server("Dovecot, POP3", "pop3", dovecot("pop3"), 1, "every client without a login"),
    Server("vsftpd", "ftp", vsftpd, 1, "every client: `CONNECT`"),
    Server("ProFTPD", "ftp", proftpd, 2, "every client: `session opened`, `session closed`"),
    Server("Pure-FTPd", "ftp", pure_ftpd, 2, "every client: `New connection`, `Logout`"),
    Server("OpenSSH", "ssh", sshd, 1, "every client: `Connection closed by … [preauth]`"),
    Server(
        "Dropbear",
        "ssh",
        dropbear,
        2,
        "every client: `Child connection`, `Exit before auth`",
        rate=20.0,
        at_once=2,  # it takes five of one address that have not logged in
    ),
    Server("nginx, HTTP", "http", nginx(tls=False), 1, "every request, in the access log"),
    Server("nginx, TLS", "tls", nginx(tls=True), 0, "", tls=True),
    Server("Apache, HTTP", "http", apache(tls=False), 1, "every request, in the access log"),
    Server("Apache, TLS", "tls", apache(tls=True), 0, "", tls=True),
    Server("lighttpd", "http", lighttpd, 0, ""),
    Server("HAProxy before Redis", "redis", haproxy, 1, "every connection (`option tcplog`)"),
    Server(
        "RabbitMQ",
        "amqp",
        rabbitmq,
        3,
        "every client that does not log in: `accepting`, a warning of two lines; there is no "
        "goodbye before the login",
    ),
    Server("Mosquitto", "mqtt", mosquitto, 3, "every client: connection, name, `disconnected`"),
)
