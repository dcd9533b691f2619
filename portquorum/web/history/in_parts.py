"""An answer in parts, each of which may be had or not."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError


async def had(questions: Mapping[str, Awaitable[Any]]) -> tuple[dict[str, Any], str | None]:
    """The answers that could be had, and why the others could not; asked beside each other.

    None of them if ClickHouse is away: those that are kept from before would stand, without their
    age, under the sentence that there is no history.
    """
    found = await asyncio.gather(*questions.values(), return_exceptions=True)
    trouble, is_away = None, False
    for one in found:
        if isinstance(one, HistoryUnavailableError | HistoryTooSlowError):
            away = isinstance(one, HistoryUnavailableError)
            trouble = str(one) if trouble is None or (away and not is_away) else trouble
            is_away = is_away or away
        elif isinstance(one, BaseException):
            raise one
    if is_away:
        return {}, trouble
    answers = zip(questions, found, strict=True)
    return {name: one for name, one in answers if not isinstance(one, BaseException)}, trouble
