"""The plainest live page: how late a machine is by itself, at the same moment, in the same browser.

It does what ours does, and nothing else: a consumer reads [incidents], an event goes to the browser
(SSE), which asks for a text and shows it. None of our code is in it but the decoding of the event.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiokafka import AIOKafkaConsumer

from foundation.kafka.closing import CLOSE_S, leave
from foundation.settings import Settings
from schemas import incident
from schemas.incident import IncidentEvent

HTML = b"""<!doctype html><title>plain</title><ul></ul><script>
window.seenAt = {}
const source = new EventSource('/events')
source.onmessage = async ({ data }) => {
  const text = await (await fetch('/text?' + data)).text()
  document.querySelector('ul').append(text)
  seenAt[data] ??= Date.now()
}
</script>"""


class PlainPage:
    """The page and the consumer, in threads of the test's."""

    def __init__(self) -> None:
        self.events: dict[str, int] = {}
        """Kind of an incident's event → when it was published (Kafka's timestamp, UTC ms)."""
        self._new: queue.Queue[str | None] = queue.Queue()
        self._stop = threading.Event()
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/events":
                    self._head("text/event-stream")
                    while (kind := page._new.get()) is not None:
                        self.wfile.write(f"data: {kind}\n\n".encode())
                else:
                    self._head("text/html")
                    self.wfile.write(HTML if self.path == "/" else b"shown")

            def _head(self, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._threads = [threading.Thread(target=self._server.serve_forever, daemon=True)]
        self._threads[0].start()

    def follow(self, bootstrap: str, target: str) -> None:
        """Shows the events of a target from now on: each kind once."""
        work = threading.Thread(target=lambda: asyncio.run(self._follow(bootstrap, target)))
        self._threads.append(work)
        work.start()

    async def _follow(self, bootstrap: str, target: str) -> None:
        topic = Settings(kafka=bootstrap).topic("incidents")
        client = AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await client.start()
        try:
            while not self._stop.is_set() and "closed" not in self.events:
                for records in (await client.getmany(timeout_ms=200)).values():
                    for record in records:
                        event = incident.decode(record.value)
                        if isinstance(event, IncidentEvent) and event.target == target:
                            self._tell(event.event, record.timestamp)
        finally:
            await leave(client, CLOSE_S)

    def _tell(self, kind: str, at: int) -> None:
        if kind not in self.events:
            self.events[kind] = at
            self._new.put(kind)

    def close(self) -> None:
        """Ends the threads."""
        self._stop.set()
        self._new.put(None)
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(10)


@contextlib.contextmanager
def plain_page() -> Iterator[PlainPage]:
    """A plain page for a block."""
    made = PlainPage()
    try:
        yield made
    finally:
        made.close()
