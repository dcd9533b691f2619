"""What the wide tests need beyond Python: `tests/wide/install` brings it."""

import os
from pathlib import Path
from typing import Final, NoReturn

import pytest

WIDE: Final = Path(os.environ.get("PORTQUORUM_WIDE") or "/var/cache/portquorum-wide")
"""Where `tests/wide/install` puts what no package manager may install beside others.

Everybody can read it: servers run as users of their own.
"""


def missing(what: str) -> NoReturn:
    """Skips the test; with PORTQUORUM_TEST_ALL it fails instead."""
    said = f"{what} is not installed (tests/wide/install does it)"
    if "PORTQUORUM_TEST_ALL" in os.environ:
        pytest.fail(said)
    pytest.skip(said)
