"""Fixtures that every test may ask for. A service starts when the first test asks for it."""

import atexit
import gc
import logging
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from tests import file_order
from tests.budgets import Budgets
from tests.examples import LONG, SHORT
from tests.services import running_clickhouse, running_kafka, views_rest

# A background job of a shell has SIGINT ignored, under nohup SIGHUP too, and so would every program
# that a test starts and ends by one of them. What a handler catches is the default in a child.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

# At the end of the interpreter its collector may crash in msgspec 0.22 (`StructMeta_clear` frees
# types of a Struct such as RouteEntry twice), after all tests have passed: it finds nothing then.
atexit.register(gc.freeze)

# The tests start thousands of programs of ours: each would compile all that it imports anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A slow example says something of the machine, nothing of the code. `make soak` has the long form.
hypothesis.settings.register_profile("short", deadline=None, max_examples=SHORT)
hypothesis.settings.register_profile("long", deadline=None, max_examples=LONG)
hypothesis.settings.load_profile("short")

# A logger that a test used while it logged as a role would keep that for the tests to come.
_configure = structlog.configure
structlog.configure = lambda *args, **kwargs: _configure(
    *args, **{**kwargs, "cache_logger_on_first_use": False}
)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Budgets())
    config.pluginmanager.register(file_order)


_LIBRARIES = ("aiokafka", "kafka", "faust", "mode", "apprise", "urllib3", "clickhouse_connect")
"""Whose loggers a role sets."""


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """What a test made of logging, for instance by the main function of a role, ends with it."""
    levels = {name: logging.getLogger(name).level for name in _LIBRARIES}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    if not structlog.is_configured():
        return
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root = logging.getLogger()
    formatter = structlog.stdlib.ProcessorFormatter
    root.handlers = [has for has in root.handlers if not isinstance(has.formatter, formatter)]
    root.setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a real Kafka; it is shared, so tests name topics and groups apart."""
    with running_kafka(tmp_path_factory.mktemp("services")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def clickhouse_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """For `clickhouse`."""
    with running_clickhouse(tmp_path_factory.mktemp("services")) as url:
        yield url


@pytest.fixture(scope="module")
def clickhouse(clickhouse_of_all: str) -> Iterator[str]:
    """URL of a real ClickHouse, all rights; it is shared, so tests use databases of their own.

    What the tests of a file leave there is not refreshed any more.
    """
    yield clickhouse_of_all
    views_rest(clickhouse_of_all)


@pytest.fixture
def soak_seed(request: pytest.FixtureRequest) -> int:
    """What a soak test draws from: `PORTQUORUM_SOAK_SEED`, else a new one; printed."""
    seed = int(os.environ.get("PORTQUORUM_SOAK_SEED") or secrets.randbelow(2**32))
    print(f"\n{request.node.name}: SEED={seed}", flush=True)  # noqa: T201 - to repeat it
    return seed


@pytest.fixture
def soak_reports() -> Path:
    """The folder for a soak test's report: `PORTQUORUM_SOAK_REPORTS`."""
    folder = Path(os.environ.get("PORTQUORUM_SOAK_REPORTS") or "soak-reports")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of pages are kept: `PORTQUORUM_SCREENSHOTS`, else a folder of this run."""
    named = os.environ.get("PORTQUORUM_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
