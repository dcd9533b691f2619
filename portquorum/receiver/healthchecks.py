"""The pinging API of Healthchecks: https://healthchecks.io/docs/http_api/. Pure."""

from typing import Final

from portquorum.receiver import answers
from portquorum.receiver.answers import RefusedError
from portquorum.receiver.asked import BadUrlError, Ending, ending_of, run_of
from portquorum.receiver.lookup import AmbiguousError, Lookup, NotFoundError
from portquorum.receiver.report import Job, Report, duration_ms
from portquorum.receiver.request import NewJob, Request, Understood

METHODS: Final = ("GET", "HEAD", "POST", "PUT")
_MOST_PARTS: Final = 3
"""`KEY/NAME/ENDING`"""


def understood(request: Request, lookup: Lookup) -> Understood:
    """What is reported, of which job. `ms` in the query is the duration: ours alone.

    Raises:
        RefusedError: nothing that can be taken.
        NotReadyError: see `Lookup.key`.
    """
    if request.method not in METHODS:
        raise RefusedError(answers.not_allowed(*METHODS))
    try:
        job, ending = _job_of(request.parts, lookup, creates=request.query.get("create") == "1")
        end = _ending(ending)
        run = run_of(request.query)
    except NotFoundError:
        raise RefusedError(answers.NOT_FOUND) from None
    except AmbiguousError:
        raise RefusedError(answers.AMBIGUOUS) from None
    except BadUrlError as error:
        raise RefusedError(answers.said(400, str(error))) from None
    report = Report(
        surface="healthchecks",
        signal=end.signal,
        exit_code=end.exit_code,
        run=run,
        total_ms=duration_ms(request.query.get("ms", "")),
        detail=f"exit code {end.exit_code}" if end.exit_code else None,
    )
    return Understood(job=job, report=report, secret=request.parts[0], has_output=True)


def _job_of(parts: tuple[str, ...], lookup: Lookup, *, creates: bool) -> tuple[Job | NewJob, str]:
    """The job of `SECRET[/ENDING]` or `KEY/NAME[/ENDING]`, and the ending.

    `creates`: a name that is free is that of a new job.

    Raises:
        NotFoundError, AmbiguousError: as the lookup says.
        BadUrlError: a name with capital letters.
    """
    if not 1 <= len(parts) <= _MOST_PARTS:
        raise NotFoundError
    key = lookup.key(parts[0])
    if key.about is not None:
        if len(parts) == _MOST_PARTS:
            raise NotFoundError
        return lookup.only(key), "".join(parts[1:])
    if len(parts) == 1:
        raise NotFoundError
    if parts[1] != parts[1].lower():
        raise BadUrlError("invalid url format")
    ending = "".join(parts[2:])
    try:
        return lookup.by_slug(key, parts[1]), ending
    except NotFoundError:
        if not creates or not lookup.is_free(parts[1]):
            raise
        return NewJob(id=parts[1], key=key), ending


def _ending(text: str) -> Ending:
    found = ending_of(text)
    if found is None:
        raise NotFoundError
    return found
