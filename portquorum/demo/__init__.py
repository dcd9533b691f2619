"""The guided minute: a real port closes and opens again, and every stage is shown.

The shipped roles run as processes on embedded services; nothing in them knows of the demo.
"""

from portquorum.demo.demo import run
from portquorum.demo.errors import StageError

__all__ = ["StageError", "run"]
