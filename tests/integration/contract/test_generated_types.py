"""Types that code generators make from the schemas compile and read what they should.

That is every example, the same with members and fields that today's schemas do not know, and the
same without all that may be absent. quicktype makes TypeScript and Go, datamodel-code-generator
Python, jsonschema2pojo Java; the programs beside this file use what they make.
"""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from tests.installed import missing
from tests.integration.contract.documents import PACKAGE, TYPES, Document, documents, lines
from tests.integration.contract.strange import UNKNOWN, same
from tests.toolchains import go_program, java_program, node_program

HERE: Final = Path(__file__).parent
SCHEMAS: Final = PACKAGE / "json"
DEADLINE_S: Final = 120
MODULES: Final = {
    name: [schema for schema in TYPES if schema.partition("/")[0] == name]
    for name in ("incidents", "results", "targets", "webhook")
}
"""Module of generated types → the schemas that it is made from."""

READ: Final = """
import importlib, json, sys
from pydantic import BaseModel

for line in sys.stdin:
    one = json.loads(line)
    folder = one["schema"].partition("/")[0].partition(".")[0]
    model = getattr(importlib.import_module(folder), one["type"])
    print(model.model_validate_json(one["json"]).model_dump_json(by_alias=True))
"""

Documents = list[Document]


def run(command: list[str], folder: Path, given: str = "") -> str:
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        check=False,
        cwd=folder,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2_000:]}{done.stderr[-4_000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of JavaScript programs, with their packages."""
    command = node_program(HERE / "javascript", tmp_path_factory.mktemp("npm"), "asyncapi.mjs")
    return Path(command[1]).parent


def quicktype(javascript: Path, name: str, to: Path, *options: str) -> str:
    """The file `to`, made from the schemas of module `name`."""
    sources = ["--top-level", TYPES[name]] if name in TYPES else []
    for schema in MODULES[name]:
        # Of several sources each names its type.
        source = to.parent / f"{TYPES[schema]}.json"
        shutil.copy(SCHEMAS / f"{schema}.schema.json", source)
        sources += ["--src", str(source)]
    program = javascript / "node_modules" / "quicktype" / "dist" / "index.js"
    run(
        ["node", str(program), "-s", "schema", *sources, "-o", str(to), *options],
        javascript,
    )
    return to.read_text()


def assert_read(said: list[Any]) -> None:
    expected = documents()
    assert len(said) == len(expected) > 100
    for document, again in zip(expected, said, strict=True):
        assert same(document.value, again), (document, again)


def test_documents_are_strange_enough() -> None:
    assert {one.schema for one in documents()} == set(TYPES)
    text = lines(documents())
    for field in ("event", "severity", "closed_because", "verdict", "reason", "status", "action"):
        assert f'\\"{field}\\": \\"{UNKNOWN}\\"' in text, field
    assert f'\\"{UNKNOWN}\\": {{' in text


@pytest.mark.wide
def test_typescript_by_quicktype(javascript: Path) -> None:
    for name in MODULES:
        text = quicktype(javascript, name, javascript / f"{name}.ts", "-l", "ts")
        for schema in MODULES[name]:
            assert f"export interface {TYPES[schema]} " in text
    run(["node", "node_modules/typescript/bin/tsc", "-p", "."], javascript)
    said = run(["node", "built/read.js"], javascript, lines(documents()))
    assert_read([json.loads(line) for line in said.splitlines()])


@pytest.mark.wide
def test_go_by_quicktype(javascript: Path, tmp_path: Path) -> None:
    source = shutil.copytree(HERE / "go", tmp_path / "source" / "contract")
    for name in MODULES:
        (source / name).mkdir()
        made = source / name / f"{name}.go"
        text = quicktype(javascript, name, made, "-l", "go", "--package", name)
        for schema in MODULES[name]:
            assert f"type {TYPES[schema]} struct" in text
    said = run(go_program(source, tmp_path), tmp_path, lines(documents()))
    assert_read([json.loads(line) for line in said.splitlines()])


def test_python_by_datamodel_code_generator(tmp_path: Path) -> None:
    if find_spec("datamodel_code_generator") is None:
        missing("datamodel-code-generator")
    for name in MODULES:
        source = SCHEMAS / f"{name}.schema.json"
        run(
            [
                *(sys.executable, "-m", "datamodel_code_generator"),
                *("--input", str(source), "--input-file-type", "jsonschema"),
                *("--output-model-type", "pydantic_v2.BaseModel", "--use-type-alias"),
                *("--use-annotated", "--target-python-version", "3.11"),
                *("--formatters", "builtin", "--output", str(tmp_path / f"{name}.py")),
            ],
            tmp_path,
        )
        text = (tmp_path / f"{name}.py").read_text()
        for schema in MODULES[name]:
            assert f"class {TYPES[schema]}(BaseModel)" in text
    text = (tmp_path / "incidents.py").read_text()
    assert "severity: Severity | str" in text
    assert "    critical = 'critical'" in text
    said = run([sys.executable, "-c", READ], tmp_path, lines(documents()))
    assert_read([json.loads(line) for line in said.splitlines()])


@pytest.mark.wide
def test_java_by_jsonschema2pojo(tmp_path: Path) -> None:
    source = shutil.copytree(HERE / "java", tmp_path / "source" / "contract")
    shutil.copytree(SCHEMAS, source / "json")
    command = java_program(source, tmp_path, "org.example.Read")
    said = run([*command, str(SCHEMAS)], tmp_path, lines(documents()))
    answers = [json.loads(line) for line in said.splitlines()]
    assert_read([one["value"] for one in answers])
    assert {one["faults"] for one in answers} == {0}, "networknt's validator refuses one"
