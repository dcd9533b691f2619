"""External endpoints of Gatus: `POST /api/v1/endpoints/KEY/external`. Pure.

Its api/external_endpoint.go says what it answers.
"""

from portquorum.receiver import answers
from portquorum.receiver.answers import RefusedError, said
from portquorum.receiver.asked import go_duration_ms
from portquorum.receiver.lookup import AmbiguousError, Lookup, NotFoundError
from portquorum.receiver.report import Job, Report, bounded_ms, detail_of, output_of
from portquorum.receiver.request import Request, Understood


def understood(request: Request, lookup: Lookup) -> Understood:
    """What is reported, of which job.

    Raises:
        RefusedError: nothing that can be taken.
        NotReadyError: see `Lookup.key`.
    """
    if request.method != "POST":
        raise RefusedError(answers.not_allowed("POST"))
    query = request.query
    success = query.get("success")
    if success not in {"true", "false"}:
        raise RefusedError(said(400, "missing or invalid success query parameter"))
    secret = _token(request)
    job = _job_of(secret, request.parts[0], lookup)
    took_ms = _duration(query.get("duration", ""))
    error = "" if success == "true" else query.get("error", "")
    report = Report(
        surface="gatus",
        signal="success" if success == "true" else "fail",
        total_ms=took_ms,
        output=output_of(error, secret),
        detail=detail_of(error, secret),
    )
    return Understood(job=job, report=report, secret=secret)


def _token(request: Request) -> str:
    if request.token is None:
        raise RefusedError(said(401, "invalid Authorization header"))
    if not request.token:
        raise RefusedError(said(401, "bearer token must not be empty"))
    return request.token


def _job_of(secret: str, name: str, lookup: Lookup) -> Job:
    try:
        key = lookup.key(secret)
    except NotFoundError:
        raise RefusedError(said(401, "invalid token")) from None
    try:
        return lookup.by_gatus_key(key, name.lower())
    except NotFoundError:
        raise RefusedError(answers.NOT_FOUND) from None
    except AmbiguousError:
        raise RefusedError(said(409, "ambiguous key")) from None


def _duration(text: str) -> float | None:
    if not text:
        return None
    found = go_duration_ms(text)
    if found is None:
        raise RefusedError(said(400, "invalid duration"))
    return bounded_ms(found) if found else None
