"""Programs in other languages, built from copies of their sources, with their packages.

A program is built once a machine: in a cache of ours, by its source and the tool, so that tests of
several files and processes that use one do not build it again. A missing tool skips a test, or
fails it under `PORTQUORUM_TEST_ALL`.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.installed import missing

_BUILD_S: Final = 400
"""Most seconds for a build, the first one with all that it fetches."""


def go_program(source: Path, folder: Path) -> list[str]:
    """The command of a Go module of one main package; a link in `folder`."""
    _need("go")

    def build(copy: Path, to: Path) -> None:
        _run(["go", "build", "-o", str(to / "program"), "."], copy)

    return [str(_link(folder / f"{source.name}.bin", _built("go", source, build) / "program"))]


def node_program(source: Path, folder: Path, main: str) -> list[str]:
    """The command of the file `main` of an npm package with a lock file."""
    _need("node", "npm")
    lock = (source / "package-lock.json").read_bytes()
    cache = _cache() / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    with _one_at_a_time(cache.name):
        if not (cache / "whole").exists():
            cache.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(source / name, cache)
            _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cache)
            (cache / "whole").touch()
    ignored = shutil.ignore_patterns("node_modules")
    copy = shutil.copytree(source, folder / source.name, dirs_exist_ok=True, ignore=ignored)
    (copy / "node_modules").symlink_to(cache / "node_modules")
    return ["node", str(copy / main)]


def java_program(source: Path, folder: Path, main: str) -> list[str]:
    """The command of the class `main` of a Maven project; its classes are a link in `folder`."""
    _need("java", "javac", "mvn")
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"

    def build(copy: Path, to: Path) -> None:
        listed = to / "classpath"
        _run(["mvn", "-q", "-B", "compile", goal, f"-Dmdep.outputFile={listed}"], copy)
        classes = copy / "target" / "classes"
        classes.mkdir(parents=True, exist_ok=True)  # a project of libraries alone has none
        classes.rename(to / "classes")

    built = _built("javac", source, build)
    classes = _link(folder / f"{source.name}.classes", built / "classes")
    path = f"{classes}{os.pathsep}{_classpath(built).strip()}"
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", path, main]


def _link(link: Path, to: Path) -> Path:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(to)
    return link


def _classpath(built: Path) -> str:
    listed = built / "classpath"
    return listed.read_text() if listed.exists() else ""


def _is_whole(built: Path) -> bool:
    """Whether a build came to its end, and its jars (in Maven's cache) are still there."""
    jars = [jar for jar in _classpath(built).strip().split(os.pathsep) if jar]
    return (built / "whole").exists() and all(Path(jar).exists() for jar in jars)


def _built(tool: str, source: Path, build: Callable[[Path, Path], None]) -> Path:
    """The folder into which `build(copy of the source, folder)` built, now or earlier."""
    found = hashlib.sha256(str(_version(tool)).encode())
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_file() and name.parts[0] != "target":
            content = path.read_bytes()
            found.update(f"{name}\0{len(content)}\0".encode() + content)
    folder = _cache() / f"built-{tool}-{found.hexdigest()[:16]}"
    with _one_at_a_time(tool):
        if not _is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            ignored = shutil.ignore_patterns("target")
            copy = shutil.copytree(source, folder / "source" / source.name, ignore=ignored)
            build(copy, folder)
            shutil.rmtree(folder / "source")
            (folder / "whole").touch()
    return folder


@functools.cache
def _version(tool: str) -> str:
    """What the tool says of itself, and where it is."""
    word = "version" if tool == "go" else "-version"
    done = subprocess.run(
        [tool, word], capture_output=True, text=True, timeout=_BUILD_S, check=True
    )
    return f"{os.path.realpath(shutil.which(tool) or tool)} {done.stdout}{done.stderr}"


def _need(*names: str) -> None:
    for name in names:
        if not shutil.which(name):
            missing(name)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "portquorum"


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_BUILD_S, check=False
    )
    said = f"{' '.join(command)}: {done.stdout[-4_000:]}{done.stderr[-4_000:]}"
    assert done.returncode == 0, said
