"""Says why a running role can't use Kafka: once, then once a minute, then that it is over.

aiokafka's clients go on trying for ever, and log each try, most without the reason. Their lines are
a reason to look; what is found is said instead of them.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from foundation.kafka.dial import IS_TRYING
from foundation.kafka.trouble import why_not
from foundation.kafka.trouble_words import Trouble
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.telemetry import filter_logs, logger

AGAIN_S: Final = 60.0
"""How often a trouble that lasts is said, in s."""

_GRACE_S: Final = 2.0
"""Time for a client to recover by itself, as from a connection that the broker has ended."""

_LOOK_S: Final = 5.0
_QUIET_S: Final = 12.0
"""Time without a line of aiokafka after which nothing is looked for any more."""

_LASTS_LOOKS: Final = 6
"""Looks in a row with lines of aiokafka, and without a reason, that are no renewal any more."""

_RENEWED_S: Final = 600.0
"""How often it is said that connections were made anew."""

_LIBRARIES: Final = frozenset({"aiokafka", "faust", "mode"})

_OF_CONNECTIONS: Final = (
    "Unable connect to",
    "Unable to request metadata",
    "Unable to update metadata",
    "Unexpected exception in AIOKafkaConnection",
    "No broker metadata found",
    "Error sending %s to node",
    "Group Coordinator Request failed",
    "Marking the coordinator dead",
    "Heartbeat session expired",
    "Heartbeat send request failed",
    "Heartbeat failed for group %s: coordinator",
    "LeaveGroup request failed",
    "Failed fetch messages",
    "Failed to get offsets",
    "Failed fetch offsets",
    "Failed to commit on finallization",
    "Got error produce response",
    "Could not send",
    "Got exception: %r\nCurrent assignment",
    "OffsetCommit failed for group %s - %s",
    "OffsetCommit failed for group %s on partition",
)
"""The first words of what aiokafka says while it has no connection, or no leader."""

_OF_REBALANCES: Final = (
    "Heartbeat failed for group %s because it is rebalancing",
    "Heartbeat failed for group %s: generation id",
    "Heartbeat failed: local member_id",
    "OffsetCommit failed for group %s due to group",
    "OffsetCommit failed before join",
)
"""What it says of each rebalance of a group, which is no trouble."""

_OF_OURS: Final = ("Missing sensor state for rebalance",)
"""What Faust says because its statistics are off here."""

_ONCE: Final = ("Sending username and password in the clear",)
"""What it says of each connection."""


class Away(Struct, frozen=True):
    """A trouble that lasts; `since` is UTC ms by this machine's clock."""

    since: int
    trouble: Trouble


