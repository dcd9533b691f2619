"""An SNMP agent: one value over UDP (versions 1 and 2c), or the engine's id (version 3)."""

from typing import Final

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.judging.jobs import Search
from producers.judging.search import expected
from producers.kinds.ber import BerError
from producers.kinds.check_context import CheckContext
from producers.kinds.kind import Kind
from producers.kinds.snmp_message import Answer, Discovery, Get
from producers.kinds.udp import exchange
from schemas.probe import Exchange, Probe, SnmpProbe

_NOTHING: Final = SnmpProbe()


async def check(context: CheckContext) -> None:
    """Asks for the value, up to three times while no answer comes.

    An agent does not answer a community that it does not know: `timed_out`.

    Raises:
        CheckFailedError: as for all kinds; `unexpected_response` without the value, and for another
            than the expected one.
    """
    probe, port = context.target.probe, context.target.port
    options = probe if isinstance(probe, SnmpProbe) else _NOTHING
    if port is None:
        raise CheckFailedError("prober_error", "the target has no port")
    question = _question(context, options)
    found: list[Answer] = []

    async def judge(data: bytes) -> str | None:
        try:
            answer = question.read(data)
        except BerError as error:
            text = f"expected an answer of SNMP {options.version}, found {shown(data)!r} ({error})"
            raise CheckFailedError("protocol_mismatch", text) from error
        if answer is None:
            return None
        found.append(answer)
        return answer.text

    await exchange(context, port, question.message, judge)
    answer = found[-1]
    what = "the engine's id" if options.version == "3" else f"a value of {options.oid}"
    if answer.wrong is not None:
        text = f"SNMP: expected {what}, found {answer.wrong}"
        raise CheckFailedError("unexpected_response", text)
    if options.expect_regex is None:
        return
    wanted = Exchange(expect_regex=options.expect_regex)
    data = answer.text.encode()
    if await context.verdict(Search(wanted, data)) is None:
        words = f"a match of {options.expect_regex!r} in {options.oid}"
        text = f"SNMP: expected {words}, found {shown(data)!r}"
        raise CheckFailedError("unexpected_response", text)


def _question(context: CheckContext, options: SnmpProbe) -> Get | Discovery:
    if options.version == "3":
        return Discovery()
    community = context.reveal(options.community, "community")
    return Get(options.version, community.encode("utf-8", "surrogateescape"), options.oid)


def _settle(probe: Probe | None, _: int | None) -> Probe:
    options = probe if isinstance(probe, SnmpProbe) else _NOTHING
    first, second, *others = map(int, options.oid.split("."))
    # RFC 2578, section 3.5; X.660: the second number is below 40 in the first two trees.
    if second >= (40 if first < 2 else 1 << 31) or any(number >> 32 for number in others):
        raise ValueError(f"oid: expected numbers of at most 32 bits, found {options.oid}")
    expected(Exchange(expect_regex=options.expect_regex))
    if options.version == "3":
        for name in ("community", "oid", "expect_regex"):
            if getattr(options, name) != getattr(_NOTHING, name):
                text = f"{name}: expected it only with version 1 or 2c, found version 3"
                raise ValueError(f"{text}, which asks for the engine's id alone")
    return options


KIND: Final = Kind(check=check, port=161, options=SnmpProbe, settle=_settle)
