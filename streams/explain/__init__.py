"""Explains why a target has an incident now or has none: pure, from its partition's state."""

from streams.explain.explain import explain
from streams.explain.model import (
    Explanation,
    FlappingExplained,
    IncidentExplained,
    JobExplained,
    PausedExplained,
    RecheckExplained,
    RegionExplained,
    RunExplained,
)

__all__ = [
    "Explanation",
    "FlappingExplained",
    "IncidentExplained",
    "JobExplained",
    "PausedExplained",
    "RecheckExplained",
    "RegionExplained",
    "RunExplained",
    "explain",
]
