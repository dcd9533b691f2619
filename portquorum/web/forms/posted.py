"""What somebody has sent with a form, as text; nothing in it is believed."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from portquorum.web.problem import ProblemError

_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 500


class Posted:
    """The parameters of a form by name, in their order."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, usual: str = "") -> str:
        """The text of a field without blanks around it; `usual` if it was not sent."""
        return self.raw(name, usual).strip()

    def raw(self, name: str, usual: str = "") -> str:
        """The text of a field as it was typed, lines ended by a line feed."""
        found = self._values.get(name)
        return usual if found is None else found[-1].replace("\r\n", "\n")

    def all(self, name: str) -> list[str]:
        """All values of a field that are not blank."""
        return [one.strip() for one in self._values.get(name, ()) if one.strip()]

    def flag(self, name: str) -> bool:
        """Whether a box is checked."""
        return self.text(name) == "1"

    def lines(self, name: str) -> tuple[str, ...]:
        """The texts of a field that takes several: one a line, or with commas between."""
        found = (
            one.strip() for text in self.all(name) for one in text.replace(",", "\n").split("\n")
        )
        return tuple(dict.fromkeys(one for one in found if one))


def posted(body: bytes, content_type: str) -> Posted:
    """The parameters of a body.

    Raises:
        ProblemError: 400, 415: it is none of a form.
    """
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"expected a form ({_FORM}), found something else"
        )
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "expected the parameters of a form in UTF-8, found others"
        ) from error
    return Posted(pairs)


def filled(values: Mapping[str, str]) -> Posted:
    """What a form would send with these values."""
    return Posted(list(values.items()))
