"""What the events of an `expiring` incident say (rule 13)."""

from schemas.result import Reason
from streams.diagnosis import Diagnosis, Facts
from streams.diagnosis.units import day, left
from streams.rules import consensus, expiring
from streams.rules.consensus import Tally
from streams.state.partition_state import PartitionState
from streams.state.target_state import OpenIncident, TargetState
from streams.state.windows import Endings

OVER = "shows no certificate that ends soon any more"
OVER_OF_DOMAIN = "is registered for long enough again"


def thing(kind: str) -> str:
    """What ends."""
    return "registration" if kind == expiring.DOMAIN else "certificate"


def policy_changed(kind: str) -> str:
    """What has become of a target that was given other `warn_days`."""
    return f"was given other warn_days, by which no {thing(kind)} ends soon; its incident ends"


def saying(state: PartitionState, entry: TargetState) -> dict[str, tuple[str, Reason | None]]:
    """What each region sees: `ending`, `clean`, or nothing fresh."""
    found: dict[str, tuple[str, Reason | None]] = {}
    for region, position in entry.policy.by_name:
        window = state.window(entry, position)
        word: str = consensus.verdict(window, state.running)
        if window is not None and word != "stale":
            word = "clean" if window.endings is None else "ending"
        found[region] = (word, None)
    return found


def change(region: str, word: str, kind: str) -> str:
    """The words for what a region sees now, and did not see at the last event."""
    match word:
        case "ending":
            return f"{region}: sees a {thing(kind)} that ends soon"
        case "clean":
            return f"{region}: sees none that ends soon any more"
        case _:
            return f"{region}: no fresh result"


def another_end(incident: OpenIncident, earliest: int | None, kind: str) -> tuple[str, ...]:
    """The change when the earliest end is another one than the last event told."""
    if earliest is None or earliest == incident.expires_at:
        return ()
    return (f"the {thing(kind)} now ends on {day(earliest)}",)


def summary(known: Facts, found: Diagnosis, counted: Tally) -> str:
    """The sentence of an event while regions see an end."""
    end = min(end for _, end in known.ending)
    when = f"ends in {left(end - known.at)}" if end > known.at else "has ended"
    return (
        f"The {thing(known.target.kind)} of {known.target.place} {when} ({day(end)}), seen from "
        f"{len(known.ending)} of {counted.configured} regions. {found.sentence}"
    )


def progress(place: str, kind: str) -> str:
    """The sentence of an event while no region that counts sees an end any more."""
    return f"{place} is still an incident: not every region has seen a {thing(kind)} that holds."


def detail(row: Endings, kind: str) -> str:
    """What a region that succeeds says of the end."""
    return f"{thing(kind)} ends {day(row.earliest)}"
