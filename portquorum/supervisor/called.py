"""The command for this program in the user's shell."""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

NAME: Final = "portquorum"


def called() -> str:
    """`portquorum` if the PATH leads to this one, else a path that does (`.venv/bin/portquorum`).

    Hints are for copying: after `make demo` the program is in an environment that the shell does
    not know.
    """
    ours = Path(sys.executable).with_name(NAME)
    found = shutil.which(NAME)
    if not ours.exists() or (found and Path(found).resolve() == ours.resolve()):
        return NAME
    near = os.path.relpath(ours)
    return str(ours) if near.startswith("..") else near
