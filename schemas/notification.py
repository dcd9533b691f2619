"""The notification log on [notifications]: one record for each event and channel."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas._types import Millis, Name, Text
from schemas.json_decoder import JsonDecoder

MOST_ATTEMPTS: Final = 2**31 - 1
NotificationStatus = Literal["sent", "retrying", "dead"]


class Notification(Struct, frozen=True, gc=False, kw_only=True):
    """The delivery status of one event on one channel; the key is `event_id/channel`.

    `channel` names one URL of a route without its secrets (`route/position/scheme`). `sent` means
    that the channel confirmed; `dead` that it never did and the notifier gave up: people must see
    it. `group` is the id of the message; events of one message share it. `at` is the notifier's
    clock, UTC ms.
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
