"""Reads tables and lists: an entry for each row."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from portquorum.importing import hiding
from portquorum.importing.csv_table import cells, columns, places, reader, request_options
from portquorum.importing.csv_table.reader import Row, Table
from portquorum.importing.folders import files_of
from portquorum.importing.hiding import scrubbed
from portquorum.importing.model import Found, Ignored, Import, Options, Place
from portquorum.importing.secrets import Secrets
from portquorum.importing.statuses import statuses
from portquorum.importing.urls import literal
from portquorum.inventory.ports import SERVICES
from schemas.plain_text import one_line

_T = TypeVar("_T")

_LONGEST_CELL: Final = 4_096
_LONGEST_TAG: Final = 64
_LONGEST_PURPOSE: Final = 500
_LIST_COLUMNS: Final = ("host", "port", "name")
_LENGTHS: Final = frozenset(
    {"interval", "timeout", "retry_delay", "open_after", "abandon_after", "grace", "max_runtime"}
)
_WHOLE: Final = frozenset({"retries", "recover_after"})
_NUMBERS: Final = frozenset({"max_ms", "slo", "downtime_cost_per_hour"})
_TEXTS: Final = frozenset(
    {"team", "runbook", "resolver", "consensus", "expect", "schedule", "zone"}
)
_HTTP_ONLY: Final = frozenset({"path", "method", "status", "keyword"})


def read(files: Sequence[Path], options: Options) -> Import:
    """All rows of the files. See `portquorum.importing.model.Wing`."""
    found = Import(source="csv")
    secrets = Secrets()
    paths, found.unreadable = files_of(files, {".csv", ".tsv", ".txt"})
    for path in paths:
        table = reader.read(path)
        found.unreadable += table.unreadable
        file = Place(str(path))
        found.ignored += [Ignored(file, "the file", note) for note in table.notes]
        _table(table, str(path), found, secrets)
    found.secrets = secrets.found
    del options
    return found


def _table(table: Table, file: str, found: Import, secrets: Secrets) -> None:
    rows = table.rows
    if not rows:
        return
    if not columns.is_header(rows[0].cells):
        _list(rows, file, found, secrets)
        return
    header = rows[0]
    fields: list[str | None] = []
    for cell in header.cells:
        field = columns.field_of(cell)
        if field is not None and field != columns.LOGIN and field in fields:
            why = f"another column is the {field} already"
            field = None
        else:
            why = (
                "logins are not taken from a table: an option with ${PORTQUORUM_SECRET_…} has one"
                if field == columns.LOGIN
                else "no field of a target has such a name"
            )
        if field in {None, columns.LOGIN} and cell:
            what = f"the column {one_line(cell)[:60]!r}"
            found.ignored.append(Ignored(Place(file, header.line), what, why))
        fields.append(None if field == columns.LOGIN else field)
    for row in rows[1:]:
        found.entries.append(_row(row, fields, file, secrets))


def _list(rows: Sequence[Row], file: str, found: Import, secrets: Secrets) -> None:
    """Rows without a header: `host:port`, a URL, or host, port and name."""
    for row in rows:
        filled = [cell for cell in row.cells if cell]
        if len(filled) > 1 and cells_are_places(filled):
            # Several on one line, each of them an entry.
            for cell in filled:
                one = Row(row.line, (cell,))
                found.entries.append(_row(one, ["host"], file, secrets))
            continue
        found.entries.append(_row(row, list(_LIST_COLUMNS[: len(row.cells)]), file, secrets))


def cells_are_places(found: Sequence[str]) -> bool:
    """Whether each of several cells is a host with a port, or a URL."""
    return all(
        "://" in cell or (cell.rpartition(":")[2].isdecimal() and ":" in cell) for cell in found
    )


def _row(row: Row, fields: Sequence[str | None], file: str, secrets: Secrets) -> Found:
    place = Place(file, row.line)
    entry = Found(place=place, name=f"line {row.line}")
    try:
        written = _written(row, fields)
        entry.name = one_line(scrubbed(written.get("name", ""))).strip()[:200] or entry.name
        entry.group = one_line(scrubbed(written.get("group", ""))).strip()[:100]
        entry.key = written.get("id") or written.get("name", "")
        entry.depends_on = cells.listed(written.get("depends_on", ""))
        entry.targets = _targets(written, entry, secrets)
    except ValueError as error:
        entry.targets, entry.left_out = [], one_line(str(error))[:300]
    return entry


def _written(row: Row, fields: Sequence[str | None]) -> dict[str, str]:
    """The cells by their fields, empty ones left out.

    Raises:
        ValueError: more cells than columns, or a cell that is a formula.
    """
    more = [cell for cell in row.cells[len(fields) :] if cell]
    if more:
        raise ValueError(
            f"expected {len(fields)} cells as in the first row, found {len(row.cells)}: a cell "
            "with the delimiter in it needs quotes"
        )
    found: dict[str, str] = {}
    for field, cell in zip(fields, row.cells, strict=False):
        if field is not None and cell:
            try:
                value = cells.plain(cell)
            except ValueError as error:
                raise ValueError(f"{field}: {error}") from None
            if value:
                found[field] = value
    return found


def _targets(written: dict[str, str], entry: Found, secrets: Secrets) -> list[dict[str, Any]]:
    target = _asked(written)
    ports: list[int | None] = [target.get("port")]
    if "port" in written:
        ports = [*_read(written, "port", cells.port_list)]
    _kind(written, target, ports[0], entry)
    _fields(written, target)
    if len(written.get("purpose", "")) > _LONGEST_PURPOSE:
        entry.differences.append(f"its purpose is cut after {_LONGEST_PURPOSE} characters")
    _options(written, target, entry, secrets)
    found = []
    for port in ports:
        one = dict(target)
        if port is not None:
            one["port"] = port
        if "name" not in written:
            one["name"] = _name(one)
        elif len(ports) > 1:
            one["name"] = f"{entry.name} {port}"
        if "id" in written:
            one["id"] = written["id"] if len(ports) == 1 else f"{written['id']}-{port}"
        found.append(one)
    if "name" not in written:
        entry.name = str(found[0]["name"])
    return found


def _asked(written: dict[str, str]) -> dict[str, Any]:
    """Host, port, kind and options by the cells `url` and `host`.

    Raises:
        ValueError: neither is there, or they contradict.
    """
    nothing: dict[str, Any] = {}
    of_url = _read_or(written, "url", places.place, nothing)
    of_host = _read_or(written, "host", places.place, nothing)
    if not of_url and not of_host:
        if written.get("kind", "").strip().lower() in {"heartbeat", "push", "cron"}:
            return {}
        raise ValueError("expected a host, `host:port` or URL, found none")
    if of_url and of_host and of_url["host"] != of_host["host"]:
        raise ValueError("host and URL name different hosts: leave one of them out")
    return of_host | of_url


def _kind(written: dict[str, str], target: dict[str, Any], port: int | None, entry: Found) -> None:
    """The kind that is named, that of the URL, or what a host with or without a port means."""
    if "kind" not in written:
        if "kind" in target:
            return
        number = target.get("port", port)
        target["kind"] = "icmp" if number is None else "tcp"
        if number is None:
            entry.differences.append("the row names no port and no kind: the host is pinged")
        return
    kind, options, usual = _read(written, "kind", places.kind)
    if kind != target.get("kind"):
        # Of a URL the path means nothing to another kind.
        target.pop("probe", None)
    target["kind"] = kind
    number = target.get("port", port)
    if usual is not None and number is None:
        target["port"] = number = usual
    if options and "probe" not in target and (kind != "http" or number not in {443, 8443}):
        target["probe"] = options


def _fields(written: dict[str, str], target: dict[str, Any]) -> None:
    for name in written:
        read_cell = _READERS.get(name)
        if read_cell is not None:
            target[name] = _read(written, name, read_cell)
    is_on = _read_or(written, "enabled", cells.truth, True)
    is_off = _read_or(written, "disabled", cells.truth, False)
    if is_off or not is_on:
        target["enabled"] = False


def _tags(cell: str) -> list[str]:
    found = (one_line(scrubbed(one))[:_LONGEST_TAG].strip() for one in cells.listed(cell))
    return list(dict.fromkeys(one for one in found if one))[:60]


def _purpose(cell: str) -> str:
    return one_line(scrubbed(cell[:_LONGEST_CELL]))[:_LONGEST_PURPOSE].strip()


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(_LENGTHS, cells.length),
    **dict.fromkeys(_WHOLE, cells.whole),
    **dict.fromkeys(_NUMBERS, cells.number),
    **dict.fromkeys(_TEXTS, one_line),
    "regions": cells.listed,
    "tags": _tags,
    "purpose": _purpose,
    "criticality": cells.criticality,
}


def _options(
    written: dict[str, str], target: dict[str, Any], entry: Found, secrets: Secrets
) -> None:
    """Options of the check, from columns of their own and from `probe.NAME`."""
    probe: dict[str, Any] = dict(target.get("probe") or {})
    about = (secrets, entry.place, entry.name)
    _of_http(written, target, probe)
    is_verified = _read_or(written, "verify", cells.truth, True)
    is_insecure = _read_or(written, "insecure", cells.truth, False)
    if is_insecure or not is_verified:
        probe["verify"] = False
    for name, cell in written.items():
        if name.startswith(columns.PROBE):
            option = name.removeprefix(columns.PROBE)
            probe[option] = request_options.hidden(option, cells.value(cell), about)
    path = probe.get("path")
    if isinstance(path, str):
        probe["path"] = literal(hiding.path(path, hiding.hider(*about)))
    if "${PORTQUORUM_SECRET_" in json.dumps(probe) and _is_clear(target, probe):
        probe.setdefault("insecure", True)
    target.pop("probe", None)
    if probe:
        target["probe"] = probe


def _of_http(written: dict[str, str], target: dict[str, Any], probe: dict[str, Any]) -> None:
    used = [name for name in written if name in _HTTP_ONLY]
    if used and target.get("kind") not in {"http", "websocket"}:
        raise ValueError(f"{used[0]}: expected it of kind http alone")
    if "path" in written:
        probe["path"] = "/" + written["path"].removeprefix("/")
    if "method" in written:
        probe["method"] = written["method"].upper()
    if "status" in written:
        probe["status"] = _read(written, "status", _statuses)
    if "keyword" in written:
        probe["expect"] = written["keyword"]
    if "tls" in written and target.get("kind") in {"http", "websocket", "grpc"}:
        probe["tls"] = _read(written, "tls", cells.truth)


def _statuses(cell: str) -> list[int | str]:
    return statuses(cell.replace(";", ","))


def _is_clear(target: dict[str, Any], probe: dict[str, Any]) -> bool:
    tls = probe.get("tls", target.get("port") in {443, 8443})
    return not tls or not probe.get("verify", True)


def _read(written: dict[str, str], name: str, read_cell: Callable[[str], _T]) -> _T:
    """The value of a cell that is there; errors name its field."""
    if len(written[name]) > _LONGEST_CELL and name != "purpose":
        raise ValueError(f"{name}: expected at most {_LONGEST_CELL} characters, found more")
    try:
        return read_cell(written[name])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _read_or(written: dict[str, str], name: str, read_cell: Callable[[str], _T], default: _T) -> _T:
    return _read(written, name, read_cell) if name in written else default


def _name(target: dict[str, Any]) -> str:
    port = target.get("port")
    known = SERVICES.get(port) if isinstance(port, int) else None
    shown = known.name if known is not None else str(target.get("kind", "")).upper()
    host = str(target.get("host", "job"))
    return f"{host} - {shown} {port}" if port is not None else f"{host} - {shown}"
