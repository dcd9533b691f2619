"""Secrets of checks that a prober lacks, or may not send where its targets lead."""

from typing import Annotated, Final

from msgspec import Meta

from schemas._types import Name

MOST_VARIABLES: Final = 20
"""The most variables that are named at once; the first by name."""
MOST_TARGETS: Final = 5
"""The most targets that are named for each of them; the first by name."""

SecretName = Annotated[
    str,
    Meta(
        pattern=r"^PORTQUORUM_SECRET_[A-Z0-9_]{1,100}\Z",
        description="the name of a variable in a prober's environment",
    ),
]
NeededBy = Annotated[tuple[Name, ...], Meta(max_length=MOST_TARGETS)]
MissingSecrets = Annotated[dict[SecretName, NeededBy], Meta(max_length=MOST_VARIABLES)]
"""The names of variables, each with names of targets that need it."""
