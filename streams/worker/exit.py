"""Ends the process at once."""

import logging
import os
import sys
from typing import Final, NoReturn

EXIT_CODE: Final = 70
"""EX_SOFTWARE of sysexits.h: it says to a supervisor "start me again"."""


def end_process(
    reason: str, error: BaseException | None = None, *, code: int = EXIT_CODE
) -> NoReturn:
    """Says why, and ends the process without any further word to the broker.

    An exception that escapes a Faust agent acknowledges what it failed on, and stopping the app
    from inside an agent hangs. Whatever is not covered by a checkpoint comes again after the
    restart, with the same ids and bytes.
    """
    logging.getLogger(__name__).critical(
        "%s%s; the process ends, what it had not confirmed will be done again",
        reason,
        f" ({type(error).__name__}: {error})" if error is not None else "",
    )
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stderr.flush()
    os._exit(code)
