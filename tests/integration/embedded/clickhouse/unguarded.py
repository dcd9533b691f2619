"""The embedded ClickHouse without its first wall: no statement, setting or parameter is looked at.

What holds then are the readers' limits (`access`) and the kernel's walls (`sandbox`). Takes the
arguments of `python -m portquorum.embedded.clickhouse`.
"""

import re
import sys
from typing import Any

from portquorum.embedded.clickhouse import engine
from portquorum.embedded.clickhouse import main as service
from portquorum.embedded.clickhouse import sql_guard as guard


def _nothing(*_: Any) -> None:
    """Whatever it is, it may pass."""


def main() -> int:
    """Takes the guard's eyes away and runs the service."""
    for name in ("check", "check_reader"):
        setattr(guard.SqlGuard, name, _nothing)
    guard.SqlGuard.check_setting = staticmethod(_nothing)  # type: ignore[assignment]
    engine._PYTHON = re.compile(r"(?!)")  # type: ignore[misc]
    return service.main()


if __name__ == "__main__":
    sys.exit(main())
