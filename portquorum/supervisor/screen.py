"""Shows the output of the supervised roles, on a terminal or as JSON lines."""

import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from foundation.log_throttle import LogThrottle
from portquorum.supervisor.role import Role
from schemas.json_decoder import DECODE_ERRORS

MAX_WAITING: Final = 10_000
"""Most lines that wait for a slow terminal; further ones are dropped and counted."""

_LAST_WORDS_S: Final = 2.0
_COLOURS: Final = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta")
_LEVEL_STYLE: Final = {"warning": "yellow", "error": "red", "critical": "bold red", "debug": "dim"}
_NAME_WIDTH: Final = 13
_WORTH_SHOWING: Final = frozenset({"warning", "error", "critical"})
_LIBRARIES: Final = frozenset({"aiokafka", "kafka", "faust", "mode", "asyncio"})
"""Libraries that report each connection that a starting or stopping broker refuses; the roles
report it once."""
_AFTER_A_WARNING_S: Final = 30.0
_SAME_AGAIN_S: Final = 10.0
_NOT_SHOWN: Final = frozenset({"event", "level", "logger", "timestamp", "role"})

_log_line = msgspec.json.Decoder(dict[str, Any])


class Screen:
    """Prints in its own thread, so that a blocked terminal stops no role.

    `on_closed` is called once, in that thread, when the reader is gone (a closed pipe).
    """

    def __init__(self, console: Console, on_closed: Callable[[], None]) -> None:
        """Prints to `console`'s file."""
        self.console = console
        self._on_closed = on_closed
        self._waiting: queue.Queue[RenderableType | Callable[[], None] | None] = queue.Queue(
            MAX_WAITING
        )
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        self._thread.start()

    def show(self, what: RenderableType | Callable[[], None]) -> None:
        """Queues something to print, a plain string verbatim; never waits.

        A function is called in its turn: code that draws on the console by itself belongs there.
        """
        try:
            self._waiting.put_nowait(what)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Waits until all is printed, for 2 s at most."""
        try:
            self._waiting.put(None, timeout=_LAST_WORDS_S)
        except queue.Full:
            return
        self._thread.join(_LAST_WORDS_S)

    def _run(self) -> None:
        try:
            while (what := self._waiting.get()) is not None:
                if callable(what):
                    what()
                elif isinstance(what, str):
                    self.console.file.write(f"{what}\n")
                    self.console.file.flush()
                else:
                    self.console.print(what)
                if self._dropped and self._waiting.empty():
                    dropped, self._dropped = self._dropped, 0
                    self.console.print(f"… {dropped} lines were not shown", style="yellow")
        except (OSError, ValueError):
            self._on_closed()
            while self._waiting.get() is not None:
                pass


class PrettyListener:
    """Shows the roles' lines with a time and a coloured prefix.

    Shows warnings and worse, and for a while after one all lines of its role (they tell how it went
    on); repetitions only now and then, with a count. `verbose` shows everything.
    """

    def __init__(self, screen: Screen, *, verbose: bool = False) -> None:
        """Shows on `screen`."""
        self._screen = screen
        self._verbose = verbose
        self._colours: dict[str, str] = {}
        self._warned: dict[str, float] = {}
        self._throttle = LogThrottle[tuple[str, str]](_SAME_AGAIN_S)

    def line(self, role: Role, text: str) -> None:
        """Shows one line of a role; formats a JSON log record for people."""
        record = _record(text)
        if record is None:
            self._say(role, _clock(None), Text(text.expandtabs()))
        elif times := self._times(role, record):
            said = _said(record)
            if times > 1:
                said.append(f"  ({times - 1} more of these)", style="dim")
            self._say(role, _clock(record.get("timestamp")), said)

    def _times(self, role: Role, record: Mapping[str, Any]) -> int:
        """Records like this one since one was shown last, itself included; 0: not to be shown."""
        if self._verbose or "body" in record:  # a message to people is never left out
            return 1
        if str(record.get("logger", "")).partition(".")[0] in _LIBRARIES:
            return 0
        now = time.monotonic()
        if record.get("level", "info") in _WORTH_SHOWING:
            self._warned[role.name] = now
        elif now - self._warned.get(role.name, -_AFTER_A_WARNING_S) >= _AFTER_A_WARNING_S:
            return 0
        return self._throttle.times((role.name, record["event"]), now)

    def started(self, role: Role, pid: int) -> None:
        """Does nothing: the start-up shows it."""

    def died(self, role: Role, how: str, ran_s: float, restart_in_s: float) -> None:
        """Shows it in red, with the restart to come."""
        self._say(role, _clock(None), Text(_died_text(how, ran_s, restart_in_s), style="bold red"))

    def stopped(self, role: Role, how: str) -> None:
        """Shows a short line."""
        text = "stopped" if how == "exit code 0" else f"stopped ({how})"
        self._say(role, _clock(None), Text(text, style="dim"))

    def killed(self, role: Role) -> None:
        """Shows it in red."""
        text = Text("does not end, is being killed", style="bold red")
        self._say(role, _clock(None), text)

    def _say(self, role: Role, clock: str, said: Text) -> None:
        colour = self._colours.setdefault(role.name, _COLOURS[len(self._colours) % len(_COLOURS)])
        width = max(_NAME_WIDTH, *map(len, self._colours))
        prefix = f"{clock} {role.name.ljust(width)} "
        line = Table.grid(padding=0)  # what is too long goes on below itself, not below the name
        line.add_column(width=len(prefix), no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(Text.assemble((clock, "dim"), " ", (role.name, colour)), said)
        self._screen.show(line)


class JsonListener:
    """One JSON object for each line: `role`, `event`, `level`, `timestamp`, the record's fields."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """`write` takes a line without its end and must not block."""
        self._write = write

    def line(self, role: Role, text: str) -> None:
        """Writes a record with the role's full name; another line is the `event` of one."""
        record = _record(text)
        if record is None:
            self.say(role.name, "info", text)
        else:
            self._write(msgspec.json.encode({**record, "role": role.name}).decode())

    def started(self, role: Role, pid: int) -> None:
        """Writes a record with the pid."""
        self.say(role.name, "info", "started", pid=pid)

    def died(self, role: Role, how: str, ran_s: float, restart_in_s: float) -> None:
        """Writes a record of level error."""
        text = _died_text(how, ran_s, restart_in_s)
        self.say(role.name, "error", text, how=how, restart_in_s=restart_in_s)

    def stopped(self, role: Role, how: str) -> None:
        """Writes a record."""
        self.say(role.name, "info", "stopped", how=how)

    def killed(self, role: Role) -> None:
        """Writes a record of level error."""
        self.say(role.name, "error", "does not end, is being killed")

    def say(self, role: str, level: str, event: str, **values: Any) -> None:
        """Writes a record of our own."""
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        record = {"role": role, "event": event, "level": level, "timestamp": now} | values
        self._write(msgspec.json.encode(record).decode())


def _record(text: str) -> Mapping[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        record = _log_line.decode(text)
    except DECODE_ERRORS:
        return None
    return record if isinstance(record.get("event"), str) else None


def _said(record: Mapping[str, Any]) -> Text:
    level = str(record.get("level", "info"))
    said = Text(str(record.get("event", "")), style=_LEVEL_STYLE.get(level, ""))
    for name, value in record.items():
        if name == "exception":
            said.append(f"\n{value}", style="red")
        elif name == "body":  # of a notification
            said.append(f"\n{value}")
        elif name not in _NOT_SHOWN:
            said.append(f"  {name}=", style="dim")
            said.append(_short(value), style="dim")
    return said


def _clock(stamp: object) -> str:
    try:
        at = datetime.fromisoformat(str(stamp))
    except ValueError:
        at = datetime.now(UTC)
    return at.astimezone().strftime("%H:%M:%S")


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"


def _died_text(how: str, ran_s: float, restart_in_s: float) -> str:
    return f"ended after {ran_s:.1f} s ({how}); starts again in {restart_in_s:g} s"


def terminal() -> bool:
    """True if standard output is a terminal."""
    return sys.stdout.isatty()
