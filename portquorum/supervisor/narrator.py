"""The progress output of `up`: on a terminal, and as JSON lines."""

from collections.abc import Sequence
from typing import Protocol

from rich.markup import escape
from rich.status import Status
from rich.text import Text

from portquorum.supervisor.screen import JsonListener, Screen


class Narrator(Protocol):
    """The interface for the progress of `up`; must not block."""

    is_for_people: bool
    """True if what is shown is seen by who has started it, and not kept as a log."""

    def begin(self, what: str) -> None:
        """A step begins, for example "Kafka"."""

    def progress(self, what: str) -> None:
        """The progress of the step, for example "fetching Kafka 4.2.1 (40 %)"."""

    def done(self, what: str, detail: str, took_s: float | None) -> None:
        """The step is done; without a duration if it does not matter."""

    def say(self, text: str) -> None:
        """Information for people."""

    def trouble(self, text: str) -> None:
        """Something went wrong, and `up` goes on."""

    def ready(
        self, took_s: float, facts: Sequence[tuple[str, str]], hints: Sequence[tuple[str, str]]
    ) -> None:
        """Everything runs: the addresses, and the next commands (each with its use)."""

    def quiet(self) -> None:
        """The current step ends without success."""


class PrettyNarrator:
    """Ticks, colours and a spinner."""

    is_for_people = True

    def __init__(self, screen: Screen) -> None:
        """Shows on `screen`."""
        self._screen = screen
        self._status: Status | None = None

    def begin(self, what: str) -> None:
        """Starts the spinner."""
        self._screen.show(lambda: self._spin(f"{escape(what)} …"))

    def progress(self, what: str) -> None:
        """Updates the spinner's text."""
        self._screen.show(lambda: self._spin(f"{escape(what)} …"))

    def _spin(self, text: str) -> None:
        if self._status is None:
            self._status = self._screen.console.status(text, spinner="dots")
            self._status.start()
        else:
            self._status.update(text)

    def _still(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    def done(self, what: str, detail: str, took_s: float | None) -> None:
        """Prints a tick; the spinner continues if another step is under way."""
        took = "" if took_s is None else f"  {took_s:.1f} s"
        self._screen.show(
            Text.assemble(("✓ ", "green"), (what.ljust(11), "bold"), detail, (took, "dim"))
        )

    def say(self, text: str) -> None:
        """Prints a dim line."""
        self._screen.show(Text(text, style="dim"))

    def trouble(self, text: str) -> None:
        """Prints a yellow line."""
        self._screen.show(Text.assemble(("! ", "bold yellow"), (text, "yellow")))

    def ready(
        self, took_s: float, facts: Sequence[tuple[str, str]], hints: Sequence[tuple[str, str]]
    ) -> None:
        """Prints two blocks."""
        self.quiet()
        text = Text.assemble("\n", ("portquorum is up", "bold green"), (f"  {took_s:.1f} s", "dim"))
        for name, value in facts:
            text.append(f"\n  {name.ljust(11)}", style="dim").append(value)
        text.append("\n\nIn another terminal:", style="bold")
        width = max(len(command) for command, _ in hints) + 3
        for command, use in hints:
            text.append(f"\n  {command.ljust(width)}", style="cyan").append(use, style="dim")
        text.append("\n\nCtrl-C ends all of it.\n", style="bold")
        self._screen.show(text)

    def quiet(self) -> None:
        """Stops the spinner."""
        self._screen.show(self._still)


class JsonNarrator:
    """Records of role `up`."""

    is_for_people = False

    def __init__(self, listener: JsonListener) -> None:
        """Writes in the same way as the listener."""
        self._listener = listener
        self._last = ""

    def begin(self, what: str) -> None:
        """Writes a record."""
        self._listener.say("up", "info", "starting", what=what)

    def progress(self, what: str) -> None:
        """Writes a record, unless only the numbers changed."""
        words = what.rstrip("0123456789 %()")
        if words != self._last:
            self._listener.say("up", "info", what)
        self._last = words

    def done(self, what: str, detail: str, took_s: float | None) -> None:
        """Writes a record."""
        seconds = None if took_s is None else round(took_s, 3)
        self._listener.say("up", "info", "done", what=what, detail=detail, took_s=seconds)

    def say(self, text: str) -> None:
        """Writes a record."""
        self._listener.say("up", "info", text)

    def trouble(self, text: str) -> None:
        """Writes a record of level warning."""
        self._listener.say("up", "warning", text)

    def ready(
        self, took_s: float, facts: Sequence[tuple[str, str]], hints: Sequence[tuple[str, str]]
    ) -> None:
        """Writes one record."""
        del hints  # for people
        values = {name.replace(" ", "_").lower(): value for name, value in facts}
        self._listener.say("up", "info", "portquorum is up", took_s=round(took_s, 3), **values)

    def quiet(self) -> None:
        """Does nothing."""
