"""Takes messages by POST, and keeps each as a line of /tmp/messages."""

import http.server
import pathlib

MESSAGES = pathlib.Path("/tmp/messages")  # noqa: S108 (of a container)


class Receiver(http.server.BaseHTTPRequestHandler):
    """One line of JSON a message."""

    def do_POST(self) -> None:
        """Keeps the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with MESSAGES.open("ab") as file:
            file.write(body.replace(b"\n", b" ") + b"\n")
        self.send_response(200)
        self.end_headers()


http.server.HTTPServer(("", 8080), Receiver).serve_forever()
