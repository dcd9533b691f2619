"""Kafka's jars: fetched once from Maven Central, cached, then used without a network."""

import fcntl
import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from portquorum.embedded.service.errors import EmbeddedServiceError, extra_missing, storage_error
from portquorum.embedded.service.reports import OnProgress, Progress

if TYPE_CHECKING:
    from jgo.maven import Artifact

KAFKA_VERSION: Final = "4.2.1"
COORDINATES: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # Without a binding slf4j drops Kafka's log. "!" keeps log4j's parent from deciding Kafka's
    # own versions (it would put kafka-clients 3.9 in).
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!",
)
REPOSITORY_VARIABLE: Final = "PORTQUORUM_MAVEN"
_STEP: Final = f"fetching Kafka {KAFKA_VERSION} (once)"


class Pin(msgspec.Struct, frozen=True):
    """A jar with the checksum that this version of portquorum expects."""

    name: str
    bytes: int
    sha256: str


def pins() -> dict[str, Pin]:
    """All jars that Kafka runs on, by file name."""
    text = files("portquorum.embedded.kafka").joinpath("kafka_jars.txt").read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {name: Pin(name, int(size), sha256) for sha256, size, name in rows}


def cache_dir(env: Mapping[str, str] = os.environ) -> Path:
    """`$PORTQUORUM_CACHE`, else `$XDG_CACHE_HOME/portquorum`, else `~/.cache/portquorum`."""
    if explicit := env.get("PORTQUORUM_CACHE"):
        return Path(explicit).expanduser()
    base = env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "portquorum"


def class_path(cache: Path, on_progress: OnProgress) -> list[Path]:
    """The jars in the cache; fetches missing ones.

    Uses no network if all are there. Resumes an interrupted fetch; concurrent processes wait for
    each other; never uses a jar with another SHA-256 than the pinned one.

    Raises:
        EmbeddedServiceError: no network, a jar with the wrong checksum, no space.
    """
    wanted = pins()
    folder = cache / f"kafka-{KAFKA_VERSION}"
    # The folder appears under this name only when it is complete; sizes are looked at because
    # people clean caches by hand.
    if not _complete(folder, wanted):
        try:
            with _alone(cache):
                if not _complete(folder, wanted):
                    _fetch(cache, folder, wanted, on_progress)
        except OSError as error:
            raise storage_error(error, cache) from error
    return sorted(folder / name for name in wanted)


def _complete(folder: Path, wanted: Mapping[str, Pin]) -> bool:
    try:
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
    except FileNotFoundError:
        return False
    return all(sizes.get(pin.name) == pin.bytes for pin in wanted.values())


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(cache: Path, folder: Path, wanted: Mapping[str, Pin], on_progress: OnProgress) -> None:
    repository = cache / f"kafka-{KAFKA_VERSION}.maven"
    staging = cache / f"kafka-{KAFKA_VERSION}.new"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    for name, path in _download(repository, wanted, on_progress).items():
        shutil.copy(path, staging / name)
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    shutil.rmtree(repository, ignore_errors=True)


def _download(
    repository: Path, wanted: Mapping[str, Pin], on_progress: OnProgress
) -> dict[str, Path]:
    """The verified jars in jgo's repository, by file name."""
    try:
        import requests  # noqa: PLC0415 (of the extra, and only needed to fetch)
    except ImportError as error:
        raise extra_missing("jgo") from error
    on_progress(Progress(_STEP))
    try:
        artifacts = _resolve(repository, _Meter(wanted, on_progress))
        jars = _verified(artifacts, wanted)
    except requests.RequestException as error:
        raise _unreachable(error, repository.parent) from error
    except (OSError, EmbeddedServiceError):
        raise
    except Exception as error:
        # jgo has no errors of its own, and a half-written POM of an interrupted run looks like
        # any other trouble: the next try starts from nothing.
        shutil.rmtree(repository, ignore_errors=True)
        raise _unreachable(error, repository.parent) from error
    if missing := wanted.keys() - jars.keys():
        raise EmbeddedServiceError(
            f"the Maven repository did not name {', '.join(sorted(missing))} as parts of Kafka "
            f"{KAFKA_VERSION}; {_other_repository()}"
        )
    return jars


class _Meter:
    """Reports fetched bytes, at most once for each percent."""

    def __init__(self, wanted: Mapping[str, Pin], on_progress: OnProgress) -> None:
        self._wanted = wanted
        self._on_progress = on_progress
        self._total = sum(pin.bytes for pin in wanted.values())
        self._done = 0
        self._told = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Called from several threads."""
        with self._lock:
            self._done += count
            if self._done - self._told >= self._total // 100:
                self._told = self._done
                self._on_progress(Progress(_STEP, min(self._done, self._total), self._total))

    @contextmanager
    def file(self, name: str, _size: int) -> Iterator[Callable[[int], None]]:
        """The callback of jgo for each file that it fetches."""
        yield self.add if name in self._wanted else lambda _count: None


def _resolve(repository: Path, meter: _Meter) -> "list[Artifact]":
    try:
        from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415 (0.2 s, only to fetch)
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415
        from jgo.parse import Coordinate  # noqa: PLC0415
    except ImportError as error:
        raise extra_missing("jgo") from error
    # It warns of a checksum that does not match; the pins decide that, with an error.
    logging.getLogger("jgo").setLevel(logging.ERROR)
    # The resolver alone: jgo.build would also fetch a whole JDK from elsewhere, to tell jars that
    # are modules from others.
    context = MavenContext(
        resolver=PythonResolver(progress_callback=meter.file),
        repo_cache=repository,
        remote_repos={"central": os.environ.get(REPOSITORY_VARIABLE) or MAVEN_CENTRAL_URL},
        timeout=30,
    )
    inputs, transitive = context.resolver.resolve(
        [
            context.create_dependency(replace(Coordinate.parse(text), scope="compile"))
            for text in COORDINATES
        ]
    )
    return [
        dependency.artifact
        for dependency in [*inputs, *transitive]
        if dependency.scope in {"compile", "runtime"}
    ]


def _verified(artifacts: "list[Artifact]", wanted: Mapping[str, Pin]) -> dict[str, Path]:
    def get(artifact: "Artifact") -> tuple[str, Path]:
        name = artifact.filename
        path = Path(artifact.resolve())
        if not _matches(path, wanted[name]):
            # Half of a jar, from a run that was interrupted: once more, from the beginning.
            path.unlink()
            path = Path(artifact.resolve())
        if not _matches(path, wanted[name]):
            path.unlink()
            raise EmbeddedServiceError(
                f"{name} from the Maven repository is not the file that it should be (SHA-256 "
                f"differs from {wanted[name].sha256}); {_other_repository()}"
            )
        return name, path

    with ThreadPoolExecutor(4) as threads:
        return dict(threads.map(get, (a for a in artifacts if a.filename in wanted)))


def _matches(path: Path, pin: Pin) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == pin.sha256


def _unreachable(error: Exception, cache: Path) -> EmbeddedServiceError:
    return EmbeddedServiceError(
        f"Kafka {KAFKA_VERSION} could not be fetched from Maven Central ({_cause(error)}); connect "
        f"this machine to the network for the first start, set {REPOSITORY_VARIABLE} to a mirror, "
        f"or copy {cache} from a machine that has started it"
    )


def _other_repository() -> str:
    return f"set {REPOSITORY_VARIABLE} to another repository, or try again later"


def _cause(error: BaseException) -> str:
    """The innermost exception, in one line."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return " ".join(str(error).split())[:200] or type(error).__name__
