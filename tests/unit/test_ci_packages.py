"""What the tests start comes with a package that `.ci/run` installs.

A program that is on a developer's machine for another reason hides a missing install step.
"""

import ast
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ELSEWHERE = {
    "java",  # zookeeper's, or the machine's own
    "node",  # Node.js and Go: wheels where Debian's are too old
    "npm",
    "openssl",  # a part of every Debian image with certificates
}
"""Programs that `.ci/run` gets in another way, or only where they are missing."""


@functools.cache
def _started() -> list[tuple[str, str]]:
    return list(_named_by_a_literal())


def _named_by_a_literal() -> Iterator[tuple[str, str]]:
    """The programs that tests outside of the wide run name by a literal, with the file."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        file = str(path.relative_to(ROOT))
        if file.startswith("tests/wide/"):
            continue
        text = path.read_bytes()
        if b"program(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(
                    func=ast.Name(id="program"), args=[ast.Constant(value=str(name)), *_]
                ):
                    yield name, file


def _packages() -> set[str]:
    """The packages of `.ci/run` by their names."""
    text = (ROOT / ".ci" / "run").read_text()
    lists = re.findall(r"^packages\+?=\(([^)]*)\)", text, re.MULTILINE)
    return {name for names in lists for name in names.split()}


@functools.cache
def _brought() -> frozenset[str]:
    """These packages with all that they depend on."""
    done = subprocess.run(
        ["apt-cache", "depends", "--recurse", "--important", *sorted(_packages())],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return frozenset(line.strip() for line in done.stdout.splitlines() if line[:1].strip())


@functools.cache
def _owner(program: str) -> str | None:
    """The installed Debian package of a program; None: not installed, or by other means."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        return None
    for place in (path, os.path.realpath(path), path.removeprefix("/usr")):
        done = subprocess.run(
            ["dpkg-query", "--search", place], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return done.stdout.split(":")[0].split(",")[0]
    return None


def test_the_lists_are_found() -> None:
    assert {"redis-server", "nginx-light", "kcat"} <= _packages()
    assert {"redis-server", "nginx"} <= {name for name, _ in _started()}


@pytest.mark.skipif(
    shutil.which("apt-cache") is None or shutil.which("dpkg-query") is None, reason="not a Debian"
)
def test_every_program_that_a_test_starts_is_installed_by_ci() -> None:
    brought = _brought()
    if "redis-server" not in brought:
        pytest.skip("apt has no lists of packages: apt-get update")
    lacking = {}
    for name, file in _started():
        owner = _owner(name)
        if name not in _ELSEWHERE and owner is not None and owner not in brought:
            lacking[name] = (owner, file)
    assert not lacking, f"not in .ci/run: {lacking}"
