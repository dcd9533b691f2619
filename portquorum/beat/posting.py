"""One request; imported in the sender's thread, since it takes longer than all others together."""

import contextlib
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from portquorum.beat.sent import Sent

_LONGEST_WAIT_S: Final = 30.0
_TAKEN: Final = frozenset({b"OK", b"Created"})
"""What a receiver says (and Healthchecks): a proxy's page of sign-in is 200, too."""


def post(report: Sent, within_s: float) -> tuple[int, float]:
    """Sends a report; returns the status, and for how long the receiver asks to wait.

    Raises:
        OSError: nobody answered, or no receiver; the text has no secret.
    """
    request = Request(  # noqa: S310 - http and https alone, see words.py
        report.url,
        data=report.body,
        method="POST",
        headers={"Content-Type": "text/plain; charset=utf-8", "User-Agent": "portquorum-beat"},
    )
    try:
        with urlopen(request, timeout=within_s) as answer:  # noqa: S310
            if answer.read(1000).strip() not in _TAKEN:
                raise OSError("what answers at this address is no receiver")
            return int(answer.status), 0.0
    except HTTPError as error:
        with error:
            return error.code, _wait_s(error.headers.get("Retry-After", ""))
    except URLError as error:
        raise OSError(f"no answer from the receiver: {error.reason}") from None
    except HTTPException as error:
        raise OSError(f"no answer from the receiver: {type(error).__name__}") from None


def _wait_s(text: str) -> float:
    with contextlib.suppress(ValueError):
        return min(max(0.0, float(text)), _LONGEST_WAIT_S)
    return 0.0
