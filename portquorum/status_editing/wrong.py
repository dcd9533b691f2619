"""What is wrong with a page or a post, collected field by field."""

from http import HTTPStatus

from portquorum.changing.errors import ChangeError, FieldError
from schemas.plain_text import one_line, plain

MOST_ERRORS = 50


class Wrongs:
    """Errors of the fields of one request."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        """One more; after `MOST_ERRORS` others say nothing new."""
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(FieldError(field=field, message=message))

    def line(self, field: str, text: str, most: int, *, needed: bool = False) -> str:
        """One line of a person's text, without blanks around it."""
        return self._text(field, one_line(text).strip(), most, needed=needed)

    def text(self, field: str, text: str, most: int, *, needed: bool = False) -> str:
        """A text of several lines."""
        return self._text(field, plain(text.replace("\r\n", "\n")).strip(), most, needed=needed)

    def refuse(self) -> None:
        """Ends the request if anything is wrong.

        Raises:
            ChangeError: 400 with all errors.
        """
        if self.errors:
            said = "; ".join(f"{one.field}: {one.message}" for one in self.errors[:5])
            raise ChangeError(HTTPStatus.BAD_REQUEST, said, errors=self.errors)

    def _text(self, field: str, text: str, most: int, *, needed: bool) -> str:
        if len(text) > most:
            self.add(field, f"expected at most {most} characters, found {len(text)}")
        elif needed and not text:
            self.add(field, "expected some text, found none")
        return text[:most]
