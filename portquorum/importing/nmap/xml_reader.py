"""Reads nmap's XML (docs/nmap.dtd there) without entities, DTDs and more than it needs."""

from pathlib import Path
from typing import Final
from xml.parsers import expat

from msgspec import Struct, field

from portquorum.importing.model import MOST_BYTES, Place, Unreadable
from portquorum.inventory.plain_file import read_bytes

_MOST_DEEP: Final = 40
_MOST_PORTS: Final = 1_000_000
_CHUNK: Final = 65_536
_LONG: Final = 9


class Port(Struct):
    """An entry of `ports`, with the attributes of `port`, `state` and `service`."""

    line: int
    protocol: str = ""
    number: int = 0
    state: str = ""
    service: str = ""
    product: str = ""
    tunnel: str = ""
    method: str = ""


class Host(Struct):
    """An entry `host`; `names` are those that were typed, `pointers` those of its addresses."""

    line: int
    state: str = ""
    addresses: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    pointers: list[str] = field(default_factory=list)
    ports: list[Port] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    """By state, the numbers of ports that are told in sum alone (`extraports`)."""


class _Refused(Exception):  # noqa: N818 - ends the reading, is no error of the program
    pass


def read(path: Path) -> tuple[list[Host], list[Unreadable]]:
    """The hosts of a scan, those before an error too. Never raises for the file's content."""
    place = Place(str(path))
    reader = _Reader()
    try:
        data = read_bytes(path, MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            return [], [Unreadable(place, f"expected at most {MOST_BYTES // 2**20} MB, found more")]
        for at in range(0, len(data), _CHUNK):
            reader.parser.Parse(data[at : at + _CHUNK], False)
        reader.parser.Parse(b"", True)
    except OSError as error:
        return [], [Unreadable(place, f"it can't be read: {error.strerror}")]
    except _Refused as error:
        return reader.hosts, [Unreadable(reader.place(str(path)), str(error))]
    except expat.ExpatError as error:
        words = expat.ErrorString(error.code)
        where = Place(str(path), error.lineno)
        return reader.hosts, [Unreadable(where, f"expected the XML of nmap -oX: {words}")]
    except (ValueError, LookupError) as error:
        why = f"expected the XML of nmap -oX: {type(error).__name__}"
        return reader.hosts, [Unreadable(reader.place(str(path)), why)]
    return reader.hosts, []


class _Reader:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = _no_entities
        self.parser.ExternalEntityRefHandler = _no_external
        self.parser.SkippedEntityHandler = _no_entities
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.hosts: list[Host] = []
        self._host: Host | None = None
        self._port: Port | None = None
        self._stack: list[str] = []
        self._ports = 0

    def place(self, file: str) -> Place:
        return Place(file, self.parser.CurrentLineNumber)

    def _doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        del system, public
        if internal:
            raise _Refused("expected no declarations within the document (DTD), found some")
        if name != "nmaprun":
            raise _Refused(f"expected the XML of nmap -oX, found a document {name[:40]!r}")

    def _start(self, name: str, of: dict[str, str]) -> None:
        if not self._stack and name != "nmaprun":
            raise _Refused(f"expected the XML of nmap -oX, found a document {name[:40]!r}")
        if len(self._stack) >= _MOST_DEEP:
            raise _Refused(f"expected at most {_MOST_DEEP} levels, found a deeper one")
        parent = self._stack[-1] if self._stack else ""
        self._stack.append(name)
        if name == "host" and parent == "nmaprun":
            self._host = Host(self.parser.CurrentLineNumber)
        elif self._host is not None:
            self._inside(self._host, name, parent, of)

    def _inside(self, host: Host, name: str, parent: str, of: dict[str, str]) -> None:
        match parent, name:
            case "host", "status":
                host.state = of.get("state", "")
            case "host", "address" if of.get("addrtype", "ipv4") in {"ipv4", "ipv6"}:
                host.addresses.append(of.get("addr", ""))
            case "hostnames", "hostname":
                names = host.names if of.get("type") == "user" else host.pointers
                names.append(of.get("name", ""))
            case "ports", "extraports":
                count, state = of.get("count", "0"), of.get("state", "")
                more = int(count) if count.isdecimal() and len(count) < _LONG else 0
                host.others[state] = host.others.get(state, 0) + more
            case "ports", "port":
                self._ports += 1
                if self._ports > _MOST_PORTS:
                    raise _Refused(f"expected at most {_MOST_PORTS:,} ports, found more")
                number = of.get("portid", "")
                self._port = Port(
                    self.parser.CurrentLineNumber,
                    of.get("protocol", ""),
                    int(number) if number.isdecimal() and len(number) < _LONG else 0,
                )
                host.ports.append(self._port)
            case "port", "state" if self._port is not None:
                self._port.state = of.get("state", "")
            case "port", "service" if self._port is not None:
                self._port.service = of.get("name", "").lower()
                self._port.product = of.get("product", "")
                self._port.tunnel = of.get("tunnel", "")
                self._port.method = of.get("method", "")
            case _:
                pass

    def _end(self, name: str) -> None:
        self._stack.pop()
        if name == "port":
            self._port = None
        if name == "host" and self._stack == ["nmaprun"] and self._host is not None:
            self.hosts.append(self._host)
            self._host = None


def _no_entities(*_: object) -> None:
    raise _Refused("expected no entities, found one, or its declaration")


def _no_external(*_: object) -> int:
    raise _Refused("expected no entities, found an external one")
