"""The shelf: which checkpoint is taken, whatever is missing, broken or foreign."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checkpoint import FORMAT, HEAD, CheckpointHead, CheckpointKey, encode_head
from streams.checkpoint import decoder
from streams.checkpoint.model import PartitionCheckpoints, checksums
from streams.checkpoint.restore import StateTooNewError, from_shelf, refuse_newer
from streams.state.partition_state import new_state

Message = tuple[bytes, bytes | None]


def written(
    writer: str, generation: int, offset: int, chunks: tuple[bytes, ...], **changes: object
) -> list[Message]:
    """The messages of a checkpoint in the order of writing."""
    values = {
        "format": FORMAT,
        "partition": 0,
        "offset": offset,
        "now": 0,
        "written_at": 0,
        "crc32": checksums(chunks),
    }
    head = CheckpointHead(**(values | changes))  # type: ignore[arg-type]
    parts = [*(str(number) for number in range(len(chunks))), HEAD]
    keys = [CheckpointKey(writer, generation, part).encode() for part in parts]
    return list(zip(keys, (*chunks, encode_head(head)), strict=True))


def shelf_of(*messages: Message) -> PartitionCheckpoints:
    shelf = PartitionCheckpoints(0)
    for key, value in messages:
        shelf.add(key, value)
    return shelf


def test_the_highest_offset_wins_whoever_wrote_last() -> None:
    owner = written("owner", 7, 200, (b"new",))
    zombie = written("zombie", 9, 105, (b"old",))
    assert shelf_of(*owner, *zombie).complete()[0].chunks == (b"new",)


@given(st.integers(min_value=1, max_value=4))
def test_a_checkpoint_counts_only_when_its_last_message_is_there(chunks: int) -> None:
    newer = written("w", 2, 20, tuple(b"%d" % n for n in range(chunks)))
    older = written("w", 1, 10, (b"older",))
    for length in range(len(newer)):
        shelf = shelf_of(*older, *newer[:length])
        assert [found.head.offset for found in shelf.complete()] == [10]
    assert shelf_of(*older, *newer).complete()[0].head.offset == 20


@given(st.data())
def test_whatever_is_lost_what_is_taken_is_whole(data: st.DataObject) -> None:
    messages = [
        message
        for generation in range(1, 5)
        for message in written(
            "w", generation, generation * 10, (b"a%d" % generation, b"b%d" % generation)
        )
    ]
    lost = data.draw(st.sets(st.sampled_from(messages)))
    order = data.draw(st.permutations([m for m in messages if m not in lost]))
    shelf = shelf_of(*order)
    whole = [
        generation
        for generation in range(1, 5)
        if not any(key.startswith(b"w/%d/" % generation) for key, _ in lost)
    ]
    assert [found.generation for found in shelf.complete()] == whole[::-1]
    for found in shelf.complete():
        assert found.chunks == (b"a%d" % found.generation, b"b%d" % found.generation)


def test_a_changed_chunk_makes_a_checkpoint_incomplete() -> None:
    messages = written("w", 1, 10, (b"abc",))
    shelf = shelf_of(*messages, (messages[0][0], b"abd"))
    assert shelf.complete() == []
    assert shelf.incomplete() == 1


def test_null_values_remove() -> None:
    messages = written("w", 1, 10, (b"abc",))
    shelf = shelf_of(*messages, *((key, None) for key, _ in messages))
    assert shelf.complete() == []
    assert shelf.keys() == {}
    assert shelf.incomplete() == 0


def test_other_formats_other_partitions_and_strange_keys_are_left_alone() -> None:
    later = written("later", 1, 99, (b"x",), format=FORMAT + 1)
    elsewhere = written("elsewhere", 1, 98, (b"x",), partition=1)
    strange: list[Message] = [
        (b"", b"x"),
        (b"a/b", b"x"),
        (b"\xff/1/head", b"x"),
        (b"w/1/head", b"not json"),
        (b"w/1/head", b"\xff"),
    ]
    shelf = shelf_of(*later, *elsewhere, *strange)
    assert shelf.complete() == []
    assert shelf.keys() == {}


def test_chunks_without_a_head_can_be_deleted() -> None:
    [chunk, _head] = written("dead", 3, 10, (b"x",))
    assert shelf_of(chunk).keys() == {("dead", 3): [chunk[0]]}


def test_heads_are_deleted_before_their_chunks() -> None:
    messages = written("w", 1, 10, (b"a", b"b"))
    [keys] = shelf_of(*messages).keys().values()
    assert keys[0] == messages[-1][0]
    assert set(keys) == {key for key, _ in messages}


def test_a_checkpoint_that_is_no_state_gives_way_and_one_beyond_the_log_is_impossible() -> None:
    state = new_state(0, 4)
    state.offset = 10
    shelf = shelf_of(
        *written("w", 1, 10, tuple(decoder.encode(state))),
        *written("w", 2, 20, (b"\x93no state",)),
        *written("gone", 1, 500, tuple(decoder.encode(state))),
    )
    found, impossible = from_shelf(shelf, 4, log_end=100)
    assert found is not None
    assert found.offset == 10
    assert [checkpoint.name for checkpoint in impossible] == [("gone", 1)]
    assert from_shelf(PartitionCheckpoints(0), 4, log_end=100) == (None, [])
    assert from_shelf(shelf, 8, log_end=100)[0] is None, "of another partition count"


def true_checkpoint(offset: int, writer: str = "true") -> list[Message]:
    state = new_state(0, 1)
    state.offset, state.now = offset, 5
    return written(writer, 1, offset, tuple(decoder.encode(state)), now=5)


def forged_chunks() -> list[tuple[bytes, ...]]:
    """Chunks that are no state: each with a reason of its own."""
    state = new_state(0, 1)
    state.offset, state.now = 20, 5
    frame = msgspec.msgpack.decode(decoder.encode(state)[0])
    pack = msgspec.msgpack.encode
    terms = [["a"], 0, 0, 0, 0, "quorum", 0, 0, 0, None]
    block: list[object] = [1, [terms], bytes(8), [], b"", b"", b"", b"", b"", b"", b""]
    return [
        (),
        (b"",),
        (b"\xff" * 100,),
        (pack({}),),
        (b"\x91" * 100_000,),
        (pack([*frame[:2], 2**64 - 1, *frame[3:]]),),
        (pack([*frame[:4], 10, *frame[5:]]),),
        (pack(frame), pack(block)),
        (pack(frame), pack([2, 1, b"x"])),
        (pack(frame), pack([0, {}, {}, {}, {"nobody": None}])),
        tuple(decoder.encode(new_state(0, 1))),  # of another offset
        tuple(decoder.encode(new_state(1, 2))),  # of another partition
    ]


@pytest.mark.parametrize("chunks", forged_chunks())
def test_a_forged_checkpoint_takes_the_place_of_no_true_one(chunks: tuple[bytes, ...]) -> None:
    forged = written("forged", 1, 20, chunks, now=5)
    state, impossible = from_shelf(shelf_of(*true_checkpoint(10), *forged), 1, log_end=100)
    assert state is not None
    assert (state.offset, impossible) == (10, [])


@given(st.binary(max_size=200), st.integers(0, 2_000), st.binary(max_size=3))
def test_a_changed_state_is_restored_or_refused(noise: bytes, at: int, other: bytes) -> None:
    chunk = decoder.encode(new_state(0, 1))[0]
    changed = (chunk[: at % len(chunk)] + other + chunk[at % len(chunk) :], noise)
    try:
        state = decoder.decode(changed, 0, 1)
    except ValueError:
        return
    decoder.encode(state)


def test_a_key_has_one_spelling() -> None:
    for key in (b"w/01/0", b"w/1/00", b"w/ 1/0", b"w/-0/0", "w/\u0661/0".encode(), b"w/1/head "):
        with pytest.raises(ValueError, match="writer/generation/part"):
            CheckpointKey.decode(key)
    assert CheckpointKey.decode(b"a/b/12/3") == CheckpointKey("a/b", 12, "3")
    with pytest.raises(ValueError, match="writer/generation/part"):
        CheckpointKey.decode(b"w/" + b"9" * 5_000 + b"/0")


def test_a_state_that_a_newer_version_went_beyond_is_refused() -> None:
    """To judge on from it would tell of open incidents anew, and undo what the newer one told."""
    ours = written("ours", 1, 100, (b"known",))
    newer = written("newer", 1, 150, (b"x",), format=FORMAT + 1, version="9.1.0")
    shelf = shelf_of(*ours, *newer)
    with pytest.raises(StateTooNewError, match=r"format 2, this portquorum reads 1: .* 9\.1\.0"):
        refuse_newer(shelf, 100, log_end=200)
    with pytest.raises(StateTooNewError):
        refuse_newer(shelf_of(*newer), -1, log_end=200)  # nothing else: targets would be lost
    refuse_newer(shelf, 160, log_end=200)  # a way back that went on since
    refuse_newer(shelf, 100, log_end=120)  # of a log that is no more
    other = written("other", 1, 150, (b"x",), format=FORMAT + 1, partition=1)
    refuse_newer(shelf_of(*ours, *other), 100, log_end=200)
