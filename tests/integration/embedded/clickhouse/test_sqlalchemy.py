"""SQLAlchemy with the dialect of clickhouse-connect, against the embedded ClickHouse."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from clickhouse_connect.cc_sqlalchemy.datatypes.sqltypes import Float64, String, UInt64
from clickhouse_connect.cc_sqlalchemy.ddl.tableengine import MergeTree
from sqlalchemy import Column, Engine, MetaData, Table, create_engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError

pytestmark = pytest.mark.wide


@pytest.fixture
def engine(clickhouse: str, database: str) -> Iterator[Engine]:
    parts = urlsplit(clickhouse)
    who = f"{parts.username}:{parts.password}@{parts.hostname}:{parts.port}"
    engine = create_engine(f"clickhousedb://{who}/{database}")
    yield engine
    engine.dispose()


def test_a_short_program_works(engine: Engine, database: str) -> None:
    metadata = MetaData()
    table = Table(
        "checks",
        metadata,
        Column("id", UInt64),
        Column("name", String),
        Column("ms", Float64),
        MergeTree(order_by="id"),
    )
    metadata.create_all(engine)
    rows = [{"id": number, "name": f"it's {number}", "ms": number / 2} for number in range(1000)]
    with engine.begin() as connection:
        connection.execute(table.insert(), rows)
    with engine.connect() as connection:
        found = connection.execute(
            select(table.c.name, table.c.ms).where(table.c.id < 3).order_by(table.c.id)
        )
        assert found.all() == [("it's 0", 0.0), ("it's 1", 0.5), ("it's 2", 1.0)]
        assert connection.execute(select(func.count()).select_from(table)).scalar() == len(rows)
        answer = connection.execute(text("SELECT name FROM checks WHERE id = :id"), {"id": 7})
        assert answer.scalar() == "it's 7"
        with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
            connection.execute(text("SELECT * FROM nowhere"))
    seen = inspect(engine)
    assert seen.get_table_names(schema=database) == ["checks"]
    assert [column["name"] for column in seen.get_columns("checks")] == ["id", "name", "ms"]
    metadata.drop_all(engine)
    assert inspect(engine).get_table_names(schema=database) == []
