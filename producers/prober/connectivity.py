"""The region guard in the prober: a prober without network must not report failures."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from typing import Final

from foundation.telemetry import logger
from producers.checks import expected_closed
from producers.checks.model import CheckOutcome, Engine, PlannedCheck
from schemas.result import Reason
from schemas.target import Target

TIMEOUT_MS: Final = 1_000
_PORT: Final = re.compile(r"[0-9]{1,5}")
FRESH_S: Final = 1.0
"""Validity of a successful answer of the references."""

AGAIN_S: Final = 2.0
"""Time between two questions to references that do not answer."""

WITHIN_MS: Final = 10_000
MANY: Final = 3
MANY_SHARE: Final = 0.1
"""`many` targets began to fail at once: MANY of them, and this share of all, within 10 s."""

_OURS_TOO: Final[frozenset[Reason]] = frozenset(
    {"timed_out", "network_unreachable", "host_unreachable", "dns_failed"}
)
"""Failures that a prober without network sees; a refusal needs a peer that refuses."""


def many(newly_failing: int, targets: int) -> bool:
    """Whether the number of new failures is a reason to doubt our own network."""
    return newly_failing >= max(MANY, MANY_SHARE * targets)


class Connectivity:
    """Asks the region's reference addresses, and stores whether they answered last.

    `engine` is its own engine, with the vantage of the region: the address policy refuses
    references like targets. A refused reference does not count; without another one the network
    counts as alive.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._references: tuple[Target, ...] = ()
        self._refused: set[str] = set()
        self._asking = 0
        self._answers: list[bool] = []
        self._then: list[Callable[[], None]] = []
        self._asked_at = float("-inf")
        self._again: asyncio.TimerHandle | None = None
        self.alive = True

    def refer_to(self, places: Iterable[str]) -> None:
        """Sets the references (`host:port`); invalid ones are left out with a warning."""
        found = []
        for place in places:
            host, _, port = place.rpartition(":")
            if host and _PORT.fullmatch(port) and 0 < int(port) < 65536:
                found.append(_target(host.strip("[]"), int(port)))
            else:
                logger(__name__).warning(
                    "a connectivity reference is left out: expected host:port", found=place
                )
        self._references = tuple(found)
        self._refused.clear()
        if not found:
            self.alive = True

    def doubts(self, outcome: CheckOutcome, newly_failing: int, targets: int) -> bool:
        """Whether the references must be asked before this outcome is published."""
        if outcome.reason not in _OURS_TOO or not many(newly_failing, targets):
            return False
        return self._unsure

    def doubts_silence(self, outcome: CheckOutcome) -> bool:
        """Likewise for a port that must be closed, was open, and says nothing any more."""
        return expected_closed.silent(outcome) and self._unsure

    @property
    def _unsure(self) -> bool:
        if not self._references or not self.alive:
            return False
        return self._asking > 0 or time.monotonic() - self._asked_at > FRESH_S

    def ask(self, then: Callable[[], None]) -> None:
        """Asks all references; calls `then` when `alive` has their answer."""
        self._then.append(then)
        if self._asking:
            return
        self._answers = []
        self._asking = len(self._references)
        for target in self._references:
            self._engine.submit(PlannedCheck(target, 0.0, 0, "manual"), self._answered)

    def judge(self, outcome: CheckOutcome) -> CheckOutcome:
        """The outcome to publish: without network a failure is `prober_error`, not the target's.

        Nor is a silent port then a closed one.
        """
        silent = expected_closed.silent(outcome)
        if self.alive or (outcome.reason not in _OURS_TOO and not silent):
            return outcome
        said = "nothing came back" if silent else outcome.reason
        return CheckOutcome(
            status="missed",
            reason="prober_error",
            started_at=outcome.started_at,
            detail=f"{said}, but so do this prober's own reference addresses",
            address=outcome.address,
            dns_ms=outcome.dns_ms,
        )

    def close(self) -> None:
        """Stops all questions."""
        if self._again is not None:
            self._again.cancel()

    def _answered(self, check: PlannedCheck, outcome: CheckOutcome) -> None:
        if outcome.reason == "address_blocked":
            self._warn_once(check.target, outcome)
        else:
            self._answers.append(outcome.reason not in _OURS_TOO and outcome.status != "missed")
        self._asking -= 1
        if self._asking:
            return
        alive = any(self._answers) or not self._answers
        if alive != self.alive:
            logger(__name__).warning("this prober's own network", alive=alive)
        self.alive = alive
        self._asked_at = time.monotonic()
        if not alive:
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(AGAIN_S, self._ask_again)
        then, self._then = self._then, []
        for call in then:
            call()

    def _warn_once(self, reference: Target, outcome: CheckOutcome) -> None:
        place = f"{reference.host}:{reference.port}"
        if place not in self._refused:
            self._refused.add(place)
            logger(__name__).warning(
                "a connectivity reference is never asked: this region's probers may not reach it; "
                "name another one, or add its network to the region's allow",
                reference=place,
                why=outcome.detail,
            )

    def _ask_again(self) -> None:
        if self._references:
            self.ask(lambda: None)


def _target(host: str, port: int) -> Target:
    return Target(
        id="connectivity",
        name="connectivity",
        kind="tcp",
        host=host,
        port=port,
        regions=("here",),
        interval_ms=1000,
        timeout_ms=TIMEOUT_MS,
        version=0,
        source="connectivity",
    )
