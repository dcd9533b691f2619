"""Which engine this platform has."""

import select

from producers.asyncio_engine import AsyncioEngine
from producers.engine import Engine, Vantage
from producers.epoll_engine import EpollEngine
from producers.routing_engine import RoutingEngine


def platform_engine(vantage: Vantage) -> Engine:
    """The fastest engine that works here. To be called inside a running loop."""
    plain = EpollEngine(vantage) if hasattr(select, "epoll") else AsyncioEngine(vantage)
    return RoutingEngine(plain)
