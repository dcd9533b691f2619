"""Monitors of databases: who is asked, from a connection string of which nothing else is kept."""

import re
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from portquorum.importing.kuma.left_out import LeftOutError
from portquorum.importing.kuma.monitor import Monitor, Targets
from schemas.partition import canonical_host

_QUERY: Final = (
    "no login and no query: it is up when the server answers, also when it lets nobody in"
)
_LONGEST: Final = 4_000
_NO_PLACE: Final = "its connection string names no host that could be read"
_SERVER: Final = re.compile(
    r"(?i)(?:^|;)\s*(?:server|data source|address|addr|network address)\s*=\s*(?:tcp:)?"
    r"(?P<host>\[[^\]]+\]|[^;,\\]+)(?:\\[^;,]*)?(?:,\s*(?P<port>[0-9]{1,5}))?\s*(?:;|$)"
)
_ORACLE: Final = re.compile(
    r"^(?:tcps?:)?(?://)?(?P<host>\[[^\]]+\]|[^:/\s()]+)(?::(?P<port>[0-9]{1,5}))?(?:/|$)"
)


class _Place(Struct, frozen=True):
    host: str
    port: int | None
    query: dict[str, str]
    scheme: str


def database(monitor: Monitor) -> Targets:
    """Of the types `postgres`, `mysql`, `mongodb`, `redis`, `sqlserver` and `oracledb`."""
    if monitor.fields.flag("upsideDown"):
        raise LeftOutError("upside down of a database: write kind tcp with `expect: closed`")
    kind = monitor.fields.text("type")
    written = monitor.expanded(monitor.fields.text("databaseConnectionString")).strip()
    monitor.fields.skip(
        *("databaseQuery", "radiusPassword", "conditions", "basic_auth_user", "basic_auth_pass"),
        *("jsonPath", "expectedValue", "jsonPathOperator"),
    )
    if len(written) > _LONGEST:
        raise LeftOutError(f"its connection string has more than {_LONGEST} characters")
    if not written:
        raise LeftOutError(
            "it has no connection string, so that its host is not known", networked=False
        )
    return _MAKERS[kind](monitor, written)


def _postgres(monitor: Monitor, written: str) -> Targets:
    place = _of_url(written)
    monitor.differs(_QUERY)
    entry = _entry("postgres", place, 5432)
    wants_tls = place.query.get("sslmode", place.query.get("ssl", "")).lower()
    if wants_tls in {"require", "verify-ca", "verify-full", "true", "1", "no-verify"}:
        entry["probe"] = {"tls": "starttls", **monitor.ends(tls=True)}
        if wants_tls in {"require", "no-verify"}:
            entry["probe"]["verify"] = False
    return [entry]


def _mysql(monitor: Monitor, written: str) -> Targets:
    place = _of_url(written)
    monitor.differs(_QUERY)
    return [_entry("mysql", place, 3306)]


def _redis(monitor: Monitor, written: str) -> Targets:
    place = _of_url(written if "://" in written else f"redis://{written}")
    entry = _entry("redis", place, 6379)
    if "@" in written:
        monitor.differs("no login: it is up when the server answers, also when it wants a password")
    if place.scheme == "rediss":
        entry["probe"] = {"tls": "implicit", **monitor.ends(tls=True)}
        if monitor.fields.flag("ignoreTls"):
            entry["probe"]["verify"] = False
    return [entry]


def _mongodb(monitor: Monitor, written: str) -> Targets:
    if written.lower().startswith("mongodb+srv://"):
        raise LeftOutError(
            "its hosts are in a DNS record (mongodb+srv): write a target for each of them, kind "
            "mongodb with `tls: implicit`"
        )
    scheme, _, rest = written.partition("://")
    if not rest:
        raise LeftOutError(_NO_PLACE)
    hosts = re.split(r"[/?]", rest.rpartition("@")[2] or rest, maxsplit=1)[0].split(",")
    query = written.partition("?")[2]
    tls = re.search(r"(?i)(?:^|&)(?:tls|ssl)=true", query) is not None
    monitor.differs(_QUERY)
    found = []
    for one in hosts:
        place = _of_url(f"{scheme}://{one}")
        entry = _entry("mongodb", place, 27017)
        if tls:
            entry["probe"] = {"tls": "implicit", **monitor.ends(tls=True)}
        if len(hosts) > 1:
            entry["name"] = f"{monitor.name} {place.host}"
        found.append(entry)
    if len(hosts) > 1:
        monitor.differs(f"{len(hosts)} servers are checked one by one, and one was enough")
    return found


def _sqlserver(monitor: Monitor, written: str) -> Targets:
    if "://" in written:
        place = _of_url(written)
    else:
        found = _SERVER.search(written)
        if found is None:
            raise LeftOutError(_NO_PLACE)
        place = _Place(_host(found["host"]), _port(found["port"]), {}, "")
        if "\\" in found[0]:
            monitor.differs(
                "the port of a named instance is not asked for: 1433 unless it is named"
            )
    monitor.differs(_QUERY)
    return [_entry("mssql", place, 1433)]


def _oracle(monitor: Monitor, written: str) -> Targets:
    described = re.search(r"(?i)\(\s*HOST\s*=\s*([^)\s]+)\s*\)", written)
    if described is not None:
        number = re.search(r"(?i)\(\s*PORT\s*=\s*([0-9]{1,5})\s*\)", written)
        host, port = described[1], number[1] if number else None
    elif found := _ORACLE.match(written):
        host, port = found["host"], found["port"]
    else:
        raise LeftOutError(_NO_PLACE)
    monitor.differs("only that the listener's port takes connections is checked")
    place = _Place(_host(host), _port(port), {}, "")
    return [{"kind": "tcp", "host": place.host, "port": place.port or 1521}]


_MAKERS: Final = {
    "postgres": _postgres,
    "mysql": _mysql,
    "redis": _redis,
    "mongodb": _mongodb,
    "sqlserver": _sqlserver,
    "oracledb": _oracle,
}


def _entry(kind: str, place: _Place, usual: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": kind, "host": place.host}
    return entry | ({"port": place.port} if place.port not in {None, usual} else {})


def _of_url(written: str) -> _Place:
    """Host and port of a URL whose password may have any character."""
    scheme, _, rest = written.partition("://")
    # A password with an @ or a / in it: what counts is behind the last @.
    before, at, after = rest.rpartition("@")
    del before
    try:
        parts = urlsplit(f"{scheme}://{after if at else rest}")
        port, host = parts.port, parts.hostname or ""
        query = {name: one[-1] for name, one in parse_qs(parts.query).items()}
    except ValueError:
        raise LeftOutError(_NO_PLACE) from None
    return _Place(_host(host or query.get("host", "")), port, query, scheme.lower())


def _host(written: str) -> str:
    try:
        return canonical_host(written.strip().strip("[]"))
    except ValueError:
        raise LeftOutError(_NO_PLACE) from None


def _port(written: str | None) -> int | None:
    return int(written) if written and 0 < int(written) < 65_536 else None
