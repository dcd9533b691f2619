"""What types can't say of a field."""

from typing import Literal

from msgspec import Struct

Change = Literal[
    "another_target",
    "moved",
    "words",
    "dependencies",
    "criticality",
    "judged",
    "pace",
    "regions",
    "latency",
    "options",
    "warn_days",
    "reports",
    "enabled",
    "job_deadline",
    "job_clock",
    "audience",
    "messages",
    "channels",
    "fallback",
    "vantage",
    "window",
    "drill",
    "section",
]
"""What follows when the value of a field changes: see `portquorum.inventory.reference.changes`."""


class Fact(Struct, frozen=True, kw_only=True):
    """One field.

    `text`: its meaning, a sentence or two. `example`: a value in YAML's flow style. `beside`: the
    fields that such a value needs beside it, as `name: value, …`; with `host` and `port` of a
    target there unless `hostless`. `default`: what holds if nothing is written, in words, where it
    is no value of the code. `limits`: the least and the greatest value, where the type does not
    say them (lengths of time): as `(least, greatest)`.
    """

    text: str
    example: str
    change: Change
    default: str = ""
    limits: tuple[str, str] | None = None
    beside: str = ""
    hostless: bool = False


def fact(
    text: str,
    example: str,
    change: Change,
    *,
    default: str = "",
    limits: tuple[str, str] | None = None,
    beside: str = "",
    hostless: bool = False,
) -> Fact:
    """A fact on as few lines as it can have."""
    return Fact(
        text=text,
        example=example,
        change=change,
        default=default,
        limits=limits,
        beside=beside,
        hostless=hostless,
    )


Facts = dict[str, Fact]
"""Field, as it is written → what is known of it."""
