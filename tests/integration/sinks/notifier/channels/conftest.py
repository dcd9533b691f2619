"""Receivers of all services for one file of tests, found by Apprise as the real ones are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receivers.neighbourhood import Neighbourhood


@pytest.fixture(scope="module")
def _street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    with Neighbourhood(Path(tmp_path_factory.mktemp("receivers"))) as street:
        yield street


@pytest.fixture
def street(_street: Neighbourhood, monkeypatch: pytest.MonkeyPatch) -> Iterator[Neighbourhood]:
    for name, value in _street.environment.items():
        monkeypatch.setenv(name, value)
    _street.behave()
    yield _street
    _street.behave()
    assert not _street.tunnel.strangers
