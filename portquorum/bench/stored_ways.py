"""Other ways to store results: the same rows in tables with one difference each."""

import re
from typing import Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from sinks.clickhouse.tables import RESULTS

LATENCIES: Final = ("dns_us", "connect_us", "tls_us", "total_us")
TIMES: Final = ("scheduled_at", "started_at", "appended_at")
LOG: Final = ("log_offset", "log_line")
NAMES: Final = ("target", "host", "address")


class StorageVariant(Struct, frozen=True, kw_only=True):
    """The difference: codecs and types of columns, inserted values, or the order of the rows."""

    about: str
    says: str
    columns: tuple[str, ...]
    codec: str | None = None
    kind: str | None = None
    value: str | None = None
    order: str | None = None


class VariantSize(Struct, frozen=True, kw_only=True):
    """The size of a variant: bytes of a result in the affected columns, and in all."""

    about: str
    says: str
    columns: float
    all: float


ALL: Final = tuple(column for column, _ in RESULTS.columns)
ORDER: Final = "target, region, scheduled_at, started_at, prober, attempt"
AS_IT_IS: Final = (
    StorageVariant(about="latencies", says="whole µs, T64('bit'), ZSTD(1)", columns=LATENCIES),
    StorageVariant(about="times", says="Delta, ZSTD(1)", columns=TIMES),
    StorageVariant(about="place in the log", says="offset Delta, line T64; ZSTD(1)", columns=LOG),
    StorageVariant(about="names", says="LowCardinality", columns=NAMES),
    StorageVariant(
        about="order", says=ORDER.replace(", started_at, prober, attempt", ", …"), columns=ALL
    ),
)
OTHERS: Final = (
    *(
        StorageVariant(about="latencies", says=f"whole µs, {codec}", columns=LATENCIES, codec=codec)
        for codec in ("T64('byte'), ZSTD(1)", "T64('bit'), ZSTD(3)", "Delta, ZSTD(1)", "ZSTD(1)")
    ),
    *(
        StorageVariant(
            about="latencies",
            says=f"Float32 ms, {codec}",
            columns=LATENCIES,
            codec=codec,
            kind="Nullable(Float32)",
            value="{} / 1000",
        )
        for codec in ("Gorilla, ZSTD(1)", "ZSTD(1)")
    ),
    *(
        StorageVariant(about="times", says=codec, columns=TIMES, codec=codec)
        for codec in ("DoubleDelta, ZSTD(1)", "T64('bit'), ZSTD(1)", "Delta, ZSTD(3)", "ZSTD(1)")
    ),
    *(
        StorageVariant(about="place in the log", says=f"both {codec}", columns=LOG, codec=codec)
        for codec in ("T64('bit'), ZSTD(1)", "DoubleDelta, ZSTD(1)", "ZSTD(1)")
    ),
    StorageVariant(
        about="names", says="String, ZSTD(1)", columns=NAMES, kind="String", codec="ZSTD(1)"
    ),
    *(
        StorageVariant(
            about="order", says=order, columns=ALL, order=f"{order}, started_at, prober, attempt"
        )
        for order in (
            "region, target, scheduled_at",
            "host, port, region, scheduled_at",
            "target, scheduled_at, region",
            "scheduled_at, target, region",
        )
    ),
)


def compare(client: Client) -> list[VariantSize]:
    """Copies `results` of the client's database in each variant, one by one, and measures it."""
    taken = [_weigh(client, way, "results") for way in AS_IT_IS]
    for way in OTHERS:
        _make(client, way)
        names = ", ".join(ALL)
        values = ", ".join(
            way.value.format(column) if way.value and column in way.columns else column
            for column in ALL
        )
        client.command(f"INSERT INTO other_way ({names}) SELECT {values} FROM results")  # noqa: S608
        client.command("OPTIMIZE TABLE other_way FINAL")
        taken.append(_weigh(client, way, "other_way"))
        client.command("DROP TABLE other_way SYNC")
    return sorted(taken, key=lambda one: [way.about for way in AS_IT_IS].index(one.about))


def column_bytes(client: Client, table: str) -> dict[str, float]:
    """Bytes per row of each column of a table, the largest first."""
    rows = client.query(
        "SELECT column, sum(column_data_compressed_bytes) / sum(rows) AS bytes "
        "FROM system.parts_columns WHERE active AND database = currentDatabase() "
        "AND table = {table:String} GROUP BY column ORDER BY bytes DESC",
        parameters={"table": table},
    ).result_rows
    return {str(column): float(size) for column, size in rows}


def _weigh(client: Client, way: StorageVariant, table: str) -> VariantSize:
    sizes = column_bytes(client, table)
    own = sum(sizes[column] for column in way.columns)
    return VariantSize(about=way.about, says=way.says, columns=own, all=sum(sizes.values()))


def _make(client: Client, way: StorageVariant) -> None:
    ((made,),) = client.query(
        "SELECT create_table_query FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'results'"
    ).result_rows
    sql = re.sub(r"^CREATE TABLE \S+", "CREATE TABLE other_way", str(made))
    if way.order is not None:
        sql = re.sub(r"ORDER BY \(.*?\)", f"ORDER BY ({way.order})", sql, count=1)
    client.command(sql)
    if way.codec is not None:
        for column in way.columns:
            kind = way.kind or dict(RESULTS.columns)[column]
            client.command(
                f"ALTER TABLE other_way MODIFY COLUMN {column} {kind} CODEC({way.codec})"
            )
