"""A request, and what was understood of it."""

from msgspec import Struct, structs

from portquorum.receiver.report import Job, Report, output_of
from schemas.web import ShareKey


class Request(Struct, frozen=True, kw_only=True):
    """A request for a path of the receiver: what stands behind the API's beginning, and the rest.

    `token` is that of `Authorization: Bearer`, None without such a header.
    """

    method: str
    parts: tuple[str, ...]
    query: dict[str, str]
    token: str | None = None


class NewJob(Struct, frozen=True, kw_only=True):
    """A job that is to be made for its first report (`create=1`); `id` is of small letters."""

    id: str
    key: ShareKey


class Understood(Struct, frozen=True, kw_only=True):
    """A report of a job, but for what the body says; `secret` is what let it in."""

    job: Job | NewJob
    report: Report
    secret: str
    has_output: bool = False
    """Whether the body is what the job said."""

    def with_body(self, text: str) -> Report:
        """The whole report."""
        if not self.has_output:
            return self.report
        return structs.replace(self.report, output=output_of(text, self.secret))

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Understood({self.job.id!r}, {self.report.signal!r})"
