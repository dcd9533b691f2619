"""Constrained field types that more than one message uses."""

from typing import Annotated

from msgspec import Meta

Millis = Annotated[
    int,
    Meta(
        ge=0,
        le=9_999_999_999_999,
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
