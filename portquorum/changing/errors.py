"""The one error of a change that was not made."""

from collections.abc import Sequence
from http import HTTPStatus

from msgspec import Struct


class FieldError(Struct, frozen=True, kw_only=True):
    """One wrong parameter: its name, and what was expected and found, in one sentence."""

    field: str
    message: str


class ChangeError(Exception):
    """A change that was not made; handlers turn it into a problem, forms show it at the field.

    `status`: 400 (wrong content), 403 (beyond the limits), 404, 409 (somebody else was first, or it
    belongs to a file), 412 (If-Match), 428 (a version is needed), 503 (Kafka is away). `version` is
    the present one after a 409 or 412.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        version: int | None = None,
    ) -> None:
        """`detail` is one sentence; `errors` name fields by their path (`probe.path`)."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.version = version
