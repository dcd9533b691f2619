import gc

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import batch
from schemas.result import CheckResult
from tests.examples import examples
from tests.unit.schemas.strategies import results

garbage = st.binary(max_size=80).filter(lambda raw: b"\n" not in raw)
single = results.map(lambda one: batch.encode([one])[:-1])
blank = st.sampled_from([b"", b" ", b"\r", b"\t\x0b"])
# What JSON allows and a batch does not: white space elsewhere.
double = st.tuples(single, st.sampled_from([b"", b" ", b"\r"]), single).map(b"".join)
spread = single.map(lambda line: msgspec.json.format(line, indent=2))
padded = single.map(lambda line: b" " + line + b" \r")
anything = st.lists(single | garbage | blank | double | spread | padded, max_size=20)


def is_bad(line: bytes) -> bool:
    """Whether a line alone is neither a result nor empty."""
    return not batch.decode(line)[0] and bool(line.strip())


@settings(max_examples=examples(2))
@given(st.lists(results, min_size=1, max_size=3))
def test_encoding_leaves_nothing_behind(sent: list[CheckResult]) -> None:
    """However often it is done: a prober encodes each of its results by itself."""
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(1_000):
        batch.encode(sent)
        batch.encode(tuple(sent))
    gc.collect()
    assert len(gc.get_objects()) < before + 100


@given(st.lists(results, max_size=20))
def test_a_batch_comes_back_as_it_was(sent: list[CheckResult]) -> None:
    value = batch.encode(sent)
    assert batch.decode(value) == (sent, [])
    assert value.count(b"\n") == len(sent)


@given(st.binary(max_size=2000))
def test_decode_never_raises(value: bytes) -> None:
    found, bad = batch.decode(value)
    lines = [line for line in value.split(b"\n") if line.strip()]
    assert len(found) + len(bad) == len(lines)


@given(anything, st.booleans())
def test_a_bad_line_is_isolated(parts: list[bytes], ended: bool) -> None:
    value = b"\n".join(parts) + (b"\n" if ended else b"")
    lines = value.split(b"\n")
    found, bad = batch.decode(value)
    assert [line.line for line in bad] == [n for n, line in enumerate(lines) if is_bad(line)]
    assert [line.raw for line in bad] == [line for line in lines if is_bad(line)]
    assert found == [one for line in lines for one in batch.decode(line)[0]]


@given(anything, st.booleans())
def test_numbers_name_the_line_of_each_result(parts: list[bytes], ended: bool) -> None:
    value = b"\n".join(parts) + (b"\n" if ended else b"")
    found, bad = batch.decode(value)
    numbered, bad_too = batch.decode_numbered(value)
    assert bad == bad_too
    assert [one for _, one in numbered] == found
    lines = value.split(b"\n")
    for number, one in numbered:
        assert batch.decode(lines[number]) == ([one], [])


@given(single, single)
def test_two_results_on_one_line_are_one_bad_line(one: bytes, two: bytes) -> None:
    # With an empty line after them there are as many lines as results.
    value = one + two + b"\n\n"
    assert batch.decode(value)[0] == []
    assert [line.raw for line in batch.decode_numbered(value)[1]] == [one + two]


@given(st.binary(max_size=2000))
def test_numbering_never_raises(value: bytes) -> None:
    numbered, bad = batch.decode_numbered(value)
    assert len({number for number, _ in numbered} | {line.line for line in bad}) == len(
        numbered
    ) + len(bad)


def test_deep_nesting_is_a_bad_line() -> None:
    found, bad = batch.decode(b"[" * 100_000)
    assert (found, [line.line for line in bad]) == ([], [0])


def test_a_result_over_several_lines_is_not_a_batch() -> None:
    value = b'{"target":\n"a"}'
    assert [line.line for line in batch.decode(value)[1]] == [0, 1]


def test_invalid_utf_8_is_a_bad_line() -> None:
    found, bad = batch.decode(b'{"target":"\xff"}\n')
    assert found == []
    assert bad[0].raw == b'{"target":"\xff"}'
    assert bad[0].error
