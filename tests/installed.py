"""What the tests use and Python does not bring along."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skips the test; where `.ci/run` has installed everything it fails instead."""
    said = f"{what} is not installed"
    if "PORTQUORUM_TEST_ALL" in os.environ:
        pytest.fail(said)
    pytest.skip(f"{said} (.ci/run installs it)")
