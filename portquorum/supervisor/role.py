"""What the supervisor keeps running."""

import enum
import sys
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field


class Stage(enum.IntEnum):
    """When a role is stopped: lower numbers first, the same number at the same time.

    Who writes stops before who reads it, so that what was measured is decided on, stored and told
    before the services go.
    """

    PROBERS = 0
    STREAM = 1
    READERS = 2
    SERVICES = 3


class Role(Struct, frozen=True, kw_only=True):
    """A child process: its name for people, its command line, and when it is stopped.

    `env` is set over the supervisor's own environment.
    """

    name: str
    argv: tuple[str, ...]
    stage: Stage
    env: Mapping[str, str] = field(default_factory=dict)


COMMAND: Final = (sys.executable, "-m", "portquorum.cli")
"""The command line program, of the same interpreter and thus of the same environment."""


def portquorum_role(name: str, *arguments: str, stage: Stage, env: Mapping[str, str]) -> Role:
    """The role that `portquorum ARGUMENTS` is."""
    return Role(name=name, argv=(*COMMAND, *arguments), stage=stage, env=env)
