"""A server of the matrix as data, and how it runs."""

import contextlib
import importlib.metadata
import json
import os
import pwd
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

import pytest
from msgspec import Struct

from portquorum.embedded.kafka.jars import KAFKA_VERSION
from tests.integration.kinds.servers import (
    as_user,
    folder,
    free_port,
    open_for_connections,
    running,
)
from tests.wide.installed import WIDE, missing

_MARK: Final = re.compile(r"@([a-z][a-z0-9_]*)@")
_SETUP_S: Final = 120
_FOLDERS: Final = {"cargo": "rust", "go": "go", "maven": "java", "npm": "node", "pypi": "python"}
FOREIGN: Final = Path(__file__).parent / "foreign"


_ALSO: Final = {"tls": "tls/certificate", "smtp/starttls": "tcp/starttls"}
"""Who shows a certificate is let in where nobody wants one; the steps are those of the kind."""


class Port(Struct, frozen=True):
    """A port of a server.

    `up`: the attempts (see `attempts.py`) that are rightly up there, with blanks between them; what
    follows of itself is left out (`rightly_up`). All others must be down. `most`: the highest
    number that the server takes. `ends_without_certificate`: it ends the connection of who shows no
    certificate in TLS. `unregistered`: it is a registry that does not know the domain.
    """

    name: str
    up: str = ""
    over: Literal["tcp", "udp", "both"] = "tcp"
    most: int = 65_535
    ends_without_certificate: bool = False
    unregistered: bool = False

    @property
    def rightly_up(self) -> frozenset[str]:
        """All of them: `tcp` where the port is not of UDP alone, and what means the same."""
        up = set(self.up.split())
        up.add("tcp/closed" if self.over == "udp" else "tcp")
        if "udp/dns" not in up:  # that is the datagram which must not be answered
            up.add("udp/closed")
        return frozenset(up | {more for one, more in _ALSO.items() if one in up})


class Server(Struct, frozen=True, kw_only=True):
    """A server: where it is from, how it starts, and what is rightly up there.

    `source` is `debian PACKAGE`, `unpacked FOLDER PACKAGE`, `pypi PROJECT`, `npm PACKAGE` (`node`
    is node's own), `maven ARTIFACT`, `go MODULE`, `cargo CRATE`, or `embedded NAME` for what our
    own embedded services run.

    In texts `@name@` is a port or a file: `@dir@` the server's folder, `@program@`, `@root@` (of
    what is unpacked), `@cert@`, `@key@` and `@pem@` (both in one), `@ca@`, `@wide@` the folder of
    what tests/wide/install made, `@foreign@` that of our few lines around a library, `@python@` our
    Python, `@ours@` this checkout, `@home@` the home of who runs the tests.

    `program` is the name and further places (patterns). `before` are commands of a shell, which
    run first. `user`: whom root lets it run as. `needs` run beside it: their ports are
    `@server_port@`. `at_once`: the number of checks at a time that it bears.
    """

    name: str
    source: str
    command: str
    ports: tuple[Port, ...]
    program: tuple[str, ...] = ()
    files: Mapping[str, str] = {}
    before: tuple[str, ...] = ()
    user: str | None = None
    env: Mapping[str, str] = {}
    needs: tuple["Server", ...] = ()
    at_once: int = 8

    @property
    def root(self) -> Path:
        """The folder in which tests/wide/install put it; `/` for a package of the system."""
        how, *words = self.source.split()
        folder = words[0] if how == "unpacked" else _FOLDERS.get(how)
        return Path("/") if folder is None else WIDE / folder

    def version(self) -> str:
        """The version of the package, `?` if nothing tells it."""
        how, *words = self.source.split()
        package = words[-1]
        if how == "embedded":
            chdb = importlib.metadata.version("chdb")
            return KAFKA_VERSION if package == "Kafka" else chdb
        if how == "debian":
            command = ["dpkg-query", "-W", "-f", "${Version}", package]
            return _output(command)
        if how == "pypi":
            return _output([f"{WIDE}/python/bin/python", "-c", _PYPI_VERSION, package])
        if package == "node":
            return _output(["node", "--version"])
        if how == "npm":
            about = WIDE / "node" / "node_modules" / package / "package.json"
            return str(json.loads(about.read_text())["version"]) if about.exists() else "?"
        said = WIDE / "versions" / package.replace("/", "+")
        return said.read_text().strip() if said.exists() else "?"


_PYPI_VERSION: Final = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "?"


class Pems(Struct, frozen=True):
    """A certificate of 127.0.0.1 and localhost, and its authority."""

    ca: Path
    cert: Path
    key: Path


class Running(Struct, frozen=True):
    """A server that runs: the number of each port by name, and its log."""

    ports: dict[str, int]
    log: Path


