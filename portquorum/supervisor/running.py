"""`up.json`: the inventory and the page of the running `up`, for other commands."""

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from foundation import settings as all_settings
from schemas.json_decoder import JsonDecoder

FILE: Final = "up.json"


class Running(Struct, frozen=True, kw_only=True):
    """A running `up`. The addresses are `HOST:PORT`; `page` is a URL, or empty."""

    pid: int
    inventory: str
    kafka: str
    clickhouse: str
    page: str = ""


_decoder: Final[JsonDecoder[Running]] = JsonDecoder(Running)


def write(data_dir: Path, running: Running) -> None:
    """Replaces the file atomically.

    Raises:
        OSError: it can't be written.
    """
    new = data_dir / f".{FILE}.{os.getpid()}"
    new.write_bytes(msgspec.json.encode(running) + b"\n")
    new.replace(data_dir / FILE)


def read(data_dir: Path) -> Running | None:
    """The description of the last `up` on this data directory; None if there was none."""
    try:
        return _decoder.decode((data_dir / FILE).read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def inventory_file(data_dir: Path) -> Path:
    """The inventory of `target add` and `up` if the command line names none.

    The one of the last `up` on this data directory if it still exists, else `inventory.yaml` in the
    working directory if there is one, else the one in the data directory.
    """
    last = read(data_dir)
    if last and Path(last.inventory).is_file():
        return Path(last.inventory)
    return default_inventory(data_dir)


def default_inventory(data_dir: Path) -> Path:
    """`inventory.yaml` in the working directory if it exists, else in the data directory."""
    here = Path("inventory.yaml").absolute()
    return here if here.is_file() else (data_dir / "inventory.yaml").absolute()


def following(data_dir: Path, inventory: Path) -> bool:
    """True if an `up` on this data directory runs and follows the file."""
    last = read(data_dir)
    if last is None or Path(last.inventory).resolve() != inventory.resolve():
        return False
    return _runs(last)


def page_address() -> str:
    """The address of the page for commands on this machine, `http://…` or `https://…`.

    That of the setting `web_listen` if there is one, else the one at which the `up` that runs on
    this data directory listens, else the built-in one.
    """
    settings = all_settings.load()
    if "web_listen" not in all_settings.chosen():
        last = read(settings.data_dir)
        if last and last.page and _runs(last):
            return last.page.rstrip("/")
    return f"{'https' if settings.web_tls_certificate else 'http'}://{settings.web_listen}"


def _runs(last: Running) -> bool:
    try:
        os.kill(last.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True
