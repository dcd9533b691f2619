import ast
import errno
from pathlib import Path

import pytest

from foundation.kafka import TopicMismatchError
from foundation.settings import SettingsError
from portquorum.cli.errors import _OURS_BY_NAME, TroubleError, WrongUseError, explain
from portquorum.embedded.service.errors import EmbeddedServiceError
from portquorum.inventory import ApplyError

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("PORTQUORUM_KAFKA: expected host:port"), 2),
        (WrongUseError("type more of it"), 2),
        (TroubleError("no such incident"), 1),
        (TopicMismatchError("portquorum.results has 3 partitions"), 1),
        (EmbeddedServiceError("the disk is full"), 1),
        (ApplyError("can't reach Kafka"), 1),
    ],
)
def test_our_own_errors_speak_for_themselves(error: Exception, code: int) -> None:
    assert explain(error) == (str(error), code)


def test_every_name_is_that_of_an_error_of_ours() -> None:
    # The names are strings, so that a renamed class would silently lose its sentence.
    declared = {
        node.name
        for package in ("foundation", "portquorum", "producers", "streams", "sinks")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    assert sorted(_OURS_BY_NAME.keys() - declared) == []


def test_the_first_error_of_a_group_speaks() -> None:
    inner = ExceptionGroup("inner", [EmbeddedServiceError("the disk is full")])
    group = ExceptionGroup("two", [inner, ValueError("x")])
    assert explain(group) == ("the disk is full", 1)


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("chdb.x", "embedded"),
        ("psutil", "embedded"),
        ("py_landlock", "embedded"),
        ("clickhouse_cityhash", "embedded"),
        ("litestar.handlers", "web"),
        ("uvicorn", "web"),
    ],
)
def test_a_missing_extra_is_named(module: str, extra: str) -> None:
    said, code = explain(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert code == 2
    assert f"pip install 'portquorum[{extra}]'" in said


def test_kafka_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from aiokafka.errors import KafkaConnectionError

    error = KafkaConnectionError("Unable to bootstrap from [('k1', 9092, 0)]")
    monkeypatch.setenv("PORTQUORUM_KAFKA", "127.0.0.1:1")
    said, code = explain(error)
    assert code == 1
    assert said.startswith("Kafka can't be reached at 127.0.0.1:1: the connection was refused")
    monkeypatch.setenv("PORTQUORUM_PARTITIONS", "none")
    assert explain(error)[0].startswith("Kafka can't be reached at k1:9092: ")


def test_a_system_error_names_the_file() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "/x/inventory.yaml")
    assert explain(error) == ("/x/inventory.yaml: Permission denied", 1)


def clickhouse_error(code: int, words: str) -> Exception:
    from clickhouse_connect.driver.exceptions import DatabaseError

    return DatabaseError(
        f"Received ClickHouse exception, code: {code}, server response: Code: {code}. "
        f"DB::Exception: {words} (version 26.9.2.1) (for url http://127.0.0.1:18323)"
    )


def test_clickhouses_words_without_the_noise() -> None:
    error = clickhouse_error(62, "Syntax error: failed at position 1 (selec). (SYNTAX_ERROR)")
    said, code = explain(error)
    assert said == (
        "ClickHouse refused: Syntax error: failed at position 1 (selec). (SYNTAX_ERROR)"
    )
    assert code == 1


def test_a_table_that_is_not_there_yet_says_who_makes_it() -> None:
    error = clickhouse_error(
        60, "Unknown table expression identifier 'results'. In scope SELECT 1. (UNKNOWN_TABLE)"
    )
    said, code = explain(error)
    assert said == (
        "ClickHouse has no table results; portquorum's tables are made when the sink starts "
        "(`portquorum up`, or `portquorum sink`)"
    )
    assert code == 1


def test_what_nobody_foresaw_says_how_to_see_more() -> None:
    said, code = explain(RuntimeError("strange\n  things"))
    assert said == "unexpected RuntimeError: strange things; PORTQUORUM_DEBUG=1 shows where"
    assert code == 1
