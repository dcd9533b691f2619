"""Docker Compose against podman: docker-compose.yml as people run it."""

import datetime as dt
import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.wide.containers.health_timer import Podman
from tests.wide.containers.host import ContainerHost
from tests.wide.installed import WIDE, missing

ROOT: Final = Path(__file__).parents[3]
STAND: Final = Path(__file__).parent
PROGRAM: Final = WIDE / "containers" / "docker-compose"
_PROJECT: Final = "portquorum"
_Found = TypeVar("_Found")
_SERVICE: Final = "com.docker.compose.service"


class Compose:
    """One project of compose files."""

    def __init__(self, host: ContainerHost, files: Sequence[Path]) -> None:
        """Starts nothing yet."""
        if not PROGRAM.exists():
            missing("docker-compose")
        self._host = host
        self._podman = Podman(host.socket)
        self._files = [part for file in files for part in ("--file", str(file))]
        self._environment = {"CLICKHOUSE_PASSWORD": "a1b2c3", "STAND": str(STAND)}

    def __call__(
        self, *arguments: str, timeout_s: float = 600, said: str = "", fine: Sequence[int] = (0,)
    ) -> str:
        """Runs `docker compose …`; returns what it printed on standard output.

        Raises:
            AssertionError: it ended with another exit code than those that are `fine`.
        """
        done = subprocess.run(
            [str(PROGRAM), *self._files, *arguments],
            cwd=ROOT,
            env=self._host.environment(**self._environment),
            input=said,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode in fine, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def inside(self, service: str, *command: str, said: str = "") -> str:
        """The output of a command in the container of a service.

        Exit code 1 is fine: our commands have it when they found trouble.
        """
        return self("exec", "--no-TTY", service, *command, said=said, fine=(0, 1))

    def containers(self) -> dict[str, dict[str, Any]]:
        """What podman knows of each service's container."""
        found = self._podman.containers()
        return {
            one["Config"]["Labels"][_SERVICE]: one
            for one in found
            if _SERVICE in (one["Config"].get("Labels") or {})
        }

    def states(self) -> dict[str, str]:
        """By service: `healthy`, `starting`, `unhealthy`, `running` (unchecked), `exited N`."""
        return {service: _state(one) for service, one in self.containers().items()}

    def kill(self, service: str) -> None:
        """Kills a container's first process by signal 9, from outside."""
        self._host.run("kill", "-9", str(self.containers()[service]["State"]["Pid"]))


def _state(one: Mapping[str, Any]) -> str:
    state = one["State"]
    if not state["Running"]:
        return f"{state['Status']} {state['ExitCode']}"
    if (one["Config"].get("Healthcheck") or {}).get("Test", ["NONE"])[0] == "NONE":
        return "running"
    health = state.get("Health") or {}
    # Podman keeps the word of the container before: only what was asked since then counts.
    asked = [look["Start"] for look in health.get("Log") or []]
    fresh = bool(asked) and _instant(asked[-1]) > _instant(state["StartedAt"])
    return str(health["Status"]) if fresh else "starting"


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def until(found: Callable[[], _Found], what: str, within_s: float = 300) -> _Found:
    """The first truthy value of `found`; an AssertionError of it counts as not yet.

    Raises:
        AssertionError: it has not come within the time; with the last value or error.
    """
    deadline = time.monotonic() + within_s
    last: object = None
    while time.monotonic() < deadline:
        try:
            if value := found():
                return value
            last = value
        except (AssertionError, OSError, json.JSONDecodeError) as error:
            last = error
        time.sleep(1)
    raise AssertionError(f"expected {what} within {within_s} s, found {last}")
