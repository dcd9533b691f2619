"""`/healthz`: whether this process answers."""

from litestar import Response, get

from portquorum.web.access.needs import needs


@get("/healthz", include_in_schema=False, opt=needs("public"))
async def healthz() -> Response[str]:
    """Answers as long as the process does; whether it is blind is in each answer of the API."""
    return Response("ok\n", media_type="text/plain", headers={"Cache-Control": "no-store"})