class TroubleWatch:
    """Looks for the reason as long as `noticed` is called; any thread may call it.

    The looks are in a thread with a loop of its own: a loop that is held up, and Faust has several,
    holds up nothing here.
    """

    def __init__(
        self,
        settings: Settings,
        look: Callable[[Settings], Coroutine[Any, Any, Trouble | None]] = why_not,
        *,
        look_s: float = _LOOK_S,
        quiet_s: float = _QUIET_S,
        grace_s: float = _GRACE_S,
    ) -> None:
        self._settings = settings
        self._look = look
        self._pauses = (grace_s, look_s, quiet_s)
        self._lock = threading.Lock()
        self._runs = False
        self._noticed_at = 0.0
        self._since: float | None = None  # the first line after the last look without a trouble
        self._last = ""
        self._times = 0
        self._log = logger(__name__)
        self._renewed = LogThrottle[str](_RENEWED_S)
        self._lasts = LogThrottle[str](AGAIN_S)
        self.away: Away | None = None
        """The trouble as it was found last; None: there is none, or nobody has noticed any."""

    def noticed(self, words: str) -> None:
        """Something that a client said of its connections."""
        with self._lock:
            self._noticed_at = time.monotonic()
            self._since = self._since or time.time()
            self._last = words
            self._times += 1
            if self._runs:
                return
            self._runs = True
        threading.Thread(target=self._run, name="kafka trouble", daemon=True).start()

    def _run(self) -> None:
        grace_s, look_s, quiet_s = self._pauses
        said, said_at, since, unexplained = "", 0.0, 0.0, 0
        time.sleep(grace_s)
        while True:
            trouble = self._found()
            with self._lock:
                noticed, began = self._since, self._since or since
                is_quiet = time.monotonic() - self._noticed_at >= quiet_s
                if trouble is None:
                    self._since = None
                    if is_quiet:
                        self._runs = False
            if trouble is not None:
                since, unexplained = began, 0
                self.away = Away(round(since * 1000), trouble)
                if said != trouble.cause or time.monotonic() - said_at >= AGAIN_S:
                    said, said_at = trouble.cause, time.monotonic()
                    self._say(trouble, since)
            else:
                self.away = None
                unexplained = unexplained + 1 if noticed else 0
                if said:
                    self._log.info("Kafka can be used again", away_s=round(time.time() - since))
                    said = ""
                else:
                    self._say_unexplained(unexplained)
                if is_quiet:
                    return
            time.sleep(look_s)

    def _found(self) -> Trouble | None:
        try:
            return asyncio.run(self._look(self._settings))
        except Exception as error:  # noqa: BLE001 - a look must not end what looks
            self._log.debug("no look at Kafka", error=repr(error))
            return None

    def _say(self, trouble: Trouble, began: float) -> None:
        self._log.warning(
            "Kafka can't be used",
            error=trouble.sentence,
            since=datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
            again_in_s=round(AGAIN_S),
        )

    def _say_unexplained(self, looks: int) -> None:
        """What aiokafka says though all can be reached, since so many looks."""
        with self._lock:
            last, times = self._last, self._times
        if looks >= _LASTS_LOOKS:
            if self._lasts.times("lasts"):
                self._log.warning(
                    "Kafka answers, and a client has trouble with it", error=last, times=times
                )
        elif looks and self._renewed.times("renewed"):
            # As with connections.max.reauth.ms, or a broker that was restarted.
            self._log.info("connections to Kafka were made anew", error=last)


class KafkaWords(logging.Filter):
    """Holds back what Kafka's libraries say again and again, and tells it to a `TroubleWatch`."""

    def __init__(self, watch: TroubleWatch) -> None:
        super().__init__()
        self._watch = watch
        self._once: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a line that says nothing new; a line of a rebalance becomes an INFO."""
        if record.name.partition(".")[0] not in _LIBRARIES:
            return True
        template = str(record.msg)
        # Faust's services put their name in front.
        words = template[template.find("]: ") + 3 :] if template.startswith("[") else template
        if IS_TRYING.get() or words.startswith(_OF_OURS):
            return False
        if words.startswith(_OF_CONNECTIONS):
            self._watch.noticed(record.getMessage()[:300])
            return False
        if words.startswith(_OF_REBALANCES):
            record.levelno, record.levelname = logging.INFO, "INFO"
            return logging.getLogger().isEnabledFor(logging.INFO)
        if words.startswith(_ONCE):
            is_new = words not in self._once
            self._once.add(words)
            return is_new
        return True


_current: TroubleWatch | None = None


def watch(settings: Settings) -> None:
    """From now on what aiokafka and Faust log of Kafka's troubles is said in our words.

    For a role, whose logs `telemetry.configure_logging` has set up; else, and with the level
    `debug`, which shows every line as it is, does nothing.
    """
    global _current  # noqa: PLW0603 - of the process, as its logs are
    if settings.log_level == "debug" or _current is not None:
        return
    one = TroubleWatch(settings)
    if filter_logs(KafkaWords(one)):
        _current = one


def away() -> Away | None:
    """The trouble of this process with Kafka that lasts, None if none is known."""
    return None if _current is None else _current.away
