"""`query_response`: what is sent and expected there, as steps of a dialogue here."""

import re
from collections.abc import Iterable
from typing import Any, Final

from portquorum.importing.environment import names_in
from portquorum.importing.prometheus import go_regexp
from portquorum.importing.prometheus.making import CannotError, Making
from portquorum.importing.prometheus.modules import Step
from portquorum.importing.urls import literal

_MOST_STEPS: Final = 20
_PRINTED: Final = re.compile(rb"[\x09\x0a\x0d\x20-\x7e\x80-\xff]*\Z")
_LOGIN: Final = re.compile(rb"\A(?:\S+ )?(?:AUTH|PASS|LOGIN) ", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Steps = list[dict[str, Any]]


def steps(making: Making, written: Iterable[Step], *, messages: bool = False) -> Steps:
    """The steps of a `tcp` or `websocket` target.

    There each entry waits first and sends then; here a step sends first. `messages`: an
    expectation is of one message, and not of one line.

    Raises:
        CannotError: it needs more steps than there may be.
    """
    found: Steps = []
    for one in written:
        if one.expect is not None and go_regexp.has_references(_as_text(one.send)):
            _expect(found, one.expect, messages)
            making.differ(
                "it ends where the answer repeats what the server said (${1}): that is looked at "
                "no further"
            )
            break
        if one.expect is not None:
            _expect(found, one.expect, messages)
        if one.expect_bytes:
            _add_answer(found, {"expect_regex": _exactly(one.expect_bytes)})
        if one.send:
            sent = one.send
            if one.expect is not None and sent.isascii():
                sent = go_regexp.unescaped_dollars(sent.decode()).encode()
            _send(making, found, sent if messages else sent + b"\n", messages=messages)
        if one.starttls:
            _begin_tls(found)
    if len(found) > _MOST_STEPS:
        raise CannotError(f"its dialogue has {len(found)} steps, and at most {_MOST_STEPS} are had")
    return found


def has_secrets(found: Steps) -> bool:
    """Whether one of the steps sends a secret."""
    return any("${PORTQUORUM_SECRET_" in one.get("send", "") for one in found)


def _as_text(data: bytes) -> str:
    return data.decode("latin-1")


def _expect(found: Steps, regex: str, messages: bool) -> None:
    text = go_regexp.dot_without_line_end(regex) if messages else go_regexp.in_a_line(regex)
    _add_answer(found, {"expect_regex": text})


def _add_answer(found: Steps, answer: dict[str, Any]) -> None:
    """To the step before, if it only sends so far."""
    waits = any(name.startswith(("expect", "starttls")) for name in (found or [{}])[-1])
    if found and not waits:
        found[-1] |= answer
    else:
        found.append(answer)


def _exactly(data: bytes) -> str:
    return r"\A" + "".join(
        re.escape(chr(one)) if 0x20 < one < 0x7F else f"\\x{one:02x}" for one in data
    )


def _send(making: Making, found: Steps, data: bytes, *, messages: bool) -> None:
    step = _sent(making, data)
    last = found[-1] if found else {}
    if not messages and "send" in step and set(last) == {"send"}:
        last["send"] += step["send"]  # one after the other, as there
    else:
        found.append(step)


def _sent(making: Making, data: bytes) -> dict[str, Any]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = None
    if text is None or not _PRINTED.match(data):
        return {"send_hex": data.hex(" ")}
    if _LOGIN.match(data) and not names_in(text, dollar_escape=""):
        line = text.rstrip("\r\n")
        first, _, rest = line.rpartition(" ")
        secret = making.plain_secret(rest, "LOGIN", "the last word of a login in a dialogue")
        return {"send": f"{literal(first)} {secret}{text[len(line) :]}"}
    return {"send": _with_secrets(making, text)}


def _with_secrets(making: Making, text: str) -> str:
    """Variables that somebody fills in before the exporter reads the file, as secrets."""
    parts = _VARIABLE.split(text)
    for at in range(1, len(parts), 2):
        parts[at] = making.variable_secret(parts[at], f"the variable {parts[at]} in a dialogue")
    return "".join(literal(one) if at % 2 == 0 else one for at, one in enumerate(parts))


def _begin_tls(found: Steps) -> None:
    if not found or not any(name.startswith("expect") for name in found[-1]):
        raise CannotError(
            "TLS begins in its dialogue without an answer before (starttls), which no server does"
        )
    if any(one.get("starttls") for one in found):
        raise CannotError("TLS begins twice in its dialogue")
    found[-1]["starttls"] = True
