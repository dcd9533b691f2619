"""The notification log on [notifications]: one record for each event and channel."""

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas._types import Millis, Name, Text
from schemas.json_decoder import JsonDecoder

MOST_ATTEMPTS: Final = 2**31 - 1
NotificationStatus = Literal["sent", "retrying", "dead", "not_sent"]


class Notification(Struct, frozen=True, gc=False, kw_only=True):
    """The delivery status of one event on one channel; the key is `event_id/channel`.

    `channel` names one URL of a route without its secrets (`route/id/scheme`, before 0.2
    `route/position/scheme`); it is empty where no channel was chosen. `sent` means that the channel
    confirmed; `dead` that it never did and the notifier gave up: people must see it. `not_sent`
    means that nothing was to be sent, and `why` says why. `action` is what the channel was given:
    `opened`, `worsened`, `improved`, `updated`, `closed`, `missed`, `reminder` in words, `trigger`,
    `acknowledge`, `resolve` in an on-call system. `attempt` is 1 for `not_sent`. `group` is the id
    of the message; events of one message share it. `at` is the notifier's clock, UTC ms.
    """

    event_id: Name
    incident_id: Name
    event: Name
    target: Name
    team: Name | None
    route: Name
    channel: Text
    severity: Name
    status: NotificationStatus
    attempt: Annotated[int, Meta(ge=1, le=MOST_ATTEMPTS)]
    at: Millis
    event_at: Millis
    subject: Text
    group: Name
    error: Text | None = None
    why: Text | UnsetType = UNSET
    action: Name | UnsetType = UNSET

    @property
    def key(self) -> bytes:
        """The message key."""
        return notification_key(self.event_id, self.channel)


def notification_key(event_id: str, channel: str) -> bytes:
    """The message key of an event's delivery on a channel."""
    return f"{event_id}/{channel}".encode()


_decoder: JsonDecoder[Notification] = JsonDecoder(Notification)


def decode(value: bytes) -> Notification:
    """Decodes a value of [notifications].

    Raises:
        msgspec.DecodeError: not a notification.
    """
    return _decoder.decode(value)
