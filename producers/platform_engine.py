"""Which engine this platform has."""

import select

from producers.asyncio_engine import AsyncioEngine
from producers.engine import Engine, Vantage
from producers.epoll_engine import EpollEngine


def platform_engine(vantage: Vantage) -> Engine:
    """The fastest engine that works here. To be called inside a running loop."""
    return EpollEngine(vantage) if hasattr(select, "epoll") else AsyncioEngine(vantage)
