"""What waits to be told, counted for the metrics as it changes."""

from collections import Counter

from schemas.notifier_state import Subject
from sinks.notifier.model import Channel


class Backlog:
    """The subjects of one notifier, and how many channels wait for each scheme."""

    def __init__(self) -> None:
        self.waiting: Counter[str] = Counter()
        self._due: dict[str, tuple[int, tuple[str, ...]]] = {}

    @property
    def oldest_due_at(self) -> int | None:
        """The time from which the oldest news should have been told, UTC ms; None without any."""
        return min((due_at for due_at, _ in self._due.values()), default=None)

    def put(self, subject: Subject) -> None:
        """Counts the newest state of a subject."""
        self.remove(subject.key)
        waits = [member for member in subject.audience if member.due_at]
        if waits:
            schemes = tuple(Channel(member.route, member.url).scheme for member in waits)
            self._due[subject.key] = min(member.due_at for member in waits), schemes
            self.waiting.update(schemes)

    def remove(self, key: str) -> None:
        """Forgets a subject; one that is not there is fine."""
        _, schemes = self._due.pop(key, (0, ()))
        self.waiting.subtract(schemes)
