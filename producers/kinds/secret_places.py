"""The options that may have secrets, and those of them that would go in clear."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from schemas.probe import (
    GrpcProbe,
    HttpProbe,
    Probe,
    TcpProbe,
    WebSocketProbe,
)

Path = tuple[str | int, ...]

_TEXTS: Final = ("path", "body", "json", "bearer", "proxy", "community", "send")
_MAPS: Final = ("headers", "metadata")
_PAIRS: Final = ("basic_auth", "client_certificate")
_HAVE_SECRETS: Final = frozenset({*_TEXTS, *_MAPS, *_PAIRS, "steps"})
_HEAD: Final = re.compile(r"([a-z_]+)(?:\[([0-9]{1,3})\])?(?=\.|\Z)")
_FIELDS: Final = "__struct_fields__"
_UNVERIFIED: Final = "the server's certificate is not verified (verify: false)"
_NO_TLS: Final = "there is no TLS"


class Place(Struct, frozen=True):
    """An option with its text; `path` is the path within the options."""

    path: Path
    text: str

    @property
    def field(self) -> str:
        """The option for people: `headers.X-Token`, `steps[0].send`."""
        first, *rest = self.path
        return str(first) + "".join(
            f"[{one}]" if isinstance(one, int) else f".{one}" for one in rest
        )


def places(probe: Probe) -> Iterator[Place]:
    """All options of `probe` that may have secrets, those that are set."""
    for path, text in (*_plain(probe), *_of_maps(probe), *_of_pairs(probe), *_of_steps(probe)):
        if isinstance(text, str):
            yield Place(path, text)


def _plain(probe: Probe) -> Iterator[tuple[Path, str | None]]:
    yield from (((name,), getattr(probe, name, None)) for name in _TEXTS)


def _of_maps(probe: Probe) -> Iterator[tuple[Path, str | None]]:
    for name in _MAPS:
        for key, value in getattr(probe, name, {}).items():
            if key.lower() != "host":  # it says who is asked
                yield (name, key), value


def _of_pairs(probe: Probe) -> Iterator[tuple[Path, str | None]]:
    for name in _PAIRS:
        pair = getattr(probe, name, None)
        yield from (((name, key), getattr(pair, key)) for key in getattr(pair, _FIELDS, ()))


def _of_steps(probe: Probe) -> Iterator[tuple[Path, str | None]]:
    for position, step in enumerate(getattr(probe, "steps", ())):
        yield ("steps", position, "send"), step.send


def in_clear(probe: Probe | None, field: str) -> str | None:
    """Why what the option `field` sends is not safe on its way; None if it is.

    A proxy is asked in clear, whatever the target speaks. The key of a client's certificate is
    never sent.
    """
    match _HEAD.match(field):
        case re.Match() as head if head[1] in _HAVE_SECRETS:
            name, position = head[1], head[2]
        case _:
            return f"{field} is no option that may have secrets"
    if name == "client_certificate":
        return None
    if name == "proxy":
        return "the proxy is asked in clear"
    if isinstance(probe, TcpProbe):
        before = probe.steps[: int(position or 0)]
        tls = probe.tls == "implicit" or any(step.starttls for step in before)
        return _unsafe(tls=tls, verify=probe.verify)
    if isinstance(probe, HttpProbe | WebSocketProbe | GrpcProbe):
        return _unsafe(tls=probe.tls is True, verify=probe.verify)
    return _NO_TLS


def unverified(probe: Probe | None, field: str) -> bool:
    """Whether what the option `field` sends may come to a server that has proved no name."""
    # A client's certificate is no secret to who reads along, and its key is never sent.
    return in_clear(probe, field) is not None or not getattr(probe, "verify", True)


def refused(probe: Probe | None, field: str) -> str | None:
    """Why the option `field` may have no secret; None if it may: safe, or `insecure: true`."""
    why = None if getattr(probe, "insecure", False) else in_clear(probe, field)
    if why is None:
        return None
    ways = "TLS with a verified certificate, or insecure: true, which lets everybody on the way"
    return f"expected {ways} read the secret, found that {why}"


def asked_names(probe: Probe | None) -> Iterator[tuple[str, str]]:
    """The names by which the check asks for another server than the target's host, and options.

    A secret that is bound to hosts is for none of the others.
    """
    for name in ("server_name", "authority"):
        value = getattr(probe, name, None)
        if value is not None:
            yield value, name
    for name in _MAPS:
        for key, value in getattr(probe, name, {}).items():
            if key.lower() in {"host", ":authority"}:
                yield value, f"{name}.{key}"


def _unsafe(*, tls: bool, verify: bool) -> str | None:
    if not tls:
        return _NO_TLS
    return None if verify else _UNVERIFIED
