"""Rule 10: the likely cause of an incident, and the first steps (docs/diagnosis.md).

`rules.diagnosis_facts` gathers the facts from the state; the rest is a choice among sentences.
"""

from collections.abc import Callable
from typing import Final

from schemas.incident import IncidentType
from streams.diagnosis import open_port
from streams.diagnosis.diagnosis import Diagnosis, Likely
from streams.diagnosis.encrypted import ending
from streams.diagnosis.facts import Facts
from streams.diagnosis.flapping import unsteadiness
from streams.diagnosis.partial import from_some
from streams.diagnosis.registration import likely
from streams.diagnosis.slow import slowness
from streams.diagnosis.unreachable import everywhere

_OF_KIND: Final[dict[str, Callable[[Facts], Diagnosis]]] = {
    "domain": likely,
    "heartbeat": everywhere,
}


def diagnose(known: Facts, about: IncidentType = "unreachable") -> Diagnosis:
    """The likeliest cause of the facts.

    Requires at least one slow region for `slow`, one that saw an end for `expiring`, and one
    failing region for other types.
    """
    of_kind = _OF_KIND.get(known.target.kind)
    if of_kind is not None:
        return of_kind(known)
    match about:
        case "slow":
            return slowness(known)
        case "expiring":
            return ending(known)
        case "flapping":
            closed = known.target.expect == "closed"
            return open_port.unsteadiness(known) if closed else unsteadiness(known)
        case "unreachable":
            if known.target.expect == "closed":
                return open_port.openness(known)
            return from_some(known) if known.working else everywhere(known)


__all__ = ["Diagnosis", "Facts", "Likely", "diagnose"]
