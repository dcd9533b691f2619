"""A route's templates on their way through a channel, to a server that keeps what it gets."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from schemas.policy import Templates
from sinks.notifier.channels.send import send
from tests.unit.sinks.notifier.channels.deliveries import delivery


class _Receiver(HTTPServer):
    got: list[dict[str, str]]


class _Keep(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, _Receiver)
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    server = _Receiver(("127.0.0.1", 0), _Keep)
    server.got = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_the_text_of_the_route_arrives(
    receiver: _Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Templates(subject="[{{ severity }}] {{ first.name }}", text="at {{ first.place }}")
    told = delivery(f"json://127.0.0.1:{receiver.server_port}/", templates=own)
    outcome = send(told, may_send=lambda: True, env={})
    assert outcome.kind == "confirmed"
    assert outcome.subject == "[critical] Production DB"
    (got,) = receiver.got
    assert (got["title"], got["message"]) == ("[critical] Production DB", "at db1.example.com:5432")
    assert "template" not in capsys.readouterr().out


def test_a_broken_one_is_the_usual_text_and_a_line_in_the_log(
    receiver: _Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"json://127.0.0.1:{receiver.server_port}/"
    broken = Templates(text="{{ first.nothing }}")
    assert send(delivery(url, templates=broken), may_send=lambda: True, env={}).kind == "confirmed"
    assert send(delivery(url), may_send=lambda: True, env={}).kind == "confirmed"
    first, second = receiver.got
    assert first["message"] == second["message"]
    said = capsys.readouterr().out
    assert said.count("a template of the route can't be used") == 1
    assert "templates.text, line 1: 'SubjectValues object' has no attribute 'nothing'" in said
