"""Why there is or is not an incident of a target now: pure, from the state of its partition."""

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
