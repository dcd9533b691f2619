"""All servers of the matrix."""

from typing import Final

from tests.wide.server import Server
from tests.wide.servers import databases, files, foreign, mail, messaging, names, others, web

EVERY: Final[tuple[Server, ...]] = (
    *mail.SERVERS,
    *files.SERVERS,
    *databases.SERVERS,
    *web.SERVERS,
    *names.SERVERS,
    *messaging.SERVERS,
    *others.SERVERS,
    *foreign.SERVERS,
)
