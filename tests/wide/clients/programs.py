"""The clients that are asked, and how the program of each is built."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests import toolchains
from tests.wide.clients import tools

HERE: Final = Path(__file__).parent
JDBC_VERSIONS: Final = os.environ.get("PORTQUORUM_WIDE_JDBC", "0.9.5 0.11.1").split()
"""The versions of clickhouse-jdbc that are asked; others by PORTQUORUM_WIDE_JDBC."""


class Client(Struct, frozen=True):
    """A client, and what it can't do: the way (`do`) of a question with the reason.

    `tool` names the tool whose own queries go through it, `errors` the words that a person sees
    instead of the server's, by the name of the question, where the client does not read them.
    """

    name: str
    command: Callable[[Path], list[str]]
    tool: str = ""
    lacks: Mapping[str, str] = {}
    errors: Mapping[str, str] = {}


def _python(main: str) -> Callable[[Path], list[str]]:
    def command(_: Path) -> list[str]:
        return [str(_environment() / "bin" / "python"), str(HERE / "python" / main)]

    return command


def _environment() -> Path:
    """A virtual environment with `python/requirements.txt`, made once a machine."""
    listed = (HERE / "python" / "requirements.txt").read_bytes() + sys.version.encode()
    folder = toolchains._cache() / f"clients-{hashlib.sha256(listed).hexdigest()[:16]}"
    with toolchains._one_at_a_time(folder.name):
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            toolchains._run([sys.executable, "-m", "venv", str(folder)], HERE)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q"]
            toolchains._run([*pip, "-r", str(HERE / "python" / "requirements.txt")], HERE)
            (folder / "whole").touch()
    return folder


def _go(mode: str) -> Callable[[Path], list[str]]:
    return lambda folder: [*toolchains.go_program(HERE / "go", folder), mode]


def _jdbc(version: str, mode: str) -> Callable[[Path], list[str]]:
    def command(folder: Path) -> list[str]:
        source = folder / f"jdbc-{version}"
        shutil.copytree(HERE / "java", source, dirs_exist_ok=True)
        pom = source / "pom.xml"
        wanted = f"<clickhouse.jdbc>{version}<"
        pom.write_text(pom.read_text().replace("<clickhouse.jdbc>0.9.5<", wanted))
        built = folder / "built"
        built.mkdir(exist_ok=True)
        return [*toolchains.java_program(source, built, "Jdbc"), mode]

    return command


def _javascript(folder: Path) -> list[str]:
    return toolchains.node_program(HERE / "javascript", folder, "program.mjs")


_GO_ERRORS: Final = {"write": "failed to read response: read next block"}
"""With LZ4 it takes any error for compressed, also of an Exec, which does not ask for that."""

_JDBC_ERRORS: Final = {"broken answer": "Premature end of chunk coded message body"}
"""It knows nothing of `X-ClickHouse-Exception-Tag`, the server's sentence within an answer."""

CLIENTS: Final = (
    Client("clickhouse-connect", _python("clickhouse_connect_program.py")),
    Client("SQLAlchemy", _python("sqlalchemy_program.py"), tool=tools.SQLALCHEMY),
    Client("ibis", _python("ibis_program.py"), lacks={"bind": "ibis has no parameters of its own"}),
    Client("polars over Parquet", _python("polars_program.py")),
    Client("clickhouse-go", _go("conn"), errors=_GO_ERRORS),
    Client("clickhouse-go, database/sql", _go("sql"), errors=_GO_ERRORS),
    Client("clickhouse-go as Grafana", _go("grafana"), tool=tools.GRAFANA),
    *(
        client
        for version in JDBC_VERSIONS
        for client in (
            Client(f"clickhouse-jdbc {version}", _jdbc(version, "plain"), errors=_JDBC_ERRORS),
            Client(
                f"clickhouse-jdbc {version} as DBeaver",
                _jdbc(version, "dbeaver"),
                tool=tools.JDBC,
                errors=_JDBC_ERRORS,
            ),
        )
    ),
    Client("@clickhouse/client", _javascript),
)
