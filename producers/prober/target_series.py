"""What a prober saw last of each target, as series for Prometheus."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from foundation.target_series import SeriesFamily, TargetSample
from producers.checks.model import CheckOutcome

UP: Final = "portquorum_target_check_up"
CONNECT: Final = "portquorum_target_connect_seconds"
CERTIFICATE: Final = "portquorum_target_certificate_expires_timestamp_seconds"

_LABELS: Final = ("target", "region")
FAMILIES: Final[Mapping[str, SeriesFamily]] = {
    UP: SeriesFamily("1 if the last check saw the target as it should be, else 0.", _LABELS),
    CONNECT: SeriesFamily(
        "Time to connect of the last check; absent if it made no connection.", _LABELS
    ),
    CERTIFICATE: SeriesFamily(
        "When the certificate, or the domain, ends that a check saw last.", _LABELS
    ),
}


class _Seen(Struct, frozen=True, gc=False):
    """The last check: ms, and UTC ms."""

    is_up: bool
    connect_ms: float | None
    expires_at: int | None


class ProberTargets:
    """The last check of each target of a prober."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._seen: dict[str, _Seen] = {}

    def take(self, target: str, outcome: CheckOutcome) -> None:
        """A check is over; one that was not made says nothing."""
        if outcome.status == "missed":
            return
        before = self._seen.get(target)
        expires_at = outcome.cert_expires_at
        if expires_at is None and before is not None:
            expires_at = before.expires_at
        self._seen[target] = _Seen(outcome.status == "up", outcome.connect_ms, expires_at)

    def keep(self, targets: Container[str]) -> None:
        """Forgets all others: they are checked by somebody else, or by nobody."""
        for name in [one for one in self._seen if one not in targets]:
            del self._seen[name]

    @property
    def families(self) -> Mapping[str, SeriesFamily]:
        """All families by name."""
        return FAMILIES

    def targets(self) -> Sequence[str]:
        """The ids of all targets that were checked."""
        return list(self._seen)

    def samples(self, targets: Iterable[str]) -> Iterator[TargetSample]:
        """What the last checks of some targets saw."""
        for name in targets:
            seen = self._seen.get(name)
            if seen is None:
                continue
            labels = name, self._region
            yield TargetSample(UP, labels, float(seen.is_up))
            if seen.connect_ms is not None:
                yield TargetSample(CONNECT, labels, seen.connect_ms / 1000)
            if seen.expires_at is not None:
                yield TargetSample(CERTIFICATE, labels, seen.expires_at / 1000)
