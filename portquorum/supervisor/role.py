"""The roles that the supervisor keeps running."""

import enum
import sys
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field


class Stage(enum.IntEnum):
    """The order of stopping roles: lower numbers first, equal numbers at the same time.

    A writer stops before its readers, so that all measurements are judged, stored and announced
    before the services stop.
    """

    PROBERS = 0
    STREAM = 1
    READERS = 2
    SERVICES = 3


class Role(Struct, frozen=True, kw_only=True):
    """A child process: its name for people, its command line, and its stage of stopping.

    `env` is added to the supervisor's own environment. It inherits the descriptors `fds`, with the
    same numbers, each time it is started.
    """

    name: str
    argv: tuple[str, ...]
    stage: Stage
    env: Mapping[str, str] = field(default_factory=dict)
    fds: tuple[int, ...] = ()


COMMAND: Final = (sys.executable, "-m", "portquorum.cli")
"""The command line program of the same interpreter, and thus of the same environment."""


def portquorum_role(
    name: str, *arguments: str, stage: Stage, env: Mapping[str, str], fds: tuple[int, ...] = ()
) -> Role:
    """The role of `portquorum ARGUMENTS`."""
    return Role(name=name, argv=(*COMMAND, *arguments), stage=stage, env=env, fds=fds)
