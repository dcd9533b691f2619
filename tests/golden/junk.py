"""Messages that no prober of ours writes: broken, foreign, empty."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from schemas import batch
from schemas.control import HEADER, Tick, headers
from schemas.partition import partition_for
from schemas.result import CheckResult
from tests.golden.probing import Probing
from tests.golden.stage import PARTITIONS

Odd = tuple[int, bytes | None, tuple[tuple[str, bytes], ...]]
"""Partition, value and headers."""


def home_of(host: str) -> int:
    """The partition of a host."""
    return partition_for(host, PARTITIONS)


def messages(probing: Probing) -> Iterator[Odd]:
    """All of them; the good lines among them are about a target that is calm."""
    partition = home_of("why-timed-out.example.com")
    good = probing.result("why-timed-out", "region-2", 9.75)
    for value in (*_broken(good), *_wrong(good), *_strange(good), *_of_other_times(good)):
        yield partition, value, ()
    for number, (empty, more) in enumerate(_controls()):
        yield number % PARTITIONS, empty, more
    # A result in a partition that does not have its target.
    elsewhere = probing.result("why-timed-out", "region-1", "connection_refused")
    yield (partition + 1) % PARTITIONS, batch.encode([elsewhere]), ()


def _with(good: CheckResult, **changes: object) -> bytes:
    fields = msgspec.json.decode(batch.encode([good]))
    return bytes(msgspec.json.encode(fields | changes)) + b"\n"


def _broken(good: CheckResult) -> Iterator[bytes]:
    """No lines of a batch, or some among good ones."""
    line = batch.encode([good])
    bare = line.rstrip(b"\n")
    yield b"no json at all"
    yield b"{"
    yield b"null\n"
    yield b"[]\n[1]\n"
    yield b'"text"\n'
    yield b"\xff\xfe\x00\n"
    yield b"\n\n\n"
    yield b" \t\r\n"
    yield b"[" * 5000 + b"\n"
    yield line + b"broken\n" + _with(good, started_at=good.started_at + 1)
    yield line + line + line  # the same line again and again
    yield bare + b"\r\n" + bare  # no newline at the end, and one of another system
    yield bare[:-1] + b"\n}\n"  # a result over two lines
    yield bare + b" " + bare + b"\n"  # two on one
    yield b"\xef\xbb\xbf" + line
    yield b"x" * 70_000  # more than a dead letter keeps


def _wrong(good: CheckResult) -> Iterator[bytes]:
    """JSON objects of which a field is of the wrong type or out of its range."""
    bare = batch.encode([good]).rstrip(b"\n")

    def with_fields(**changes: object) -> bytes:
        return _with(good, **changes)

    yield with_fields(later="field", another={"deep": [1, 2.5, None]})
    yield with_fields(status="sideways")
    yield with_fields(reason="solar_flare", status="down")
    yield with_fields(cause="whim")
    yield with_fields(port="5432")
    yield with_fields(port=70000)
    yield with_fields(port=0)
    yield with_fields(attempt=256)
    yield with_fields(attempt=-1)
    yield with_fields(attempt=1.5)
    yield with_fields(scheduled_at=2**63)
    yield with_fields(started_at=2**64)
    yield with_fields(started_at=10**30)
    yield with_fields(target_version=-5)
    yield with_fields(connect_ms=1e300)
    yield with_fields(connect_ms=-0.5)
    yield with_fields(connect_ms=86_400_000.0, total_ms=0.0001)
    yield bare.replace(b'"connect_ms":9.75', b'"connect_ms":NaN') + b"\n"
    yield bare.replace(b'"connect_ms":9.75', b'"connect_ms":1e999') + b"\n"
    yield bare.replace(b'"connect_ms":9.75', b'"connect_ms":1,"connect_ms":2') + b"\n"


def _strange(good: CheckResult) -> Iterator[bytes]:
    """Texts that are names of nothing, too long, or full of what a page must not show."""
    bare = batch.encode([good]).rstrip(b"\n")

    def with_fields(**changes: object) -> bytes:
        return _with(good, **changes)

    yield with_fields(target="NOT AN ID")
    yield with_fields(target="")
    yield with_fields(target="nobody-knows-it")
    yield with_fields(kind="UPPER")
    yield with_fields(region="no region!")
    yield with_fields(region="region-9")
    yield with_fields(host="")
    yield with_fields(host="x" * 254)
    yield with_fields(host=None)
    yield with_fields(detail="d" * 301)
    yield with_fields(detail="\u0000\u202e🚪 <b>&amp;")
    yield with_fields(banner="\x1b[31m220 \\ \" '")
    yield with_fields(http_status=99)
    yield with_fields(cert_expires_at=9_999_999_999_999)
    yield bare.replace(b'"region-2"', b'"\\ud800"') + b"\n"
    yield msgspec.json.encode({"target": good.target, "kind": good.kind}) + b"\n"


def _of_other_times(good: CheckResult) -> Iterator[bytes]:
    """What was not measured, contradicts itself, or is of long ago or of the future."""
    yield batch.encode([replace(good, status="missed", reason=None, connect_ms=None)])
    yield batch.encode([replace(good, status="down", reason=None, connect_ms=None)])
    yield batch.encode([replace(good, status="up", reason="timed_out")])
    yield batch.encode([replace(good, started_at=good.started_at + 3_600_000)])
    yield batch.encode([replace(good, started_at=0, scheduled_at=0)])
    yield batch.encode([replace(good, started_at=9_999_999_999_999)])
    yield batch.encode([replace(good, target_version=1)])
    yield batch.encode([replace(good, port=1)])
    yield batch.encode([replace(good, started_at=good.started_at + n) for n in range(500)])


def _controls() -> Iterator[tuple[bytes | None, tuple[tuple[str, bytes], ...]]]:
    [(_, tick)] = headers(Tick("golden"))
    yield b"", ()
    yield None, ()
    yield None, ((HEADER, tick),)
    yield b"", (("another-header", b"x"),)
    yield b"", ((HEADER, b""),)
    yield b"", ((HEADER, b"{"),)
    yield b"", ((HEADER, b"\xff"),)
    yield b"", ((HEADER, b"[" * 3000),)
    yield b"", ((HEADER, b"{}"),)
    yield b"", ((HEADER, b'{"control":"of_tomorrow","target":"why-timed-out"}'),)
    yield b"", ((HEADER, b'{"control":"tick","worker":"golden","since":"tomorrow"}'),)
    yield b"", ((HEADER, b'{"control":"tick"}'),)
    yield b"", ((HEADER, b'{"control":"tick","worker":7}'),)
    yield b"", ((HEADER, b'{"control":"target_removed","target":"X","version":1}'),)
    yield b"", ((HEADER, b'{"control":"target_removed","target":"why-timed-out","version":-1}'),)
    yield b"", ((HEADER, b'{"control":"target_set","target":{}}'),)
    yield b"", ((HEADER, b'{"control":"acknowledged","target":"why-timed-out"}'),)
    yield b"", (("first", b"1"), (HEADER, tick), ("last", b"\xff\x00"))
    yield b"", ((HEADER, tick), (HEADER, b'{"control":"tick","worker":"second"}'))
    yield b"not empty", ((HEADER, tick),)
    yield b"\n", ((HEADER, tick),)
