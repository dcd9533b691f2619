# ruff: noqa: S310 (the URL is our own server's)
"""Plain HTTP calls to a ClickHouse, as curl makes them."""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        return self.headers.get("X-ClickHouse-Exception-Code")

    @property
    def summary(self) -> dict[str, int]:
        return {k: int(v) for k, v in json.loads(self.headers["X-ClickHouse-Summary"]).items()}


class Server:
    """`owner` has all rights, otherwise the user is the reader."""

    def __init__(self, url: str, *, owner: bool = True) -> None:
        parts = urlsplit(url)
        self.base = f"http://{parts.hostname}:{parts.port}"
        self.user = {"X-ClickHouse-User": parts.username, "X-ClickHouse-Key": parts.password}
        self.headers = self.user if owner else {}

    def get(self, path: str = "/", **params: str) -> Answer:
        return self._call(Request(f"{self.base}{path}?{urlencode(params)}", headers=self.headers))

    def post(
        self, body: bytes | str = b"", headers: Mapping[str, str] | None = None, **params: str
    ) -> Answer:
        data = body.encode() if isinstance(body, str) else body
        url = f"{self.base}/?{urlencode(params)}"
        return self._call(Request(url, data, self.headers | dict(headers or {}), method="POST"))

    def value(self, sql: str, **params: str) -> str:
        answer = self.post(sql, **params)
        assert answer.status == 200, answer.body
        return answer.body.decode().strip()

    @contextlib.contextmanager
    def connection(self) -> Iterator[HTTPConnection]:
        """For a client that leaves; closes its socket, whatever is still to be read."""
        connection = HTTPConnection(self.base.removeprefix("http://"), timeout=60)
        connection.connect()
        raw = connection.sock
        try:
            yield connection
        finally:
            raw.shutdown(socket.SHUT_RDWR)
            connection.close()

    @staticmethod
    def _call(request: Request) -> Answer:
        try:
            with urlopen(request, timeout=60) as response:
                return Answer(response.status, response.headers, response.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())
