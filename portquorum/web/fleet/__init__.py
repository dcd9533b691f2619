"""The fleet as it is now, in memory: every page and API answer about now. Pure: no I/O, no clock.

One thread, one event loop: nothing here waits or locks.
"""

from portquorum.web.fleet.cursor import CursorError
from portquorum.web.fleet.fleet import Fleet, TooManyTargetsError
from portquorum.web.fleet.status_table import StatusGroup

__all__ = ["CursorError", "Fleet", "StatusGroup", "TooManyTargetsError"]
