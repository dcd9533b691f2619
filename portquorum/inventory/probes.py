"""Converts `probe:` from its written to its published form: the options of the target's kind."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from portquorum.inventory import peer_words
from portquorum.inventory.errors import Path
from portquorum.inventory.explain import NO_VARIABLE, explain
from portquorum.inventory.shorthand import spelled_out
from portquorum.inventory.suggest import alike
from portquorum.inventory.tree import Mapping as Tree
from producers.kinds import json_text, secrets
from producers.kinds.registry import KINDS
from producers.kinds.secret_places import places, refused
from schemas.probe import HandshakeProbe, Probe, TcpProbe

# As in the URLs of channels, where the notifier replaces it; shells have more behind the name.
_VARIABLE: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*")

# As shells and other monitors have it; `$$PORTQUORUM_SECRET_…` is meant as it stands.
_BARE: Final = re.compile(rf"(?<!\$)\$({secrets.PREFIX}[A-Z0-9_]*)")
_PEM: Final = "-----BEGIN "

_SHOWN: Final = 80

_OF_TLS: Final = frozenset(
    {"verify", "server_name", "critical_days", "warn_days", "client_certificate"}
)
_NO_TLS: Final = HandshakeProbe()


# `conditions[2]: matches: expected …`, `expect_headers.Server: …`: the places in a sentence.
_PLACE: Final = re.compile(r"([a-z_]+)(?:\[([0-9]{1,4})\])?(?:\.([^:\s]{1,100}))?: ")


class ProbeError(ValueError):
    """The options are wrong; `path` is the path of the wrong one within `probe:`.

    `inner`: the further path that the sentence begins with, where there is one.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path

    @property
    def inner(self) -> Path:
        """See the class; parts that do not exist may stand at its end."""
        parts: list[str | int] = []
        at, text = 0, str(self)
        while found := _PLACE.match(text, at):
            name, position, more = found.groups()
            parts += [name, *([int(position)] if position else []), *([more] if more else [])]
            at = found.end()
        return tuple(parts)


def probe_of(
    kind: str, written: Mapping[str, Any] | None, port: int | None, tree: object = None
) -> Probe | None:
    """The options of a target of this (known) kind and port, with defaults resolved.

    `tree`: the same options as they were read, which know how a number was written.

    Raises:
        ProbeError: what was expected and what was found.
    """
    known = KINDS[kind]
    probe: Probe | None = None
    if written is not None:
        if "kind" in written:  # on the wire it tells the Structs apart; here the target says it
            raise ProbeError(("kind",), f"no such option; there are {_listed(kind)}")
        probe, values = _converted(kind, written, port, tree)
        options = msgspec.to_builtins(probe)
        for path, names in _unknown(values, probe, ()):
            raise ProbeError(path, _no_option(str(path[-1]), names, is_outer=len(path) == 1))
        _check_variables(probe, options)
        _check_tls_options(probe, written)
    try:
        settled = known.settle(probe, port)
    except ValueError as error:
        raise ProbeError((), str(error)) from error
    _check_secrets(settled)
    return settled


def _converted(
    kind: str, written: Mapping[str, Any], port: int | None, tree: object
) -> tuple[Probe, dict[str, Any]]:
    """The options as their Struct and as plain values, shorthand spelled out where it is needed."""
    known = KINDS[kind]
    if known.options is None:
        raise ProbeError((), f"expected none ({kind} has no options)")
    by_port = {} if known.tls_by_port is None else {"tls": known.tls_by_port(port)}
    try:
        values = by_port | _with_texts(dict(written), known.json_options)
        return msgspec.convert(values, known.options), values
    except (msgspec.ValidationError, ProbeError):
        source = tree if isinstance(tree, Tree) else written
        plain = spelled_out(source, known.options, known.json_options)
        values = by_port | _with_texts(plain, known.json_options)
    try:
        return msgspec.convert(values, known.options), values
    except msgspec.ValidationError as error:
        path, message = explain(str(error), values, known.options)
        raise ProbeError(path, message) from error


def _listed(kind: str) -> str:
    options = KINDS[kind].options
    return ", ".join(() if options is None else options.__struct_encode_fields__)


