"""The data of a webhook notification: what `webhook+http(s)://` posts inside of a CloudEvent."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas._types import Count, LongText, Millis, Name, Text
from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent, possible
from schemas.json_decoder import JsonDecoder
from schemas.policy import LongDurationMs


class BrokenChannel(Struct, frozen=True, gc=False, kw_only=True):
    """A channel of the notifier that takes no messages, or takes them again.

    `channel` is its name (`route/id/scheme`), `since` the time of the first failure. `waiting` is
    the number of subjects that it was not told of.
    """

    channel: Text
    event: Literal["channel.broken", "channel.works"]
    since: Millis
    at: Millis
    error: LongText
    waiting: Count


class MassOutage(Struct, frozen=True, gc=False, kw_only=True):
    """A large share of all targets went down within a minute, or that is over.

    `down` of `total` targets are down at the time `at`; `hosts` are some of theirs, those with the
    most targets first. `since` is the time at which it began.
    """

    event: Literal["mass.down", "mass.over"]
    down: Count
    total: Count
    hosts: Annotated[tuple[Text, ...], Meta(max_length=1_000)] = ()
    since: Millis
    at: Millis


class FireDrill(Struct, frozen=True, gc=False, kw_only=True):
    """A fire drill is overdue, or that is over.

    `every_ms` is the longest time between two drills, 0 if none is planned any more. `last_at` is
    the beginning of the last one (left out: there was none), `stage` its stage that did not come in
    time (empty: all came). It is overdue since `since`.
    """

    event: Literal["drill.overdue", "drill.done"]
    every_ms: LongDurationMs
    since: Millis
    at: Millis
    stage: Name = ""
    last_at: Millis | UnsetType = UNSET


class WebhookData(Struct, frozen=True, gc=False, kw_only=True):
    """What is to be done to the alert `key`, and why.

    `action`: `trigger` opens the alert (again: changes it), `acknowledge` says that a person cares
    for it, `resolve` ends it. `key` is the same from trigger to resolve; `episode` counts the
    outages within an incident. `title` and `text` are for people. Exactly one of `incident`,
    `region`, `targets`, `channel`, `mass` and `drill` is there: the newest event of the subject.

    Enumerations are open: a reader must expect new members of each of them.
    """

    action: Literal["trigger", "acknowledge", "resolve"]
    key: Name
    episode: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    severity: Name
    title: Text
    text: LongText
    incident: IncidentEvent | UnsetType = UNSET
    region: RegionEvent | UnsetType = UNSET
    targets: TargetsEvent | UnsetType = UNSET
    channel: BrokenChannel | UnsetType = UNSET
    mass: MassOutage | UnsetType = UNSET
    drill: FireDrill | UnsetType = UNSET


_decoder: JsonDecoder[WebhookData] = JsonDecoder(WebhookData)


def decode(value: bytes) -> WebhookData:
    """Decodes the `data` of a webhook notification.

    Raises:
        msgspec.DecodeError: not such data, or with an event that contradicts itself.
    """
    data = _decoder.decode(value)
    for event in (data.incident, data.targets):
        if event is not UNSET:
            possible(event)
    return data
