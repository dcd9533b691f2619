"""An answer as JSON with its ETag."""

import hashlib
from typing import TypeVar

import msgspec
from litestar import Response
from msgspec import Struct
from msgspec.structs import replace

from portquorum.web.answers import Freshness

T = TypeVar("T", bound=Struct)


def answered(value: T) -> Response[T]:
    """An answer. Its ETag leaves out how old the data are: that alone is no change.

    The age is in the header `Portquorum-Data-At` (UTC ms), also of a 304.
    """
    headers = {"ETag": etag(value)}
    fresh = getattr(value, "freshness", None)
    if isinstance(fresh, Freshness) and fresh.data_at is not None:
        headers["Portquorum-Data-At"] = str(fresh.data_at)
    return Response(value, media_type="application/json", headers=headers)


def etag(value: Struct) -> str:
    """A weak ETag (RFC 9110, section 8.8.3): equal answers of any web process have the same."""
    fresh = getattr(value, "freshness", None)
    compared = value
    if isinstance(fresh, Freshness):
        ageless = replace(fresh, now=0, data_at=None, status_at=None, position="")
        compared = replace(value, freshness=ageless)
    digest = hashlib.blake2b(msgspec.json.encode(compared), digest_size=12).hexdigest()
    return f'W/"{digest}"'
