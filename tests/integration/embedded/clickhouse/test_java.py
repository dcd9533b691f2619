# ruff: noqa: S608 (tables of the test's own)
"""Java's clickhouse-jdbc against the embedded ClickHouse, as reader and owner; needs java and mvn.

The drivers differ: up to 0.9.5 they send settings with each statement, and read RowBinary in other
ways. What each must get is the same.
"""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.toolchains import java_program

pytestmark = pytest.mark.wide

HERE = Path(__file__).parent / "java"
TYPED = (
    "[1, 1970-01-01T00:00:00.001, -0.5000, , 7, [], {}, 00000000-0000-0000-0000-000000000000, "
    "18446744073709551615, 2024-02-29T12:34:56.789, 1234567.8901, low, null, [a, b], {k=1}, "
    "61f0c404-5cb3-11e7-907b-a6006ad3dba0]"
)
EVERYBODYS = {
    "product": "ClickHouse",
    "valid": "true",
    "one": "1",
    "catalogs": "true",
    "schemas": "true",
    "tables": "[batch, typed]",
    "views": "true",
    "columns": "[id, at, price, word, maybe, list, map, uuid]",
    "keys": "true",
    "types": "true",
    "tableTypes": "true",
    "functions": "true",
    "prepared": '[42, it\'s \\ "so", 1.5, 2024-02-29]',
    "typed": TYPED,
    "many": f"1000000 {sum(range(1_000_000))}",
    "SHOW TABLES FROM DB": "true",
    "SHOW DATABASES": "true",
    "DESCRIBE TABLE DB.typed": "true",
    "EXPLAIN SELECT 1": "true",
    "EXISTS TABLE DB.typed": "true",
    **{
        f"SELECT * FROM system.{table}": "true"
        for table in ("tables", "columns", "databases", "processes", "functions", "settings")
    },
    "SELECT * FROM system.data_type_families": "true",
    "error": "true",
    "halfway": "true",
    "timeout": "true",
    "cancelled": "true",
}
OWNERS = {"batch": "(1000,499500,1000)", "ddl": "3"}
READERS = {"refused": "true"}


@pytest.fixture(scope="module", params=["0.8.6", "0.9.5", "0.11.1"])
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[str]]:
    """The driver's version, and the command of the program with it."""
    folder = tmp_path_factory.mktemp("java")
    source = Path(shutil.copytree(HERE, folder / "source" / "java"))
    pom = source / "pom.xml"
    named, count = re.subn(r"(<clickhouse\.jdbc>)[^<]+", rf"\g<1>{request.param}", pom.read_text())
    assert count == 1
    pom.write_text(named)
    return request.param, java_program(source, folder, "Jdbc")


@pytest.mark.parametrize("who", ["reader", "owner"])
def test_clickhouse_jdbc_works(
    program: tuple[str, list[str]], clickhouse: str, owner: Server, database: str, who: str
) -> None:
    version, command = program
    owner.value(
        f"CREATE TABLE {database}.typed (id UInt64, at DateTime64(3, 'UTC'), price Decimal(18, 4), "
        "word LowCardinality(String), maybe Nullable(Int32), list Array(String), "
        "map Map(String, UInt8), uuid UUID) ENGINE = MergeTree ORDER BY id"
    )
    owner.value(
        f"CREATE TABLE {database}.batch (id UInt32, name String, at DateTime) "
        "ENGINE = MergeTree ORDER BY id"
    )
    owner.value(
        f"INSERT INTO {database}.typed VALUES (18446744073709551615, '2024-02-29 12:34:56.789', "
        "1234567.8901, 'low', NULL, ['a', 'b'], {'k': 1}, '61f0c404-5cb3-11e7-907b-a6006ad3dba0'), "
        "(1, '1970-01-01 00:00:00.001', -0.5, '', 7, [], {}, "
        "'00000000-0000-0000-0000-000000000000')"
    )
    parts = urlsplit(clickhouse)
    assert parts.username
    assert parts.password
    user = [parts.username, parts.password] if who == "owner" else ["default", ""]
    done = subprocess.run(
        [*command, f"jdbc:clickhouse://{parts.hostname}:{parts.port}", *user, database, who],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split("\t", 1) for line in done.stdout.splitlines())
    assert found.pop("driver") == version
    assert found.pop("user") == user[0]
    assert found.pop("greeting") == owner.value("SELECT timezone()")
    expected = EVERYBODYS | (OWNERS if who == "owner" else READERS)
    if version == "0.8.6":
        # It knows no JSON, which every engine of today names among its types.
        assert found.pop("types").startswith("FAILED")
        expected = {name: text for name, text in expected.items() if name != "types"}
    assert found == expected
