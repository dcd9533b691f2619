"""The receivers of the notifiers' soak, and what each knows at the end."""

import random
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote

from tests.receivers import faults
from tests.receivers.authority import Authority
from tests.receivers.faults import Fault
from tests.receivers.http_receiver import Arrival, HttpReceiver
from tests.receivers.neighbourhood import OPSGENIE_KEY, PAGERDUTY_KEY, WEBHOOK_SECRET, environment
from tests.receivers.opsgenie import Opsgenie
from tests.receivers.pagerduty import PagerDuty
from tests.receivers.tunnel import Tunnel
from tests.receivers.webhook import JsonWebhook, SignedWebhook
from tests.soak.notifier_judge import Telling
from tests.soak.notifier_story import PROBE_TEAM, TEAMS, TOKEN

PAGERDUTY: Final = f"pagerduty://{PAGERDUTY_KEY}"
OPSGENIE: Final = f"opsgenie://{OPSGENIE_KEY}"

_UNSURE: Final = frozenset({"hang", "reset"})
_DRAWN: Final[tuple[tuple[Fault, float], ...]] = (
    (faults.status(500), 3),
    (faults.too_many(2), 2),
    (faults.HANG, 1),
    (faults.RESET, 2),
    (faults.slow(8), 3),
    (faults.slow(2), 3),
)
"""Faults by which the receiver knows whether it read the message, so that it can be judged."""


class Receivers:
    """People's receivers for each route, three on-call systems, and one that never misbehaves."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        self.people = {name: JsonWebhook() for name in (*TEAMS, "all")}
        self.probe = JsonWebhook()
        self.pagerduty = PagerDuty(authority)
        self.opsgenie = Opsgenie(authority)
        self.webhook = SignedWebhook(WEBHOOK_SECRET)
        self._tunnel = Tunnel({one.host: one for one in (self.pagerduty, self.opsgenie)})
        self.environment = {
            **environment(authority, self._tunnel),
            "SOAK_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }

    @property
    def people_urls(self) -> dict[str, str]:
        return {name: _json(receiver) for name, receiver in self.people.items()}

    @property
    def probe_url(self) -> str:
        return f"{_json(self.probe)}/{PROBE_TEAM}"

    @property
    def webhook_url(self) -> str:
        return f"webhook+http://127.0.0.1:{self.webhook.port}/soak?secret=${{SOAK_WEBHOOK_SECRET}}"

    @property
    def on_call_urls(self) -> dict[str, str]:
        return {"red": PAGERDUTY, "green": OPSGENIE, "blue": self.webhook_url}

    @property
    def _all(self) -> tuple[HttpReceiver, ...]:
        return (
            *self.people.values(),
            self.probe,
            self.pagerduty,
            self.opsgenie,
            self.webhook,
        )

    @property
    def arrivals(self) -> int:
        return sum(len(receiver.arrivals) for receiver in self._all)

    def misbehave(self, draw: random.Random) -> str:
        """Some receiver misbehaves for some requests; what and which, for the report."""
        receiver = draw.choice([one for one in self._all if one is not self.probe])
        fault = draw.choices([one for one, _ in _DRAWN], [weight for _, weight in _DRAWN])[0]
        times = 1 if fault.kind == "hang" else draw.randint(1, 3)
        receiver.misbehave(fault, times)
        return f"{fault.kind} {times}"

    def slow_down(self, seconds: float) -> None:
        """Every receiver's next answer is late: sends are in flight then."""
        for receiver in self._all:
            if receiver is not self.probe:
                receiver.misbehave(faults.slow(seconds), 1)

    def behave(self) -> None:
        """No further request is misbehaved to; answers that are held back still come."""
        for receiver in self._all:
            with receiver._changed:
                receiver._faults.clear()

    def close(self) -> None:
        for receiver in self._all:
            receiver.close()
        self._tunnel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def tellings(self) -> list[Telling]:
        """Everything that any of them learnt, and what they refused."""
        found: list[Telling] = []
        for receiver in (*self.people.values(), self.probe):
            for arrival in receiver.arrivals:
                found += _people(_json(receiver) + arrival.request.path, arrival)
        for arrival in self.pagerduty.arrivals:
            event = arrival.request.json()
            found += _keyed(PAGERDUTY, arrival, event["event_action"], event["dedup_key"])
        for arrival in self.opsgenie.arrivals:
            _, _, rest = arrival.request.path.partition("/v2/alerts/")
            alias, _, action = rest.rpartition("/")
            key = unquote(alias) if alias else arrival.request.json()["alias"]
            verb = {"": "trigger", "close": "resolve"}.get(action, action)
            found += _keyed(OPSGENIE, arrival, verb, key)
        for arrival in self.webhook.arrivals:
            data = arrival.request.json()["data"]
            found += _keyed(self.webhook_url, arrival, data["action"], data["key"])
        return found

    def open_keys(self) -> dict[str, list[str]]:
        """The keys that are open in the on-call systems."""
        hooked: dict[str, str] = {}
        for telling in self.tellings():
            if telling.channel == self.webhook_url and telling.told:
                hooked[telling.key] = telling.action
        return {
            PAGERDUTY: [one.key for one in self.pagerduty.incidents if one.state != "resolved"],
            OPSGENIE: [one.alias for one in self.opsgenie.alerts if one.state != "closed"],
            self.webhook_url: [key for key, action in hooked.items() if action != "resolve"],
        }


def _json(receiver: HttpReceiver) -> str:
    return f"json://127.0.0.1:{receiver.port}"


def _people(channel: str, arrival: Arrival) -> Iterator[Telling]:
    newest: dict[str, int] = {}
    for name, seq in TOKEN.findall(arrival.text):
        newest[name] = max(newest.get(name, 0), int(seq))
    for name, seq in newest.items():
        yield Telling(
            channel=channel,
            at=arrival.at,
            at_ms=arrival.at_ms,
            incident=name,
            seq=seq,
            missed="Was Unreachable" in arrival.text,
            sure=_sure(arrival),
            told=arrival.told,
            text=arrival.text.partition("\n")[0],
        )


def _keyed(channel: str, arrival: Arrival, action: str, key: str) -> Iterator[Telling]:
    if action == "notes":
        return
    yield Telling(
        channel=channel,
        at=arrival.at,
        at_ms=arrival.at_ms,
        incident=key.partition("/")[0],
        action=action,  # type: ignore[arg-type]
        key=key,
        sure=_sure(arrival),
        told=arrival.told,
    )


def _sure(arrival: Arrival) -> bool:
    return arrival.fault is None or arrival.fault.kind not in _UNSURE
