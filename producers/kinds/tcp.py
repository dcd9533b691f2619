"""`tcp` with a dialogue of one's own: what is sent and what must come, step by step."""

from functools import lru_cache
from typing import Any, Final

import re2
from msgspec import Struct

from producers.kinds import encryption
from producers.kinds.dialogue import shown
from producers.kinds.framing import MOST_BYTES
from producers.kinds.kind import Kind
from producers.kinds.stream import Stream
from producers.kinds.trial import Trial
from producers.outcome import CheckFailedError
from schemas.probe import Probe, Step, TcpProbe
from schemas.result import Reason

# RE2 takes time linear in what is searched: what a server sends can't make a pattern stand still.
_OPTIONS: Final = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.dot_nl = True
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class Expected(Struct, frozen=True):
    """What an answer must have: bytes, or a match of a regular expression."""

    words: str
    part: bytes | None = None
    regex: Any = None

    def end_in(self, data: bytes) -> int | None:
        """Where the first match in `data` ends, None if there is none."""
        if self.part is not None:
            found = data.find(self.part)
            return None if found < 0 else found + len(self.part)
        match = self.regex.search(data)
        return None if match is None else int(match.end())


def sent(step: Step) -> bytes:
    """What the step sends; nothing is none."""
    return bytes.fromhex(step.send_hex) if step.send_hex else (step.send or "").encode()


@lru_cache(maxsize=4096)
def expected(step: Step) -> Expected | None:
    """What must come, None if nothing need.

    Raises:
        ValueError: `expect_regex` is none.
    """
    if step.expect_regex is not None:
        try:
            regex = re2.compile(step.expect_regex.encode("latin-1"), _OPTIONS)
        except (re2.error, UnicodeEncodeError) as error:
            raise ValueError(f"expected a regular expression (RE2), found {error}") from error
        return Expected(f"a match of {step.expect_regex!r}", regex=regex)
    if step.expect_hex is not None:
        return Expected(f"the bytes {step.expect_hex}", part=bytes.fromhex(step.expect_hex))
    if step.expect is not None:
        return Expected(repr(step.expect), part=step.expect.encode())
    return None


def settle_steps(steps: tuple[Step, ...]) -> None:
    """Looks at steps as they were written.

    Raises:
        ValueError: what is wrong with the first that is.
    """
    for number, step in enumerate(steps):
        sends = [name for name in ("send", "send_hex") if getattr(step, name) is not None]
        expects = [
            name
            for name in ("expect", "expect_hex", "expect_regex")
            if getattr(step, name) is not None
        ]
        for names in (sends, expects):
            if len(names) > 1:
                text = f"expected one of {' and '.join(names)}, found both"
                raise ValueError(f"steps[{number}]: {text}")
        if not sends and not expects:
            raise ValueError(f"steps[{number}]: expected something to send or to expect")
        try:
            expected(step)
        except ValueError as error:
            raise ValueError(f"steps[{number}]: {error}") from error


async def check(trial: Trial) -> None:
    """All steps, one after the other; an answer is searched in what no step before it has used.

    Raises:
        CheckFailedError: as for all kinds.
    """
    probe = trial.target.probe
    trial.waiting_for = "connection"
    stream = await trial.connect()
    if not isinstance(probe, TcpProbe):
        return
    if probe.tls == "implicit":
        await encryption.secure(trial, stream, verify=probe.verify)
    rest = b""
    trial.silence = "protocol_mismatch"
    for number, step in enumerate(probe.steps, 1):
        wanted = expected(step)
        await stream.send(sent(step))
        if wanted is not None:
            rest = await _receive(trial, stream, rest, wanted, number)


async def _receive(
    trial: Trial, stream: Stream, data: bytes, wanted: Expected, number: int
) -> bytes:
    """What came after the answer that is wanted."""
    while (end := wanted.end_in(data)) is None:
        found = f"found {shown(data)!r}" if data else "found nothing"
        text = f"step {number}: expected {wanted.words}, {found}"
        if len(data) > MOST_BYTES:
            raise CheckFailedError("unexpected_response", text)
        if data:
            trial.silence = "unexpected_response"
        trial.waiting_for = f"answer that fits ({text})"
        more = await stream.receive()
        if not more:
            spoken = data or trial.banner
            reason: Reason = "unexpected_response" if spoken else "protocol_mismatch"
            raise CheckFailedError(reason, f"{text}, and the server closed")
        data += more
    trial.silence = "unexpected_response"
    if trial.banner is None:
        trial.banner = shown(data[:end])
    return data[end:]


def _settle(probe: Probe | None, _: int | None) -> Probe | None:
    if isinstance(probe, TcpProbe):
        settle_steps(probe.steps)
    return probe


KIND: Final = Kind(check=check, options=TcpProbe, settle=_settle)
