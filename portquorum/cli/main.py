"""The program's entry point, and the one place where errors become sentences."""

import atexit
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import format_exception
from types import TracebackType
from typing import Final

PARENT: Final = "PORTQUORUM_PARENT"
DEBUG: Final = "PORTQUORUM_DEBUG"
_COMPLETE: Final = "_PORTQUORUM_COMPLETE"
"""Set by a shell that asks how a line may go on, and must not wait for all the imports."""

_INTERRUPTED: Final = 128 + signal.SIGINT


def main() -> None:
    """Runs `portquorum` with the arguments of this process; ends it with the exit code.

    0 fine, 1 trouble found, 2 wrong use, 130 interrupted. `PORTQUORUM_DEBUG=1` shows tracebacks.
    """
    # The interpreter's last collection may crash in msgspec before 0.23, which frees types of
    # Structs twice: the exit code is a signal's then. It finds nothing to collect after this.
    atexit.register(gc.freeze)
    if _is_beat(sys.argv[1:]):
        from portquorum.beat.main import main as beat

        sys.exit(beat(sys.argv[2:]))
    asked = os.environ.get(_COMPLETE, "").removeprefix("complete_")
    if asked in {"bash", "zsh", "fish"}:
        from portquorum.cli.completion.answer import main as answer

        sys.exit(answer(asked))
    if os.environ.get(PARENT):
        from portquorum.supervisor import follow_supervisor

        follow_supervisor()
    with _silent_ctrl_c():
        from portquorum.presentation import streams

        streams.prepare()
        from portquorum.cli.app import app

    debug = os.environ.get(DEBUG, "0") not in {"", "0"}
    if not debug:
        # Libraries log what they also raise; a role sets up its own logging.
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        try:
            app(prog_name="portquorum")
        except SystemExit:
            _flush()
            raise
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # The reader went away; 1 as if that had been noticed while printing.
        sys.exit(1)
    except Exception as error:
        if debug:
            sys.excepthook = _show
            raise
        from portquorum.cli.errors import explain
        from schemas.plain_text import plain

        sentence, code = explain(error)
        print(f"portquorum: {plain(sentence)}", file=sys.stderr)  # noqa: T201 (the error's one line)
        sys.exit(code)


def _is_beat(words: list[str]) -> bool:
    """Whether a job is to run, which must not wait for the import of all commands."""
    if words[:1] != ["beat"]:
        return False
    own = words[1 : words.index("--") if "--" in words else None]
    return not {"-h", "--help"}.intersection(own)


@contextmanager
def _silent_ctrl_c() -> Iterator[None]:
    """Lets Ctrl-C end the process at once, without a traceback of what is being imported."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored in the background of a shell
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A traceback in Python's form, without passwords."""
    from foundation.redact import redact

    print(redact("".join(format_exception(kind, error, trace))), end="", file=sys.stderr)  # noqa: T201


def _flush() -> None:
    """Writes buffered output while an error can be reported; Python does not try again."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)
        raise
