"""JSON decoding with one kind of error, whatever the bytes are."""

from typing import Any, Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

DECODE_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All errors that a decoder of msgspec raises: not JSON or no `T`, no UTF-8, too deeply nested."""


class JsonDecoder(Generic[T]):
    """A decoder of `T` that raises `msgspec.DecodeError` alone; callers catch only this error.

    A decoder of msgspec also raises `UnicodeDecodeError` for a string that is no UTF-8 and
    `RecursionError` for deep nesting, and one such message would end a role that does not expect
    them. It accepts a string that is no UTF-8 in an unknown field. Here the whole value must be
    UTF-8, so that every role can store as text what another role accepts.
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
        except msgspec.DecodeError:
            raise
        except DECODE_ERRORS as error:
            raise msgspec.DecodeError(f"{type(error).__name__}: {error}") from error
