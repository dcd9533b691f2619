"""Explains why a target has an incident now or has none: pure, from its partition's state."""

from streams.explain.explain import explain
from streams.explain.model import (
    Explanation,
    FlappingExplained,
    IncidentExplained,
    RecheckExplained,
    RegionExplained,
)

__all__ = [
    "Explanation",
    "FlappingExplained",
    "IncidentExplained",
    "RecheckExplained",
    "RegionExplained",
    "explain",
]