@contextlib.contextmanager
def started(server: Server, pems: Pems) -> Iterator[Running]:
    """The server while it runs; all of its TCP ports take connections."""
    with contextlib.ExitStack() as stack:
        names: dict[str, str] = {"wide": str(WIDE), "root": str(server.root)}
        names |= {"python": sys.executable, "foreign": str(FOREIGN)}
        names |= {"home": os.environ.get("HOME", "/"), "ours": str(FOREIGN.parents[2])}
        for other in server.needs:
            behind = stack.enter_context(started(other, pems))
            names |= {f"{other.name}_{port}": str(number) for port, number in behind.ports.items()}
        ports = {port.name: _free_port(port) for port in server.ports}
        names |= {port: str(number) for port, number in ports.items()}
        # A further free port: what the server wants beside those that are checked.
        names |= {"other": str(free_port()), "another": str(free_port())}
        if server.program:
            names["program"] = found(server)
        owner = server.user if not os.geteuid() else None
        path = stack.enter_context(folder())
        if owner is not None:
            _give(path, owner)
        names["dir"] = str(path)
        names |= _certificates(pems, path, owner)
        for name, text in server.files.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(filled(text, names))
            if text.startswith("#!"):
                file.chmod(0o755)
        if owner is not None:
            for file in path.rglob("*"):
                _give(file, owner)
        env = {**os.environ, "HOME": str(path), **libraries(server)}
        env |= {name: filled(value, names) for name, value in server.env.items()}
        as_owner = as_user(server.user) if server.user else []
        for command in server.before:
            _prepare(server, [*as_owner, "sh", "-ec", filled(command, names)], path, env)
        command = [*as_owner, *shlex.split(filled(server.command, names))]
        over_tcp = [ports[port.name] for port in server.ports if port.over != "udp"]

        def ready(_: int) -> bool:
            return all(open_for_connections(number) for number in over_tcp)

        first = ports[server.ports[0].name]
        log = path / "server.log"
        with contextlib.chdir(path):
            stack.enter_context(running(command, first, log, env=env, ready=ready))
        yield Running(ports, log)


def libraries(server: Server) -> dict[str, str]:
    """The environment in which a program that was unpacked finds its libraries."""
    if not server.source.startswith("unpacked "):
        return {}
    places = [server.root / "usr/lib", *server.root.glob("usr/lib/*-linux-gnu")]
    return {"LD_LIBRARY_PATH": ":".join(map(str, places))}


def found(server: Server) -> str:
    """The path of the server's program; without it the test is skipped (or fails)."""
    name, *places = server.program
    how = server.source.split()[0]
    if not server.root.exists():
        missing(f"{server.name} ({server.source})")
    if how not in {"unpacked", "pypi", "go", "cargo"}:
        places_of_programs = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
        known = shutil.which(name, path=places_of_programs)
        if known is not None:
            return known
    patterns = [*places, f"usr/sbin/{name}", f"usr/bin/{name}"]
    held = (path for one in patterns for path in sorted(server.root.glob(one.lstrip("/"))))
    path = next(held, None)
    if path is None:
        missing(f"{server.name} ({server.source})")
    return str(path)


def filled(text: str, names: Mapping[str, str]) -> str:
    """The text with each `@name@` that is known in its place; others stay."""
    return _MARK.sub(lambda mark: names.get(mark[1], mark[0]), text)


def _give(path: Path, owner: str) -> None:
    shutil.chown(path, owner, pwd.getpwnam(owner).pw_gid)


def _free_port(port: Port) -> int:
    """A port that is free over TCP and UDP."""
    for _ in range(100):
        number = (
            free_port() if port.most == 65_535 else 20_000 + secrets.randbelow(port.most - 20_000)
        )
        if open_for_connections(number):
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            try:
                other.bind(("127.0.0.1", number))
            except OSError:
                continue
            return number
    pytest.fail(f"no free port for {port.name}")


def _certificates(pems: Pems, path: Path, owner: str | None) -> dict[str, str]:
    """Copies that the server's user alone may read, as servers want it."""
    copies = {"cert": pems.cert.read_bytes(), "key": pems.key.read_bytes()}
    copies["ca"] = pems.ca.read_bytes()
    copies["pem"] = copies["cert"] + copies["key"]
    names: dict[str, str] = {}
    for name, text in copies.items():
        file = path / f"{name}.pem"
        file.write_bytes(text)
        file.chmod(0o600)
        if owner is not None:
            _give(file, owner)
        names[name] = str(file)
    return names


def _prepare(server: Server, command: list[str], path: Path, env: Mapping[str, str]) -> None:
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=path,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SETUP_S,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
        spent_s = time.monotonic() - began
        pytest.fail(f"{server.name}: {command[-1]!r} failed after {spent_s:.0f} s:\n{said}")
