"""What happened to a job that reports itself, in the words of a subject line.

Nobody tried to reach anything: the job said that it failed, or did not say that it was done.
"""

from typing import Final

from schemas.incident import IncidentEvent
from schemas.probe import JOB

THING: Final = "Job"
_OPENED: Final = {
    "heartbeat_missed": "Missed",
    "job_failed": "Failed",
    "job_overran": "Ran Too Long",
}
_STILL: Final = {
    "heartbeat_missed": "Still Not Reporting",
    "job_failed": "Still Failing",
    "job_overran": "Still Running Too Long",
}
_BEGAN: Final = {
    "heartbeat_missed": "Report was due",
    "job_failed": "Failed",
    "job_overran": "Should have ended",
}
CLOSED: Final = {"unreachable": "Succeeded Again", "flapping": "Steady Again"}
WAS: Final = {"unreachable": "Was In Trouble", "flapping": "Was Flapping"}
ENDED: Final = {
    "target_removed": "No Longer Expected",
    "target_changed": "Changed, No Longer A Job",
    "target_paused": "Paused, Nobody Waits For It",
    "steady": "No Longer Flapping, Failing For Good",
    "flapping": "Failed And Succeeded Again And Again, Told As Flapping From Here On",
}


def of_job(event: IncidentEvent) -> bool:
    """Whether it is about a job: it has no host, no port and one voice, its own."""
    return event.kind == JOB


def opened(event: IncidentEvent) -> dict[str, str]:
    """What an opening says, by the type of the incident."""
    return {"unreachable": _OPENED.get(reason(event), "In Trouble"), "flapping": "Flapping"}


def still(event: IncidentEvent) -> dict[str, str]:
    """What a reminder says, by the type of the incident."""
    told = _STILL.get(reason(event), "Still In Trouble")
    return {"unreachable": told, "flapping": "Still Flapping"}


def began(event: IncidentEvent) -> str:
    """What happened at the first failure."""
    return _BEGAN.get(reason(event), "First failure")


def reason(event: IncidentEvent) -> str:
    """The reason that its verdict names; empty: none."""
    return next((one.reason or "" for one in event.regions.values()), "")
