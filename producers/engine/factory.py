"""Chooses the engine of this platform."""

import select

from producers.checks.model import Vantage
from producers.engine.asyncio_engine import AsyncioEngine
from producers.engine.epoll_engine import EpollEngine
from producers.engine.routing_engine import RoutingEngine


def platform_engine(vantage: Vantage) -> RoutingEngine:
    """The fastest engine that works here. To be called inside a running loop."""
    plain = EpollEngine(vantage) if hasattr(select, "epoll") else AsyncioEngine(vantage)
    return RoutingEngine(plain)
