"""Options that are values in an inventory, and the text of JSON in the published form.

A value of YAML has no place in a message of fixed types; its JSON text has.
"""

import json
from collections.abc import Callable
from typing import Any, Final

Place = tuple[str, ...]
"""The path of such an option within `probe:`; `*` stands for each item of a list."""

MOST_CHARACTERS: Final = 2**20
"""The longest JSON text (`schemas._types.LongText`)."""

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class NoJsonError(ValueError):
    """A value has no JSON text; `path` is that of the option."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


def text_of(value: Any) -> str:
    """The JSON text of a value, as short as it can be.

    Raises:
        ValueError: JSON has no such value, or its text is too long.
    """
    pieces: list[str] = []
    length = 0
    # Piece by piece: a few aliases of YAML may stand for a text that no memory holds.
    for piece in _encoder.iterencode(value):
        length += len(piece)
        if length > MOST_CHARACTERS:
            text = f"expected a value of at most {MOST_CHARACTERS:,} characters of JSON"
            raise ValueError(f"{text}, found a longer one")
        pieces.append(piece)
    return "".join(pieces)


def with_texts(values: dict[str, Any], places: tuple[Place, ...]) -> dict[str, Any]:
    """A copy of an inventory's options, with JSON texts at `places`.

    What is not there, or no list where one should be, stays as it is: the types say so then.

    Raises:
        NoJsonError: JSON has no such value.
    """
    for place in places:
        values = _changed(values, place, _packed, ())
    return values


def with_values(values: dict[str, Any], places: tuple[Place, ...]) -> dict[str, Any]:
    """The opposite of `with_texts`.

    Raises:
        ValueError: a text there is no JSON.
    """
    for place in places:
        values = _changed(values, place, _unpacked, ())
    return values


def _changed(
    found: Any, place: Place, change: Callable[[Any, tuple[str | int, ...]], Any], at: Any
) -> Any:
    if not place:
        return change(found, at)
    name, rest = place[0], place[1:]
    if name == "*" and isinstance(found, list | tuple):
        return [_changed(one, rest, change, (*at, number)) for number, one in enumerate(found)]
    if isinstance(found, dict) and name in found:
        return {**found, name: _changed(found[name], rest, change, (*at, name))}
    return found


def _packed(value: Any, at: tuple[str | int, ...]) -> str:
    try:
        return text_of(value)
    except (ValueError, RecursionError) as error:
        text = str(error)
        if text.startswith("Out of range"):
            text = "expected a number that JSON has, found one without end"
        raise NoJsonError(at, text) from error


def _unpacked(text: Any, _: tuple[str | int, ...]) -> Any:
    return json.loads(text) if isinstance(text, str) else text
