"""A port that is closed while the file /tmp/closed exists."""

import contextlib
import pathlib
import socket
import time

CLOSED = pathlib.Path("/tmp/closed")  # noqa: S108 (of a container)

while True:
    if CLOSED.exists():
        time.sleep(0.2)
        continue
    with socket.create_server(("", 8000)) as server:
        server.settimeout(0.2)
        while not CLOSED.exists():
            with contextlib.suppress(TimeoutError):
                server.accept()[0].close()
