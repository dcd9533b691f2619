"""Formats names and spans for diagnoses."""

from collections.abc import Iterable, Sequence

from streams.diagnosis.facts import Facts, Latency
from streams.diagnosis.units import milliseconds


def names(regions: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    found = list(regions)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def verb(regions: Sequence[str], one: str, many: str) -> str:
    """`one` for one region, `many` for more."""
    return one if len(regions) == 1 else many


def slowing(latency: Latency) -> str:
    """A sentence on the slowdown before the failure."""
    return (
        f"answers usually took about {milliseconds(latency.usual_us)}, "
        f"the last few about {milliseconds(latency.lately_us)}"
    )


def troubled(known: Facts) -> str:
    """`eu-west (62 % of its targets fail)`."""
    return names(f"{region} ({share} % of its targets fail)" for region, share in known.troubled)


def port(known: Facts) -> str:
    """The port on which nothing listens; the place if there is no port."""
    return known.target.place if known.target.port is None else str(known.target.port)
