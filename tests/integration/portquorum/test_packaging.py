"""What people install: the wheel and the sdist, and the commands of an install without extras."""

import importlib.metadata
import json
import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
DEADLINE_S: Final = 150
NOT_IN_PYTHON = (
    "foundation/py.typed",
    "portquorum/bench/epoll_loop.c",
    "portquorum/embedded/kafka/kafka_jars.txt",
    "portquorum/presentation/base.html",
    "portquorum/presentation/style.css",
    "portquorum/report/page.html",
    "schemas/asyncapi.yaml",
    "schemas/json/incidents/IncidentEvent.schema.json",
    "schemas/json/results.schema.json",
    "schemas/messages/incidents/opened.json",
    "sinks/clickhouse/comments.sql",
    "sinks/clickhouse/migrations/0001_tables.sql",
    "sinks/clickhouse/views/uptime_daily.sql",
)

# Each command with --help, and each module, in one process each: a start takes a second.
COMMANDS = """
import contextlib, io, json, sys
import typer.main
from portquorum.cli.app import app
from portquorum.cli.main import main

def walk(command, path=()):
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, (*path, name))

said = {}
for path in walk(typer.main.get_command(app)):
    sys.argv = ["portquorum", *path, "--help"]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    said[" ".join(path)] = [code, out.getvalue(), err.getvalue()]
json.dump(said, sys.stdout)
"""
MODULES = """
import importlib, json, pkgutil, sys
from portquorum.cli.errors import explain

said = {}
for package in sys.argv[1:]:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        if module.name.endswith(".__main__"):
            continue
        try:
            importlib.import_module(module.name)
        except Exception as error:
            said[module.name] = explain(error)[0]
json.dump(said, sys.stdout)
"""


def run(*command: object, folder: Path) -> str:
    """The output of a command that has to succeed, of no settings of ours."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PORTQUORUM_", "PYTHON"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        check=False,
        cwd=folder,
        env={**environment, "COLUMNS": "200"},
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
    return done.stdout


def packaged() -> set[str]:
    """All files that git knows in our packages."""
    return set(run("git", "ls-files", *PACKAGES, folder=ROOT).splitlines())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, made by the build backend in a place of its own."""
    folder = tmp_path_factory.mktemp("build")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "-q", *PROJECT["build-system"]["requires"], folder=folder)
    run(python, "-m", "hatchling", "build", "-d", folder / "dist", folder=ROOT)
    return folder / "dist"


def needed(requirements: list[str], seen: set[str]) -> Iterator[importlib.metadata.Distribution]:
    """The installed distributions that `requirements` bring, with all that those need."""
    for text in requirements:
        requirement = Requirement(text)
        extras = sorted(requirement.extras) or [""]
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        key = f"{requirement.name}{extras}"
        if key in seen:
            continue
        seen.add(key)
        found = importlib.metadata.distribution(requirement.name)
        yield found
        for below in found.requires or ():
            marker = Requirement(below).marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                yield from needed([below.partition(";")[0]], seen)


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bin` of an environment with our wheel and its dependencies, without extras.

    The dependencies are links to those of this environment, so that nothing is downloaded.
    """
    folder = tmp_path_factory.mktemp("install")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "venv" / "lib" / version / "site-packages"
    for distribution in needed(PROJECT["project"]["dependencies"], set()):
        for file in distribution.files or ():
            top = site / file.parts[0]
            if file.parts[0] not in {"..", "__pycache__"} and not top.exists():
                top.symlink_to(Path(str(distribution.locate_file(file.parts[0]))))
    (wheel,) = built.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "-q", "--no-deps", "--no-index", wheel, folder=folder)
    return folder / "venv" / "bin"


def test_the_wheel_has_every_file_of_our_packages(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert names == packaged()
    assert names.issuperset(NOT_IN_PYTHON)


def test_the_sdist_has_every_file_of_our_packages(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert names.issuperset(packaged())
    assert names.issuperset({"LICENSE", "README.md", "pyproject.toml"})
    assert not [name for name in names if name.startswith((".venv", ".git/"))]


def test_it_starts_as_a_program_and_as_a_module(installed: Path, tmp_path: Path) -> None:
    said = f"portquorum {PROJECT['project']['version']}\n"
    assert run(installed / "portquorum", "--version", folder=tmp_path) == said
    assert run(installed / "python", "-m", "portquorum", "--version", folder=tmp_path) == said


def test_every_command_runs_or_names_its_extra(installed: Path, tmp_path: Path) -> None:
    said = json.loads(run(installed / "python", "-c", COMMANDS, folder=tmp_path))
    assert {"", "up", "report uptime", "inventory doc", "dev kafka", "bench sink"} <= said.keys()
    for command, (code, out, err) in said.items():
        if code == 0:
            assert "Usage: portquorum" in out, command
            continue
        assert (code, err.count("\n")) == (2, 1), f"{command}: {err}"
        assert "this needs the extra `embedded`" in err, command
    assert {command for command, (code, _, _) in said.items() if code} == {
        f"bench {one}"
        for one in (
            "probe",
            "stream",
            "outage",
            "detect",
            "sink",
            "status",
            "notify",
            "page",
            "status-page",
            "codec",
            "receiver",
            "replay",
        )
    }


WEB = (
    "portquorum.access.",
    "portquorum.bench.receiver_plain",
    "portquorum.bench.status_page_server",
    "portquorum.receiver.",
    "portquorum.serving.",
    "portquorum.status_editing.",
    "portquorum.status_pages.",
    "portquorum.web.",
)
"""What needs the extra `web`, if it needs any."""


def test_every_module_can_be_imported_or_names_its_extra(installed: Path, tmp_path: Path) -> None:
    said = json.loads(run(installed / "python", "-c", MODULES, *PACKAGES, folder=tmp_path))
    for module, sentence in said.items():
        of_web = module.startswith(WEB)
        extra = "web" if of_web else "embedded"
        assert module.startswith(
            (
                *WEB,
                "portquorum.bench.",
                "portquorum.embedded.",
                "portquorum.demo",
            )
        )
        assert f"needs the extra `{extra}`" in sentence, f"{module}: {sentence}"
    assert "portquorum.bench.sink" in said
