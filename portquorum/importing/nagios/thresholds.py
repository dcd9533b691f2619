"""What options of several plugins mean: the host, times of an answer, days of a certificate."""

import re
from typing import Any, Final

from portquorum.importing.nagios.options import Options

_DAYS: Final = re.compile(r"([0-9]+)(?:,([0-9]+))?")


def place(options: Options, default: str = "") -> str:
    """The host that is asked: `-H`, else the first word without an option."""
    host = options.text("hostname") or (options.rest[0] if options.rest else default)
    options.skip("use-ipv4", "use-ipv6", "verbose", "version", "timeout")
    if not host:
        raise ValueError(f"{options.what} names no host")
    return host


def slowness(options: Options, *, in_s: bool = True) -> dict[str, Any]:
    """`-c` and `-w` as times of an answer: too slow is down, and a warning `latency`."""
    found: dict[str, Any] = {}
    scale = 1000.0 if in_s else 1.0
    critical, warning = options.number("critical"), options.number("warning")
    if critical:
        found["max_ms"] = max(1, round(critical * scale))
    if warning and (not critical or warning < critical):
        found["latency"] = {"max_ms": max(1, round(warning * scale)), "of": "total"}
    return found


def days(written: str) -> tuple[int, int]:
    """`-C 30,14`: days before the end of a certificate for a warning, and for an alarm."""
    found = _DAYS.match(written.strip())
    if found is None:
        raise ValueError(f"expected days such as 30,14, found {written[:20]!r}")
    return int(found[1]), int(found[2] or 0)
