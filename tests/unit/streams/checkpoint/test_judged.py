"""Which version has decided, and since when: what the heads of checkpoints say of it."""

import pytest

from foundation.upgrade_order import own_version
from schemas.checkpoint import FORMAT, CheckpointHead, decode_head, encode_head
from streams.checkpoint.judged import Judged, judged_now, same_rules

OWN = own_version()
PATCH = ".".join([*OWN.split(".")[:2], "99"])


def head(offset: int, version: str = "", judged_from: int = 0) -> CheckpointHead:
    return CheckpointHead(
        format=FORMAT,
        partition=0,
        offset=offset,
        now=0,
        written_at=0,
        crc32=(),
        version=version,
        judged_from=judged_from,
    )


@pytest.mark.parametrize(
    ("heads", "offset", "since"),
    [
        ([], -1, 0),  # a new log
        ([head(9, OWN, 3)], -1, 0),  # none of them could be read
        ([head(9, OWN, 3)], 9, 3),  # a restart
        ([head(9, PATCH, 3)], 9, 3),
        ([head(9)], 9, 10),  # after 0.1
        ([head(9, "0.1.0", 3)], 9, 10),
        ([head(9, "99.0.0", 3)], 9, 10),  # a way back
        ([head(20, OWN, 15), head(9, "0.1.0")], 9, 10),
        ([head(9, "0.1.0"), head(9, OWN, 3)], 9, 3),
    ],
)
def test_a_version_decides_from_the_checkpoint_of_another_one_on(
    heads: list[CheckpointHead], offset: int, since: int
) -> None:
    assert judged_now(heads, offset) == Judged(OWN, since)


def test_a_head_of_before_is_of_no_known_rules() -> None:
    assert same_rules(head(1, OWN))
    assert not same_rules(head(1))
    assert not same_rules(head(1, "no version"))


def test_heads_are_written_as_before_where_nothing_is_known() -> None:
    assert b"judged_from" not in encode_head(head(1))
    assert decode_head(encode_head(head(1, OWN, 7))) == head(1, OWN, 7)
