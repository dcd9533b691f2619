"""What a port that must be closed may say in an inventory, beside `expect: closed`."""

from collections.abc import Iterator
from typing import Final

from portquorum.inventory.document import TargetEntry
from schemas.probe import Probe, UdpProbe

KINDS: Final = ("tcp", "udp")
"""The kinds that tell open from closed: others tell what is spoken there."""


def problems(written: TargetEntry, probe: Probe | None) -> Iterator[tuple[str, str]]:
    """The fields with a problem, and what was expected there and found."""
    if written.kind not in KINDS:
        yield (
            "expect",
            f"expected closed only of kind {' or '.join(KINDS)}, found it of {written.kind!r}",
        )
        return
    if written.kind == "tcp" and probe is not None:
        yield "probe", "expected none where the port must be closed: no dialogue begins there"
    if isinstance(probe, UdpProbe) and (probe.expect or probe.expect_hex or probe.expect_regex):
        yield (
            "probe",
            (
                "expected only what to send where the port must be closed: whatever answers, it "
                "is open; found an expected answer"
            ),
        )
    for field in ("latency", "max_ms"):
        if getattr(written, field) is not None:
            yield field, "expected none where the port must be closed: nobody waits for an answer"
