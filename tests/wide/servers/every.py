"""All servers of the matrix."""

from typing import Final

from tests.wide.server import Server
from tests.wide.servers import databases

EVERY: Final[tuple[Server, ...]] = (*databases.SERVERS,)
