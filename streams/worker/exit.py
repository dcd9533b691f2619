"""Ends the process at once."""

import logging
import os
import sys
from typing import Final, NoReturn

EXIT_CODE: Final = 70
"""EX_SOFTWARE of sysexits.h, which tells a supervisor to restart the process."""


def end_process(
    reason: str, error: BaseException | None = None, *, code: int = EXIT_CODE
) -> NoReturn:
    """Logs the reason, and ends the process without another message to the broker.

    An exception that leaves a Faust agent acknowledges the failed message, and stopping the app
    from inside an agent hangs. After the restart, all records without a checkpoint come again, with
    the same ids and bytes.
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
