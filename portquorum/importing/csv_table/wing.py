"""Reads tables and lists: an entry for each row."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from portquorum.importing.csv_table import cells, columns, places, reader
from portquorum.importing.csv_table.reader import Row, Table
from portquorum.importing.model import Found, Ignored, Import, Options, Place
from portquorum.importing.secrets import Secrets
from portquorum.importing.sensitive import hidden_path, scrubbed
from portquorum.importing.statuses import statuses
from portquorum.importing.urls import literal
from portquorum.inventory.ports import SERVICES
from schemas.plain_text import one_line

_LONGEST_TAG: Final = 64
_LONGEST_PURPOSE: Final = 500
_LIST_COLUMNS: Final = ("host", "port", "name")
_LENGTHS: Final = frozenset(
    {"interval", "timeout", "retry_delay", "open_after", "abandon_after", "grace", "max_runtime"}
)
_WHOLE: Final = frozenset({"retries", "recover_after"})
_NUMBERS: Final = frozenset({"max_ms", "slo", "downtime_cost_per_hour"})
_TEXTS: Final = frozenset(
    {"team", "runbook", "resolver", "consensus", "expect", "schedule", "zone", "id"}
)
_HTTP_ONLY: Final = frozenset({"path", "method", "status", "keyword"})


def read(files: Sequence[Path], options: Options) -> Import:
    """All rows of the files. See `portquorum.importing.model.Wing`."""
    found = Import(source="csv")
    secrets = Secrets()
    for path in files:
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
        if field is not None and field != columns.SECRET and field in fields:
            why = f"another column is the {field} already"
            field = None
        else:
            why = (
                "logins are not taken from a table: an option with ${PORTQUORUM_SECRET_…} has one"
                if field == columns.SECRET
                else "no field of a target has such a name"
            )
        if field in {None, columns.SECRET} and cell:
            what = f"the column {one_line(cell)[:60]!r}"
            found.ignored.append(Ignored(Place(file, header.line), what, why))
        fields.append(None if field == columns.SECRET else field)
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
    return all("://" in cell or cell.rpartition(":")[2].isdecimal() and ":" in cell for cell in found)


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
            f"expected {len(fields)} cells as in the first row, found {len(row.cells)}: a cell with "
            "the delimiter in it needs quotes"
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
    ports = _said(written, "port", cells.port_list) if "port" in written else [target.get("port")]
    assert ports is not None
    _kind(written, target, ports[0], entry)
    _fields(written, target)
    _options(written, target, entry, secrets)
    found = []
    for port in ports:
        one = dict(target)
        if port is not None:
            one["port"] = port
        if len(ports) > 1 and "name" in written:
            one["name"] = f"{entry.name} {port}"
        elif "name" not in written:
            one["name"] = _name(one)
        found.append(one)
    if "name" not in written:
        entry.name = str(found[0]["name"])
    return found


def _asked(written: dict[str, str]) -> dict[str, Any]:
    """Host, port, kind and options by the cells `url` and `host`.

    Raises:
        ValueError: neither is there, or they contradict.
    """
    of_url = _said(written, "url", places.place) if "url" in written else {}
    of_host = _said(written, "host", places.place) if "host" in written else {}
    assert of_url is not None
    assert of_host is not None
    if not of_url and not of_host:
        if written.get("kind", "").strip().lower() in {"heartbeat", "push", "cron"}:
            return {}
        raise ValueError("expected a host, `host:port` or URL, found none")
    if of_url and of_host and of_url["host"] != of_host["host"]:
        # The URL says what is asked, and the host where: as `curl --resolve`.
        raise ValueError("host and URL name different hosts: leave one of them out")
    return dict(of_host) | dict(of_url)


def _kind(
    written: dict[str, str], target: dict[str, Any], port: object, entry: Found
) -> None:
    """The kind that is named, that of the URL, or the one that the port suggests."""
    if "kind" in written:
        named = _said(written, "kind", places.kind)
        assert named is not None
        kind, options, usual = named
        if kind == "tcp" and target.get("kind") == "http":
            target.pop("probe", None)
        if not (target.get("kind") == "http" and kind in {"http", "tls"}) or kind == "tls":
            target["kind"] = kind
        if kind == "tls":
            target.pop("probe", None)
        if usual is not None and port is None and "port" not in target:
            target["port"] = usual
        if options and "probe" not in target:
            is_usual = target.get("port", port) in {443, 8443} and options == {"tls": True}
            target["probe"] = {} if is_usual else options
    elif "kind" not in target:
        if port is None:
            target["kind"] = "icmp" if "host" in target else "heartbeat"
            if target["kind"] == "icmp":
                entry.differences.append("the row names no port and no kind: the host is pinged")
            return
        target["kind"] = "tcp"


def _fields(written: dict[str, str], target: dict[str, Any]) -> None:
    for name, cell in written.items():
        if name in _LENGTHS:
            target[name] = _said(written, name, cells.length)
        elif name in _WHOLE:
            target[name] = _said(written, name, cells.whole)
        elif name in _NUMBERS:
            target[name] = _said(written, name, cells.number)
        elif name in _TEXTS and name != "id":
            target[name] = one_line(cell)
        elif name == "regions":
            target[name] = cells.listed(cell)
        elif name == "tags":
            found = (one_line(scrubbed(one))[:_LONGEST_TAG].strip() for one in cells.listed(cell))
            target[name] = list(dict.fromkeys(one for one in found if one))[:60]
        elif name == "purpose":
            target[name] = one_line(scrubbed(cell))[:_LONGEST_PURPOSE].strip()
        elif name == "criticality":
            target[name] = _said(written, name, cells.criticality)
    if not _said(written, "enabled", cells.truth, default=True):
        target["enabled"] = False
    if _said(written, "disabled", cells.truth, default=False):
        target["enabled"] = False


def _options(
    written: dict[str, str], target: dict[str, Any], entry: Found, secrets: Secrets
) -> None:
    """Options of the check, from columns of their own and from `probe.NAME`."""
    probe: dict[str, Any] = dict(target.get("probe") or {})
    used = [name for name in written if name in _HTTP_ONLY]
    if used and target.get("kind") not in {"http", "websocket"}:
        raise ValueError(f"{used[0]}: expected it of kind http alone")
    if "path" in written:
        path = written["path"]
        probe["path"] = path if path.startswith("/") else f"/{path}"
    if "method" in written:
        probe["method"] = written["method"].upper()
    if "status" in written:
        probe["status"] = _said(written, "status", lambda one: statuses(one.replace(";", ",")))
    if "keyword" in written:
        probe["expect"] = written["keyword"]
    if "tls" in written and target.get("kind") in {"http", "websocket", "grpc"}:
        probe["tls"] = _said(written, "tls", cells.truth)
    if not _said(written, "verify", cells.truth, default=True):
        probe["verify"] = False
    if _said(written, "insecure", cells.truth, default=False):
        probe["verify"] = False
    for name, cell in written.items():
        if name.startswith(columns.PROBE):
            probe[name.removeprefix(columns.PROBE)] = cells.value(cell)
    if isinstance(probe.get("path"), str):
        probe["path"] = literal(hidden_path(probe["path"], _hider(entry, secrets)))
        if "${PORTQUORUM_SECRET_" in probe["path"] and _is_clear(target, probe):
            probe["insecure"] = True
    if probe:
        target["probe"] = probe
    else:
        target.pop("probe", None)


def _is_clear(target: dict[str, Any], probe: dict[str, Any]) -> bool:
    tls = probe.get("tls", target.get("port") in {443, 8443})
    return not tls or not probe.get("verify", True)


def _hider(entry: Found, secrets: Secrets) -> Callable[[str, str], str]:
    def found(hint: str, value: str) -> str:
        what = f'{hint} in the URL of "{entry.name}"'
        return secrets.check(f"{entry.name} {hint}", entry.place, what, value=value)

    return found


def _said[T](
    written: dict[str, str],
    name: str,
    read_cell: Callable[[str], T],
    *,
    default: T | None = None,
) -> T | None:
    """The value of a cell; errors name its field."""
    if name not in written:
        return default
    try:
        return read_cell(written[name])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _name(target: dict[str, Any]) -> str:
    port = target.get("port")
    known = SERVICES.get(port) if isinstance(port, int) else None
    shown = known.name if known is not None else str(target.get("kind", "")).upper()
    host = str(target.get("host", "job"))
    return f"{host} - {shown} {port}" if port is not None else f"{host} - {shown}"