def _no_option(name: str, known: list[str], *, is_outer: bool) -> str:
    """The sentence of an option that there is not."""
    meant = alike(name, known)
    other = peer_words.of_probe(name, known) if is_outer else None
    if other is not None and meant is None:
        return f"no such option; {other}; this one has {', '.join(known)}"
    if meant is not None:
        return f"no such option; did you mean `{meant}`?"
    return f"no such option; there are {', '.join(known)}"


def _check_variables(probe: Probe, options: Any) -> None:
    """Raises `ProbeError` for a variable where there are none, or that is no secret of checks."""
    may = {place.path: place.text for place in places(probe)}
    for path, variable in _variables(options, ()):
        if path not in may:
            text = f"expected text that is used as it stands, found the variable {variable}}}"
            raise ProbeError(path, f"{text}, which nothing replaces here: {NO_VARIABLE}")
    for path, text in may.items():
        for name in secrets.names(text):
            if not secrets.is_secret(name):
                found = f"${{{name[:_SHOWN]}}}" if name else "${ without its end"
                expected = f"expected ${{{secrets.PREFIX}…}} in capital letters, or $$ for a $"
                no_other = "no other variable of a prober is given to a check"
                raise ProbeError(path, f"{expected}, found {found}: {no_other}")
        bare = _BARE.search(text)
        if bare is not None:
            expected = f"expected ${{{bare[1]}}}, or $$ for a $ that is meant as it stands"
            raise ProbeError(path, f"{expected}, found {bare[0]}")


def _check_secrets(probe: Probe | None) -> None:
    """Raises `ProbeError` for a secret that would go in clear, or in the place of a host.

    And for a text that should be one: the path of a file with a certificate.
    """
    for place in () if probe is None else places(probe):
        if not secrets.names(place.text):
            if place.path[0] == "client_certificate" and _PEM not in place.text:
                text = f"expected a secret with the PEM (${{{secrets.PREFIX}…}})"
                raise ProbeError(place.path, f"{text}, found a text that is none; no file is read")
            continue
        why = refused(probe, place.field)
        if why is not None:
            raise ProbeError(place.path, why)
        if place.path == ("proxy",) and secrets.names(place.text.rpartition("@")[2]):
            text = "expected a secret in front of the @ alone (http://user:${…}@host:port)"
            raise ProbeError(place.path, f"{text}, found one in the place of the host")


def written_of(kind: str, probe: Probe) -> dict[str, Any]:
    """The options as an inventory has them: values in place of JSON texts, nothing that is default.

    `probe_of` makes the same options of them.
    """
    known = KINDS[kind]
    shown = {name: value for name, value in _written(probe).items() if name != "kind"}
    return json_text.with_values(shown, known.json_options)


def _written(struct: Struct) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(struct)
    for name, field in zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True):
        value = getattr(struct, name)
        if value == _default(type(struct), name):
            plain.pop(field, None)
        elif isinstance(value, Struct):
            plain[field] = _written(value)
        elif isinstance(value, tuple):
            plain[field] = [_written(one) if isinstance(one, Struct) else one for one in value]
    return plain


def _default(kind: type[Struct], name: str) -> Any:
    found = next(one for one in msgspec.structs.fields(kind) if one.name == name)
    return found.default_factory() if callable(found.default_factory) else found.default


def _with_texts(values: dict[str, Any], places: tuple[json_text.Place, ...]) -> dict[str, Any]:
    try:
        return json_text.with_texts(values, places)
    except json_text.NoJsonError as error:
        raise ProbeError(error.path, str(error)) from error


def _check_tls_options(probe: Probe, written: Mapping[str, Any]) -> None:
    """Raises `ProbeError` for an option of TLS that has no effect, since there is no TLS."""
    if not isinstance(probe, HandshakeProbe | TcpProbe) or probe.tls != "none":
        return
    if isinstance(probe, TcpProbe) and probe.encrypted:
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
    if isinstance(written, Mapping) and isinstance(known, Struct):
        fields = dict(zip(known.__struct_encode_fields__, known.__struct_fields__, strict=True))
        for name, value in written.items():
            if name not in fields:
                yield (*path, name), list(fields)
            else:
                yield from _unknown(value, getattr(known, fields[name]), (*path, name))
    elif isinstance(written, list) and isinstance(known, tuple):
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
