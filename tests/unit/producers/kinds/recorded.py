"""A dialogue with a server that says what was recorded."""

import socket
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.checks.model import Vantage
from producers.checks.resolver import Resolver
from producers.judging.judges import Judges
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.dialogue import Dialogue, converse
from producers.kinds.registry import KINDS
from schemas.probe import HandshakeProbe
from schemas.target import Target

PLAIN: Final = HandshakeProbe()


def dialogue_of(kind: str) -> Dialogue:
    """The dialogue of a kind that is one."""
    found = KINDS[kind].check.args[0]  # type: ignore[attr-defined]
    assert isinstance(found, Dialogue)
    return found


DIALOGUES: Final = {
    name: dialogue_of(name) for name, kind in KINDS.items() if kind.options is HandshakeProbe
}


def context_of(kind: str, resolver: Resolver, options: HandshakeProbe = PLAIN) -> CheckContext:
    """The context of a check of this kind."""
    target = Target(
        id="t",
        name="t",
        kind=kind,
        host="127.0.0.1",
        port=1,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=5_000,
        version=1,
        source="test",
        probe=options,
    )
    return CheckContext(target, Vantage(internal=True), resolver, Judges())


async def heard(
    kind: str, said: bytes, resolver: Resolver, options: HandshakeProbe = PLAIN
) -> tuple[str, str]:
    """Reason (`up` without one) and detail, remark or banner; the server says all, and closes."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        context = context_of(kind, resolver, options)
        try:
            await converse(DIALOGUES[kind].of(options.version), options, context, Connection(ours))
        except CheckFailedError as error:
            return error.reason, error.detail
        return "up", context.notice or context.banner or ""
