"""A container host of a test's own: podman in namespaces, gone without a trace when it is closed.

Network, mounts and processes are its own: what listens at 127.0.0.1 there does not do so on this
machine, and the end of its first process is the end of every container, bridge and mount. Podman's
files are in a folder of the caller's.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.wide.installed import missing

TOOLS: Final = ("podman", "buildah", "runc", "catatonit", "unshare", "nsenter", "ip")
_CGROUPS: Final = Path("/sys/fs/cgroup")

# Folders that podman and its plugins write to whatever they are told.
_FIRST_PROCESS: Final = """
set -e
mount --make-rprivate /
mkdir -p /var/lib/cni /etc/cni /var/lib/containers
for folder in /run /dev/shm /var/lib/cni /etc/cni /var/lib/containers; do
    mount -t tmpfs none $folder
done
mkdir -p /run/lock /run/netns
ip link set lo up
exec catatonit -- sleep infinity
"""

_STORAGE: Final = """
[storage]
driver = "overlay"
graphroot = "{folder}/store"
runroot = "/run/containers/storage"
"""

# A virtual machine without CAP_SYS_RESOURCE can't raise the limits that podman would set.
_ENGINE: Final = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "cni"
"""


class ContainerHost:
    """Runs programs where the containers are."""

    def __init__(self, folder: Path) -> None:
        """Starts it; `folder` keeps images, containers, volumes and its socket, `podman.sock`."""
        for tool in TOOLS:
            if shutil.which(tool) is None:
                missing(tool)
        self.folder = folder
        self.socket = folder / "podman.sock"
        (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
        (folder / "containers.conf").write_text(_ENGINE)
        self._outer = subprocess.Popen(
            [
                *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *("sh", "-c", _FIRST_PROCESS),
            ],
            stdout=subprocess.DEVNULL,
        )
        self._first = self._first_process()
        self._service = subprocess.Popen(
            self._inside("podman", "system", "service", "--time", "0", f"unix://{self.socket}"),
            env=self.environment(),
            stdout=(folder / "podman.log").open("w"),
            stderr=subprocess.STDOUT,
        )

    def _first_process(self) -> int:
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if (found := children.read_text().split()) and (
                Path(f"/proc/{found[0]}/comm").read_text().strip() == "catatonit"
            ):
                return int(found[0])
            time.sleep(0.05)
        raise TimeoutError("expected the first process of the container host, found none in 60 s")

    def _inside(self, *command: str, network: bool = True) -> list[str]:
        spaces = ["--mount", "--pid", *(["--net"] if network else [])]
        return ["nsenter", "--target", str(self._first), *spaces, "--", *command]

    def environment(self, **more: str) -> dict[str, str]:
        """What podman, buildah and Docker's client heed."""
        return {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "BUILDAH_ISOLATION": "chroot",
            # `HealthTimer` is in the place of systemd, whose timers podman has for health checks.
            "DISABLE_HC_SYSTEMD": "true",
            "DOCKER_HOST": f"unix://{self.socket}",
            **more,
        }

    def run(self, *command: str, timeout_s: float = 600, network: bool = True) -> str:
        """The standard output of a program inside; without `network` it has the machine's.

        Raises:
            AssertionError: it ended with an error; the text has what it said.
        """
        done = subprocess.run(
            self._inside(*command, network=network),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def close(self) -> None:
        """Ends every process; takes away the folder and the groups that podman made."""
        self._outer.kill()
        self._outer.wait()
        self._service.wait()
        deadline = time.monotonic() + 60
        while Path(f"/proc/{self._first}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        shutil.rmtree(self.folder)
        for group in sorted(_CGROUPS.glob("**/libpod_parent/**/"), reverse=True):
            with contextlib.suppress(OSError):
                group.rmdir()

    def left(self) -> list[str]:
        """What is left of it on the machine after `close`: nothing, if all is well."""
        paths = [self.folder, Path(f"/proc/{self._first}"), *_CGROUPS.glob("**/libpod_parent")]
        return [str(path) for path in paths if path.exists()]


@contextlib.contextmanager
def container_host(folder: Path) -> Iterator[ContainerHost]:
    """A host for the time of a block."""
    host = ContainerHost(folder)
    try:
        yield host
    finally:
        host.close()
