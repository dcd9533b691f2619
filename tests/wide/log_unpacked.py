"""Servers of Debian that can't be installed beside others, with their package's logging.

Their limits of sessions at a time are higher than by default: these checks come fast.
"""

import contextlib
import shlex
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.integration.kinds.servers import folder, free_port, program, running
from tests.wide.installed import WIDE, missing
from tests.wide.logs import Logging

_DEVICES: Final = ("null", "zero", "full", "random", "urandom")


def _unpacked(name: str, file: str) -> tuple[str, dict[str, str]]:
    """The program and the environment in which it finds its libraries."""
    root = WIDE / name
    if not (root / file).exists():
        missing(f"{file} of {name}")
    places = [root / "usr/lib", *root.glob("usr/lib/*-linux-gnu")]
    return str(root / file), {"LD_LIBRARY_PATH": ":".join(map(str, places))}


@contextlib.contextmanager
def exim() -> Iterator[Logging]:
    server, env = _unpacked("exim", "usr/sbin/exim4")
    port = free_port()
    with folder("Debian-exim") as path:
        # What Debian's exim4-config has of logs.
        (path / "conf").write_text(
            f"primary_hostname = mx.example.com\nspool_directory = {path}/spool\n"
            f"log_file_path = {path}/%slog\nlocal_interfaces = 127.0.0.1\n"
            f"daemon_smtp_ports = {port}\nexim_user = Debian-exim\nexim_group = Debian-exim\n"
            "log_selector = +smtp_protocol_error +smtp_syntax_error +tls_certificate_verified "
            "+tls_peerdn\nhost_lookup = *\nhost_lookup_order = byaddr\nsmtp_accept_max = 100\n"
        )
        command = [server, "-C", str(path / "conf"), "-bdf", "-oX", str(port)]
        command += ["-oP", str(path / "pid")]
        with running(command, port, path / "log", env=env):
            names = ("log", "mainlog", "rejectlog", "paniclog")
            yield Logging(port, tuple(path / name for name in names))


@contextlib.contextmanager
def proftpd() -> Iterator[Logging]:
    server, env = _unpacked("proftpd", "usr/sbin/proftpd")
    port = free_port()
    with folder() as path:
        # What Debian's proftpd.conf has, but the places and the port.
        (path / "conf").write_text(
            f"ModulePath {WIDE}/proftpd/usr/lib/proftpd\nServerName Debian\n"
            f"ServerType standalone\nDeferWelcome off\nPort {port}\nUseIPv6 off\n"
            "DefaultAddress 127.0.0.1\nSocketBindTight on\nMaxInstances 60\nUser nobody\n"
            f"Group nogroup\nTransferLog {path}/xferlog\nSystemLog {path}/proftpd.log\n"
            f"PidFile {path}/pid\nScoreboardFile {path}/board\nDelayTable {path}/delay\n"
            "WtmpLog off\n"
        )
        command = [server, "-n", "-c", str(path / "conf")]
        with running(command, port, path / "log", env=env):
            names = ("log", "proftpd.log", "xferlog")
            yield Logging(port, tuple(path / name for name in names))


@contextlib.contextmanager
def pure_ftpd() -> Iterator[Logging]:
    """It logs by syslog(3) alone, so it has a /dev of its own in which /dev/log is ours."""
    server, env = _unpacked("pure-ftpd", "usr/sbin/pure-ftpd")
    port = free_port()
    with folder() as path, _syslog(path / "syslog.socket", path / "syslog"):
        # What Debian's files in /etc/pure-ftpd say, but the place and the port.
        options = f"-l pam -O clf:{path}/transfers -u 1000 -E -J HIGH"
        start = f"{server} {options} -S 127.0.0.1,{port} -g {path}/pid"
        command = [program("unshare"), "--mount", "--propagation", "private", "sh", "-ec"]
        with running([*command, _own_devices(path) + f"exec {start}"], port, path / "log", env=env):
            yield Logging(port, (path / "log", path / "syslog", path / "transfers"))


def _own_devices(path: Path) -> str:
    """Commands of a shell in a mount namespace of its own."""
    place = shlex.quote(str(path / "dev"))
    own = [f"mkdir {place}", f"mount -t tmpfs none {place}"]
    for name in _DEVICES:
        own += [f"touch {place}/{name}", f"mount --bind /dev/{name} {place}/{name}"]
    own += [f"ln -s {shlex.quote(str(path / 'syslog.socket'))} {place}/log"]
    own += [f"mount --rbind {place} /dev"]
    return "".join(f"{line}\n" for line in own)


@contextlib.contextmanager
def _syslog(place: Path, log: Path) -> Iterator[None]:
    """A syslog daemon: each message is a line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver, log.open("ab", 0) as out:
        receiver.bind(str(place))
        place.chmod(0o666)

        def write() -> None:
            while message := receiver.recv(65_536):
                out.write(message.rstrip(b"\0\n") + b"\n")

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"", str(place))
            writer.join(10)
