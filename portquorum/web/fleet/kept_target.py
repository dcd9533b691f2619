"""A target as memory keeps it: what is its own, and the rest shared with others that are alike.

A fleet has few policies and many targets. 100,000 whole records would take 150 MB.
"""

from hashlib import blake2b
from sys import intern
from typing import Final

import msgspec
from msgspec import Struct, structs

from schemas import target as target_schema
from schemas.target import Target

_SHARED: Final = "shared"
_encode = msgspec.json.Encoder().encode


class KeptTarget(Struct, frozen=True, gc=False):
    """A target: the fields by which neighbours differ are its own, `shared` has the others.

    `partition` is that of [targets], in which the events of its host come, too.
    """

    id: str
    name: str
    host: str | None
    port: int | None
    kind: str
    version: int
    depends_on: tuple[str, ...]
    depends_on_hosts: tuple[str, ...]
    partition: int
    shared: Target

    @property
    def place(self) -> str:
        """`host:port` for people, IPv6 in brackets; the id when there is no host."""
        return place(self.id, self.host, self.port)

    def definition(self) -> Target:
        """The whole record."""
        return structs.replace(
            self.shared,
            id=self.id,
            name=self.name,
            host=self.host,
            port=self.port,
            kind=self.kind,
            version=self.version,
            depends_on=self.depends_on,
            depends_on_hosts=self.depends_on_hosts,
        )


class Keeper:
    """Makes `KeptTarget`s that share what is equal."""

    def __init__(self) -> None:
        self._shared: dict[bytes, Target] = {}
        self._uses: dict[bytes, int] = {}
        self._key_of: dict[int, bytes] = {}

    def keep(self, target: Target, partition: int) -> KeptTarget:
        """The target as it is kept; call `forget` once it is not kept any more."""
        common = structs.replace(
            target,
            id=_SHARED,
            name=_SHARED,
            host=None,
            port=None,
            kind=_SHARED,
            version=0,
            depends_on=(),
            depends_on_hosts=(),
        )
        key = blake2b(_encode(common), digest_size=16).digest()
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = common
            self._key_of[id(common)] = key
        self._uses[key] = self._uses.get(key, 0) + 1
        return KeptTarget(
            target.id,
            target.name,
            None if target.host is None else intern(target.host),
            target.port,
            intern(target.kind),
            target.version,
            tuple(map(intern, target.depends_on)),
            tuple(map(intern, target.depends_on_hosts)),
            partition,
            shared,
        )

    def forget(self, kept: KeptTarget) -> None:
        """A target is not kept any more."""
        key = self._key_of[id(kept.shared)]
        self._uses[key] -= 1
        if not self._uses[key]:
            del self._uses[key], self._shared[key], self._key_of[id(kept.shared)]


def read(value: bytes) -> Target | None:
    """The target of a value of [targets]; None if it can't be read (the sink dead-letters it)."""
    try:
        return target_schema.decode(value)
    except msgspec.DecodeError:
        return None


def place(target: str, host: str | None, port: int | None) -> str:
    """`host:port` for people, IPv6 in brackets; the target's id when there is no host."""
    if host is None:
        return target
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
