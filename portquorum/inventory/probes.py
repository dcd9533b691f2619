"""Converts `probe:` from its written to its published form: the options of the target's kind."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from portquorum.inventory.decode import explain
from portquorum.inventory.errors import Path
from producers.kinds.registry import KINDS
from schemas.probe import HandshakeProbe, Probe, TcpProbe

# As in the URLs of channels, where the notifier replaces it; shells have more behind the name.
_VARIABLE: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*")

_OF_TLS: Final = frozenset({"verify", "server_name", "critical_days", "warn_days"})
_NO_TLS: Final = HandshakeProbe()


class ProbeError(ValueError):
    """The options are wrong; `path` is the path of the wrong one within `probe:`."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def probe_of(kind: str, written: Mapping[str, Any] | None, port: int | None) -> Probe | None:
    """The options of a target of this (known) kind and port, with defaults resolved.

    Raises:
        ProbeError: what was expected and what was found.
    """
    known = KINDS[kind]
    probe: Probe | None = None
    if written is not None:
        if known.options is None:
            raise ProbeError((), f"expected none ({kind} has no options)")
        if "kind" in written:  # on the wire it tells the Structs apart; here the target says it
            there_are = ", ".join(known.options.__struct_encode_fields__)
            raise ProbeError(("kind",), f"no such option; there are {there_are}")
        values = dict(written)
        if known.tls_by_port is not None:
            values = {"tls": known.tls_by_port(port)} | values
        try:
            probe = msgspec.convert(values, known.options)
        except msgspec.ValidationError as error:
            path, message = explain(str(error), values, known.options)
            raise ProbeError(path, message) from error
        options = msgspec.to_builtins(probe)
        for path, names in _unknown(written, options, ()):
            raise ProbeError(path, f"no such option; there are {', '.join(names)}")
        for path, variable in _variables(options, ()):
            text = f"expected text that is used as it stands, found the variable {variable}}}"
            raise ProbeError(path, f"{text}, which nothing replaces here")
        _check_tls_options(probe, written)
    try:
        return known.settle(probe, port)
    except ValueError as error:
        raise ProbeError((), str(error)) from error


def _check_tls_options(probe: Probe, written: Mapping[str, Any]) -> None:
    """Raises `ProbeError` for an option of TLS that has no effect, since there is no TLS."""
    if not isinstance(probe, HandshakeProbe | TcpProbe) or probe.tls != "none":
        return
    for name in sorted(written.keys() & _OF_TLS):
        if getattr(probe, name) != getattr(_NO_TLS, name):
            text = "expected it only with TLS (tls: implicit or, if there is one, starttls)"
            raise ProbeError((name,), f"{text}, found no TLS, so that it means nothing")


def _unknown(written: Any, known: Any, path: Path) -> Iterator[tuple[Path, list[str]]]:
    """The problem of an unknown option, with the known ones.

    The Structs themselves accept any option: one of a later version must not make a target
    unreadable.
    """
    if isinstance(written, Mapping) and isinstance(known, Mapping):
        for name, value in written.items():
            if name not in known:
                yield (*path, name), [each for each in known if each != "kind" or path]
            else:
                yield from _unknown(value, known[name], (*path, name))
    elif isinstance(written, list) and isinstance(known, list | tuple):
        for position, (value, other) in enumerate(zip(written, known, strict=False)):
            yield from _unknown(value, other, (*path, position))


def _variables(options: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The places that look as if something else were meant: `${TOKEN}` would be sent as such."""
    if isinstance(options, str):
        found = _VARIABLE.search(options)
        if found is not None:
            yield path, found[0]
    elif isinstance(options, Mapping):
        for name, value in options.items():
            yield from _variables(name, (*path, name))
            yield from _variables(value, (*path, name))
    elif isinstance(options, list | tuple):
        for position, value in enumerate(options):
            yield from _variables(value, (*path, position))
