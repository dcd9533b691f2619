"""Constrained field types that more than one message uses."""

from typing import Annotated, Final, Literal

from msgspec import Meta

MAX_MILLIS: Final = 9_999_999_999_999
Millis = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_MILLIS,
        description="UTC milliseconds since 1970; the upper bound (year 2286) fits DateTime64(3)",
    ),
]
DurationMs = Annotated[int, Meta(ge=0, le=86_400_000, description="a span in milliseconds")]
LatencyMs = Annotated[
    float, Meta(ge=0, le=86_400_000, description="a measured span in milliseconds, to the µs")
]
Port = Annotated[int, Meta(ge=1, le=65535)]
TargetId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,127}\Z")]
RegionName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\Z")]
ProberName = Annotated[str, Meta(min_length=1, max_length=128)]
Host = Annotated[str, Meta(min_length=1, max_length=253)]
Kind = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]
ExpectedState = Literal["open", "closed"]
"""What a port should be: reachable, or not reachable from outside."""

Count = Annotated[int, Meta(ge=0, le=2**31 - 1, description="a count: 31 bits")]
"""The sum of all counts that a log can hold fits into 63 bits."""

LogOffset = Annotated[int, Meta(ge=0, le=2**63 - 1, description="an offset of Kafka's")]
EventId = Annotated[
    str, Meta(min_length=1, max_length=255, description="an id: 1 to 255 characters")
]
Name = Annotated[str, Meta(max_length=255, description="a name: 255 characters at most")]
Note = Annotated[str, Meta(max_length=500, description="a note: 500 characters at most")]
Text = Annotated[str, Meta(max_length=10_000, description="a text: 10,000 characters at most")]
LongText = Annotated[
    str, Meta(max_length=2**20, description="a text made of lists: 2^20 characters at most")
]
Names = Annotated[tuple[Name, ...], Meta(max_length=1_000)]
Texts = Annotated[tuple[Text, ...], Meta(max_length=100_000)]
LongTexts = Annotated[tuple[LongText, ...], Meta(max_length=100_000)]
