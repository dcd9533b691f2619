"""Every producer of the packages is ours, with a codec that a topic declares."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("foundation", "producers", "streams", "sinks", "portquorum")
MEASURED = ROOT / "portquorum" / "bench" / "codec.py"


def calls() -> Iterator[tuple[Path, ast.Call]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield path, node


def test_aiokafkas_producer_is_made_in_one_place() -> None:
    made = {path for path, call in calls() if ast.unparse(call.func) == "AIOKafkaProducer"}
    assert made == {ROOT / "foundation" / "kafka" / "clients.py"}


def test_a_codec_that_is_asked_for_is_a_topics() -> None:
    asked = {
        (path.relative_to(ROOT).as_posix(), ast.unparse(keyword.value))
        for path, call in calls()
        for keyword in call.keywords
        if keyword.arg == "compression_type" and path != MEASURED
    }
    own = {("streams/worker/faust_app.py", "compression")}
    assert own < asked
    for path, value in asked - own:
        assert value.endswith(".compression"), f"{path}: {value}"
