"""How often a check that failed is made again, and how long that takes."""

from typing import Final

RETRIES: Final = 1
RETRIES_OF_ONE_REGION: Final = 2
"""A single region has nobody to contradict it: a third attempt does (docs/rules.md, rule 2)."""


def default_retries(regions: int, interval_ms: int, timeout_ms: int, retry_delay_ms: int) -> int:
    """The retries of a target without written ones.

    A target of one region gets `RETRIES_OF_ONE_REGION`, if a series of that many fits within its
    interval.
    """
    longest_ms = series_ms(RETRIES_OF_ONE_REGION, timeout_ms, retry_delay_ms)
    return RETRIES_OF_ONE_REGION if regions == 1 and longest_ms <= interval_ms else RETRIES


def series_ms(retries: int, timeout_ms: int, retry_delay_ms: int) -> int:
    """The longest time that a check and its retries take, in ms."""
    return (retries + 1) * timeout_ms + retries * retry_delay_ms
