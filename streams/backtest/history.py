"""Reads stored results from ClickHouse, in the order of the log."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import IO, Final, cast

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec import Struct

from schemas import target
from schemas.duration import DAY_MS
from schemas.result import Cause, CheckResult, Reason, Status
from schemas.target import Target

READ_BYTES: Final = 1 << 20


class Stored(CheckResult, frozen=True, gc=False, kw_only=True, array_like=True):
    """A row of `results`, decoded by position: only the fields that the rules read.

    The sink checked the row before it stored it, so the fields are not checked again.
    `scheduled_at` and `target_version` are 0; the fields after `detail` are left out, except the
    latencies.
    """

    target: str
    kind: str
    host: str | None
    port: int | None
    region: str
    prober: str
    scheduled_at: int
    started_at: int
    status: Status
    reason: Reason | None
    attempt: int
    cause: Cause
    target_version: int
    detail: str | None = None
    address: str | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    total_ms: float | None = None


class HistoryError(RuntimeError):
    """ClickHouse answered with something that is not a row of results; the text shows it."""


class Summary(Struct, frozen=True, gc=False):
    """The history of one target in brief: rows, failed rows, slowest connect and total time.

    A kind without a connect time counts with its total time; 0 if there is none. `passed` are the
    first attempts that succeeded in the compared time, thus without the warm-up.
    """

    target: str
    rows: int
    failed: int
    slowest_ms: float
    passed: int = 0
    slowest_total_ms: float = 0.0


# No rule reads a result that measured nothing, so that it is left where it is; nor can jobs that
# report themselves be judged without the beats of their receivers.
_COUNTED: Final = (
    "status != 'missed' AND reason NOT IN ('prober_error', 'address_blocked') "
    "AND kind != 'heartbeat'"
)
_SPAN: Final = (
    "results.appended_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') "
    "AND results.appended_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')"
)
_SUMMARY: Final = f"""
SELECT target, count(), countIf(status = 'down'),
       max(ifNull(ifNull(connect_us, total_us), 0)) / 1000,
       countIf(status = 'up' AND attempt = 0 AND results.appended_at
               >= fromUnixTimestamp64Milli({{compared_since:Int64}}, 'UTC')),
       max(ifNull(total_us, 0)) / 1000
FROM results WHERE {_SPAN} AND {_COUNTED}
GROUP BY target
"""  # noqa: S608 - of our own constants
_ROWS: Final = f"""
SELECT toUnixTimestamp64Milli(results.appended_at),
       tuple(target, kind, nullIf(host, ''), nullIf(port, 0), region, prober, 0,
             toUnixTimestamp64Milli(results.started_at), status, nullIf(reason, ''), attempt, cause,
             0{{latency}})
FROM results WHERE {_SPAN} AND {_COUNTED} AND target IN ({{targets}})
ORDER BY results.appended_at, log_partition, log_offset, log_line
FORMAT JSONCompactEachRow
"""  # noqa: S608 - of our own constants
_LATENCY: Final = ", NULL, NULL, NULL, connect_us / 1000, NULL, total_us / 1000"
_SETTINGS: Final = {"output_format_json_quote_64bit_integers": 0}

_decoder: Final = msgspec.json.Decoder(tuple[int, Stored])


def targets(client: Client) -> list[Target]:
    """All targets that exist at present, as the sink stored them.

    Raises:
        clickhouse_connect.driver.exceptions.Error: not reachable, or refused.
    """
    found = client.query("SELECT raw FROM targets_current ORDER BY target")
    return [target.decode(row[0].encode()) for row in found.result_rows]


def summaries(client: Client, since: int, compared_since: int, until: int) -> list[Summary]:
    """The summary of each target's history in a time (UTC ms, end excluded).

    The warm-up goes from `since` to `compared_since`.

    Raises:
        clickhouse_connect.driver.exceptions.Error: not reachable, or refused.
    """
    times = {"since": since, "compared_since": compared_since, "until": until}
    rows = client.query(_SUMMARY, parameters=times).result_rows
    return [
        Summary(str(row[0]), row[1], row[2], float(row[3]), row[4], float(row[5])) for row in rows
    ]


def read(
    client: Client, ids: Iterable[str], since: int, until: int, *, latency: bool
) -> Iterator[list[tuple[int, Stored]]]:
    """The counted results of the targets `ids`, each with its append time, in the order of the log.

    They come in lists of some thousands, day by day, so that no query sorts more than a day.
    `latency` says whether connect and total times are wanted.

    Raises:
        clickhouse_connect.driver.exceptions.Error: not reachable, or refused.
        HistoryError: the answer broke off, or a row is no result of this version.
    """
    # Ids have no quotes (`schemas._types.TargetId`). A parameter would travel in the URL.
    names = ",".join(f"'{name}'" for name in ids)
    query = _ROWS.replace("{targets}", names).replace("{latency}", _LATENCY if latency else "")
    start = since
    while start < until:
        end = min(until, (start // DAY_MS + 1) * DAY_MS)
        span = {"since": start, "until": end}
        answer = cast(
            "IO[bytes]", client.raw_stream(query, parameters=span, settings=dict(_SETTINGS))
        )
        with contextlib.closing(answer):
            yield from _lines(answer)
        start = end


def _lines(answer: IO[bytes]) -> Iterator[list[tuple[int, Stored]]]:
    rest = b""
    while block := answer.read(READ_BYTES):
        whole, newline, last = block.rpartition(b"\n")
        if newline:
            yield _decode(rest + whole)
            rest = last
        else:
            rest += block
    if rest:
        yield _decode(rest)


def _decode(lines: bytes) -> list[tuple[int, Stored]]:
    try:
        return _decoder.decode_lines(lines)
    except msgspec.MsgspecError as error:
        # An error that comes up after the first rows stands among them, as text.
        end = lines.rstrip()[-300:].decode(errors="replace")
        raise HistoryError(f"expected rows of results: {error}; the answer ends {end!r}") from error
