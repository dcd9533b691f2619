"""Keeps the last lines of each role, for a stage that does not come in time."""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from portquorum.supervisor.role import Role
from schemas.json_decoder import DECODE_ERRORS

KEPT: Final = 30

_record = msgspec.json.Decoder(dict[str, Any])


class RoleLog:
    """A supervisor listener that prints only deaths."""

    def __init__(self, on_death: Callable[[str], None]) -> None:
        """`on_death` is called with a sentence."""
        self._on_death = on_death
        self._lines: dict[str, deque[str]] = {}

    def line(self, role: Role, text: str) -> None:
        """Stores the line."""
        self._lines.setdefault(role.name, deque(maxlen=KEPT)).append(_plain(text))

    def last(self, names: tuple[str, ...], count: int = 8) -> dict[str, list[str]]:
        """The last lines of the roles whose names begin with one of `names`."""
        return {
            role: list(lines)[-count:]
            for role, lines in self._lines.items()
            if role.startswith(names)
        }

    def started(self, role: Role, pid: int) -> None:
        """Nothing to keep."""

    def died(self, role: Role, how: str, ran_s: float, restart_in_s: float) -> None:
        """Reports the death, which should not happen."""
        self._on_death(f"{role.name} ended after {ran_s:.1f} s ({how}) and is started again")
        self.line(role, f"-- {how}, starts again in {restart_in_s:g} s")

    def stopped(self, role: Role, how: str) -> None:
        """Nothing to keep."""

    def killed(self, role: Role) -> None:
        """Reports the kill."""
        self._on_death(f"{role.name} did not end in its time and was killed")


def _plain(text: str) -> str:
    try:
        record = _record.decode(text)
    except DECODE_ERRORS:
        return text
    more = " ".join(
        f"{name}={value}"
        for name, value in record.items()
        if name not in {"event", "level", "logger", "timestamp", "role"}
    )
    clock = str(record.get("timestamp", ""))[11:19]
    return f"{clock} {record.get('level', '')} {record.get('event', '')} {more}".strip()
