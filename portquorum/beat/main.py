"""`portquorum beat`: see `portquorum.cli.beat` for its options."""

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from portquorum.beat.words import WrongWordsError, wanted

if TYPE_CHECKING:
    from portquorum.beat.words import Wanted

WRONG_USE = 2


def main(words: Sequence[str]) -> int:
    """Runs it; returns the exit code: that of the command, else 0 (taken), 1 (not) or 2."""
    try:
        found = wanted(words, os.environ)
    except WrongWordsError as error:
        _say(str(error))
        return WRONG_USE
    return _with_command(found) if found.command else _single(found)


def _single(found: "Wanted") -> int:
    from portquorum.beat.sender import Sender
    from portquorum.beat.sent import Sent

    sender = Sender()
    query = f"?rid={found.run}" if found.run else ""
    report = Sent(f"{found.address}{found.ending}{query}", found.said.encode(errors="replace"))
    if sender.finish(report):
        return 0
    _say(f"not reported: {sender.problem}")
    return 1


def _with_command(found: "Wanted") -> int:
    from portquorum.beat import job
    from portquorum.beat.sender import Sender
    from portquorum.beat.sent import Sent

    sender = Sender()
    run = _uuid()
    began = time.monotonic()
    ended = job.run(
        found.command,
        begun=lambda: sender.send(Sent(f"{found.address}/start?rid={run}")),
        stopping=sender.stop,
    )
    took_ms = round((time.monotonic() - began) * 1000, 1)
    end: Sent = Sent(f"{found.address}/{ended.code}?rid={run}&ms={took_ms}", ended.output)
    if not sender.finish(end):
        _say(f"the end of the job is not reported: {sender.problem}")
    return ended.code


def _uuid() -> str:
    """A random UUID (version 4) without the module, whose import takes as long as all of this."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _say(text: str) -> None:
    """One line on stderr, if there is one: a job that ran is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        print(f"portquorum beat: {text}", file=sys.stderr, flush=True)  # noqa: T201
