"""An address to connect to."""

import socket
from typing import Final

from msgspec import Struct

_IPV6: Final = int(socket.AF_INET6)


class Address(Struct, frozen=True, gc=False):
    """An address to connect to; `zone` is the scope of a link-local IPv6 address, else 0."""

    family: int
    ip: str
    zone: int = 0

    def endpoint(self, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """The argument of connect(2)."""
        if self.family == _IPV6:
            return self.ip.partition("%")[0], port, 0, self.zone
        return self.ip, port
