"""What is seen of the log and its judges: from when on the page is blind, and why. Pure."""

from typing import Final

from portquorum.web.answers import BlindBecause

STOPPED_MS: Final = 25_000
"""Time without progress of the stream after which it counts as stopped, with checkpoints each 15 s:
an interval and ten seconds."""

AWAY_MS: Final = 15_000
"""Time without an answer of Kafka, or a failure to ask it, after which it counts as away."""


class Senses:
    """When each source last answered. Times: UTC ms."""

    def __init__(self, stopped_ms: int = STOPPED_MS) -> None:
        self.version = 0
        self.history_away_since: int | None = None
        self._stopped_ms = stopped_ms
        self.now = 0
        """The newest time that anybody told."""
        self._began: int | None = None
        self._loaded = False
        self._answered_at: int | None = None
        self._kafka_fails = False
        self._stream_at: int | None = None
        self._log_at: int | None = None
        self._history_at: int | None = None
        self._blind: tuple[int, BlindBecause] | None = None
        self.kafka_trouble: str | None = None
        """Why Kafka can't be used, without addresses; None: it answers, or nobody knows."""

    def tick(self, now: int) -> None:
        """The time is `now`."""
        self.now = max(now, self.now)
        if self._began is None:
            self._began = now
        self._look()

    def loaded(self, at: int) -> None:
        """The topics were read to their ends at `at`."""
        self.version += not self._loaded
        self._loaded = True
        self._answered_at = max(at, self._answered_at or 0)
        self._look()

    def kafka_answered(self, at: int, *, stream_at: int | None, log_at: int | None) -> None:
        """Kafka answered: when the stream last went on, and the newest record of the log."""
        self.now = max(self.now, at)
        self._answered_at, self._kafka_fails = at, False
        self.kafka_told(None)
        self._stream_at = stream_at
        self._log_at = log_at if log_at is not None else self._log_at
        self._look()

    def kafka_failed(self, at: int) -> None:
        """Kafka did not answer at `at`."""
        self.now = max(self.now, at)
        self._kafka_fails = True
        self._look()

    def kafka_told(self, trouble: str | None) -> None:
        """It was found out why Kafka does not answer."""
        self.version += trouble != self.kafka_trouble
        self.kafka_trouble = trouble

    def history_answered(self, at: int) -> None:
        """ClickHouse answered at `at`."""
        self._history_at = at
        self.version += self.history_away_since is not None
        self.history_away_since = None

    def history_failed(self, at: int) -> None:
        """ClickHouse did not answer at `at`: away since it last did, or since the first look."""
        if self.history_away_since is None:
            self.history_away_since = at if self._history_at is None else self._history_at
            self.version += 1

    def blind(self) -> tuple[int, BlindBecause] | None:
        """Since when nothing that is shown may be true, and why; None: the fleet is seen."""
        return self._blind

    def is_read(self) -> bool:
        """Whether the topics were read to their ends."""
        return self._loaded

    def data_at(self) -> int | None:
        """Up to when the stream is known to have judged; None: never."""
        if self._stream_at is None or self._log_at is None:
            return self._stream_at
        seen = self._stream_at if self._is_stopped() else max(self._stream_at, self._log_at)
        return min(seen, self.now)

    def _look(self) -> None:
        found = self._now_blind()
        if found != self._blind:
            self._blind = found
            self.version += 1

    def _now_blind(self) -> tuple[int, BlindBecause] | None:
        began = self.now if self._began is None else self._began
        if not self._loaded:
            is_away = self._answered_at is None and self.now - began > AWAY_MS
            return began, "kafka_away" if is_away else "starting"
        answered = began if self._answered_at is None else self._answered_at
        if self._kafka_fails or self.now - answered > AWAY_MS:
            return answered, "kafka_away"
        if self._is_stopped():
            return began if self._stream_at is None else self._stream_at, "stream_stopped"
        return None

    def _is_stopped(self) -> bool:
        """No progress of the stream: by its commits, which follow each checkpoint."""
        if self._stream_at is None:
            return self._began is not None and self.now - self._began > self._stopped_ms
        return self.now - self._stream_at > self._stopped_ms
