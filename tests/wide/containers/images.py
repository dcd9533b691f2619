"""Our image by the Dockerfile, and images that stand in for those of registries."""

import sys
from pathlib import Path
from typing import Final

import yaml

from portquorum.embedded.kafka import jars
from tests.wide.containers.compose import ROOT, STAND
from tests.wide.containers.host import ContainerHost
from tests.wide.installed import WIDE, missing

_COMPOSE: Final = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS: Final[str] = _COMPOSE["inventory"]["image"]
KAFKA: Final[str] = _COMPOSE["kafka"]["image"]
CLICKHOUSE: Final[str] = _COMPOSE["clickhouse"]["image"]
PYTHON: Final = next(
    line.split()[1]
    for line in (ROOT / "Dockerfile").read_text().splitlines()
    if line.startswith("FROM ")
)
_ROOT_FILES: Final = WIDE / "containers" / "root.tar"
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"


def build_all(host: ContainerHost) -> None:
    """Builds the four images; the Dockerfile is used as it is."""
    if not _ROOT_FILES.exists():
        missing("a root file system for containers")
    base = host.folder / "python"
    base.mkdir()
    (base / "root.tar").hardlink_to(_ROOT_FILES)
    (base / "Containerfile").write_bytes((STAND / "python" / "Containerfile").read_bytes())
    _build(host, f"docker.io/library/{PYTHON}", base, "--build-context", f"python={_python()}")
    _build(host, OURS, ROOT)
    libraries = jars.class_path(jars.cache_dir(), lambda _progress: None)[0].parent
    _build(
        *(host, f"docker.io/{KAFKA}", STAND / "kafka"),
        *("--build-arg", f"BASE=docker.io/library/{PYTHON}"),
        *("--build-context", f"jars={libraries}"),
    )
    _build(
        *(host, f"docker.io/{CLICKHOUSE}", STAND / "clickhouse"),
        *("--build-arg", f"BASE=localhost/{OURS}"),
    )


def _build(host: ContainerHost, tag: str, folder: Path, *options: str) -> None:
    host.run(
        *("buildah", "bud", "--pull-never", "--isolation", "chroot", "--tag", tag, *options),
        # Of whatever stands between this machine and the package registries; not in the image.
        *("--volume", f"{_AUTHORITIES}:{_AUTHORITIES}:ro"),
        str(folder),
        network=False,
        timeout_s=1800,
    )


def _python() -> Path:
    """The folder of a Python 3.13 of this machine: pyenv's, or the one that runs the tests."""
    if sys.version_info[:2] == (3, 13):
        return Path(sys.base_prefix)
    found = sorted(Path("~/.pyenv/versions").expanduser().glob("3.13.*"))
    return found[-1] if found else missing("Python 3.13")
