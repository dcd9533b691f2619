"""Reads scans of nmap: a target for each open port."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from portquorum.importing.folders import files_of
from portquorum.importing.model import Found, Ignored, Import, Options, Place
from portquorum.importing.nmap import services, xml_reader
from portquorum.importing.nmap.xml_reader import Host, Port
from portquorum.importing.private_hosts import is_address
from portquorum.importing.urls import tls_option
from portquorum.inventory.ports import CLOSED_FROM_OUTSIDE
from schemas.partition import canonical_host
from schemas.plain_text import one_line

_GUESSED: Final = (
    "nobody asked what listens there (nmap without -sV): the kind is that of the port's number"
)
_BY_ADDRESS: Final = "its certificate is not verified, since the scan knows the address alone"
_BY_NAME: Final = "its certificate must be valid, which the scan did not look at"
_ANY_ANSWER: Final = ["100-499"]
_TLS_BY_PORT: Final = frozenset({465, 587, 636, 990, 993, 995, 3269, 5671, 8883})
_USUAL_PORT: Final = {"dns": 53, "ntp": 123, "snmp": 161}


def read(files: Sequence[Path], options: Options) -> Import:
    """All open ports of the scans. See `portquorum.importing.model.Wing`."""
    del options
    found = Import(source="nmap")
    seen: set[tuple[str, str, int]] = set()
    paths, found.unreadable = files_of(files, {".xml"})
    for path in paths:
        hosts, unreadable = xml_reader.read(path)
        found.unreadable += unreadable
        for host in hosts:
            _host(host, str(path), found, seen)
    _a_scan_is_no_inventory(found)
    return found


def _host(host: Host, file: str, found: Import, seen: set[tuple[str, str, int]]) -> None:
    asked, shown = _named(host)
    place = Place(file, host.line)
    if not asked:
        found.ignored.append(Ignored(place, "a host", "it has neither a name nor an address"))
        return
    states = dict(host.others)
    for port in host.ports:
        if port.state in {"open", "open|filtered"}:
            key = (asked, port.protocol, port.number)
            if key in seen:
                what = f"{shown} {port.protocol} {port.number}"
                found.ignored.append(Ignored(Place(file, port.line), what, "it is there already"))
                continue
            seen.add(key)
            found.entries.append(_entry(port, Place(file, port.line), asked, shown))
        else:
            states[port.state or "unknown"] = states.get(port.state or "unknown", 0) + 1
    if states:
        what = ", ".join(f"{count} {one_line(state)[:20]}" for state, count in states.items())
        why = "only open ports are taken"
        found.ignored.append(Ignored(place, f"ports of {shown}: {what}", why))
    elif not host.ports:
        found.ignored.append(Ignored(place, f"the host {shown}", "no port of it was open"))


def _named(host: Host) -> tuple[str, str]:
    """Whom a check asks, and what people call it: a typed name, else the address."""
    typed = next((name for name in map(_canonical, host.names) if name), "")
    address = next((name for name in map(_canonical, host.addresses) if name), "")
    pointer = next((name for name in map(_canonical, host.pointers) if name), "")
    asked = typed or address or pointer
    return asked, typed or pointer or asked


def _canonical(name: str) -> str:
    try:
        return canonical_host(name)
    except ValueError:
        return ""


def _entry(port: Port, place: Place, asked: str, shown: str) -> Found:
    service = one_line(port.service)[:40]
    words = services.shown(service, port.number)
    found = Found(place=place, name=f"{shown} - {words} {port.number}")
    if not 0 < port.number < 65_536 or port.protocol not in {"tcp", "udp"}:
        found.left_out = f"a port of {port.protocol[:10] or 'no protocol'} can't be checked"
        found.networked = False
    elif port.protocol == "udp":
        _datagrams(port, service, asked, found)
    else:
        _stream(port, service, asked, found)
    return found


def _datagrams(port: Port, service: str, asked: str, found: Found) -> None:
    kind = services.of_udp(service)
    if port.state != "open":
        found.left_out = (
            "no answer came: whether it is open or filtered is not known (open|filtered); a check "
            "needs bytes that the service answers (docs/recipes.md)"
        )
        found.networked = False
    elif kind is None:
        found.left_out = (
            "a check by UDP needs bytes that the service answers: kind udp with `send` "
            "(docs/recipes.md)"
        )
    else:
        target: dict[str, Any] = {"kind": kind, "host": asked}
        if port.number != _USUAL_PORT[kind]:
            target["port"] = port.number
        if kind == "dns":
            # The root has name servers wherever the question is answered or refused alike.
            target = {"kind": "udp", "host": asked, "port": port.number}
            target["probe"] = {"protocol": "dns"}
        if kind == "snmp":
            found.differences.append("the community `public` is asked, which the scan does not say")
        found.targets = [target]


def _stream(port: Port, service: str, asked: str, found: Found) -> None:
    tunnel, probed = port.tunnel == "ssl", port.method == "probed"
    known = services.of_tcp(service, port.number, tunnel=tunnel, probed=probed)
    target: dict[str, Any] = {"kind": "tcp", "host": asked, "port": port.number}
    found.targets = [target]
    if known is None and not tunnel:
        return
    if not probed:
        found.differences.append(_GUESSED)
    kind, tls = ("tls", True) if known is None else (known.kind, known.tls)
    target["kind"] = kind
    probe = _probe(kind, port.number, tls=tls)
    if tls:
        by_address = is_address(asked)
        probe |= {"verify": False} if by_address else {}
        found.differences.append(_BY_ADDRESS if by_address else _BY_NAME)
    if probe:
        target["probe"] = probe


def _probe(kind: str, number: int, *, tls: bool) -> dict[str, Any]:
    """The options of a kind; TLS where it begins, and none where only the port suggests it."""
    if kind == "http":
        return {"status": list(_ANY_ANSWER)} | tls_option(number, tls=tls)
    if kind == "tls":
        return {}
    if tls:
        return {"tls": "implicit"}
    return {"tls": "none"} if number in _TLS_BY_PORT else {}


def _a_scan_is_no_inventory(found: Import) -> None:
    taken = [entry for entry in found.entries if entry.targets]
    if not taken:
        return
    odd = sum(1 for entry in taken if entry.targets[0].get("port") in CLOSED_FROM_OUTSIDE)
    note = (
        f"a scan says what was open, and not what should be: {len(taken)} ports are targets now. "
        "Remove those that nobody needs, add those that were down"
    )
    if odd:
        note += f"; {odd} are seldom open to all on purpose (`expect: closed`)"
    found.ignored.append(Ignored(taken[0].place, "what the scan did not see", note))
