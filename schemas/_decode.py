"""JSON decoding with one kind of error, whatever the bytes are."""

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class JsonDecoder(Generic[T]):
    """A decoder of `T` that raises `msgspec.DecodeError` alone.

    msgspec's own also raises `UnicodeDecodeError` for a string that is no UTF-8 and
    `RecursionError` for deep nesting; one message would end a role that does not expect these.
    In unknown fields it accepts strings that are no UTF-8. This decoder wants UTF-8 everywhere, so
    that every role can store as text what another role accepted.
    """

    def __init__(self, kind: Any) -> None:
        """`kind` is `T`, or the union that `T` stands for."""
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)

    def decode(self, raw: bytes) -> T:
        """The value.

        Raises:
            msgspec.ValidationError: JSON, but no `T` (it is a `DecodeError` too).
            msgspec.DecodeError: not JSON.
        """
        try:
            str(raw, "utf-8")
            return self._decoder.decode(raw)
        except (UnicodeDecodeError, RecursionError) as error:
            raise msgspec.DecodeError(f"{type(error).__name__}: {error}") from error
