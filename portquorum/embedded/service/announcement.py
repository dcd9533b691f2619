"""`services.json`: the addresses of the running embedded services, for other commands.

`{"kafka": "127.0.0.1:9092", "clickhouse": "http://portquorum:<password>@127.0.0.1:8123/portquorum"}`
Each service keeps its own key. The file holds a password, so it is its owner's alone (0600).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from portquorum.embedded.service.errors import storage_error
from schemas.json_decoder import JsonDecoder

FILE: Final = "services.json"

_decoder: Final[JsonDecoder[dict[str, str]]] = JsonDecoder(dict[str, str])


def announce(data_dir: Path, service: str, address: str) -> None:
    """Writes the service's key, atomically.

    Raises:
        EmbeddedServiceError: the file can't be written.
    """
    with _exclusive(data_dir):
        _write(data_dir, _read(data_dir) | {service: address})


def withdraw(data_dir: Path, service: str, address: str) -> None:
    """Removes the service's key if it still has this address; removes an empty file."""
    with _exclusive(data_dir):
        found = _read(data_dir)
        if found.get(service) != address:
            return
        del found[service]
        if found:
            _write(data_dir, found)
        else:
            (data_dir / FILE).unlink(missing_ok=True)


@contextmanager
def _exclusive(data_dir: Path) -> Iterator[None]:
    path = data_dir / f".{FILE}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise storage_error(error, data_dir / FILE) from error
    finally:
        os.close(lock)


def _read(data_dir: Path) -> dict[str, str]:
    try:
        return _decoder.decode((data_dir / FILE).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def _write(data_dir: Path, services: dict[str, str]) -> None:
    new = data_dir / f".{FILE}.{os.getpid()}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(services) + b"\n")
    new.replace(data_dir / FILE)
