"""A program: answers one question from standard input on standard output, and ends.

It only reads: the partition's checkpoint and the log after it.
"""

import asyncio
import contextlib
import os
import resource
import sys
from pathlib import Path
from typing import Final

import msgspec
from aiokafka.errors import KafkaError

from portquorum.web.explaining.answers import Asked, Read, TargetExplained, decoded
from streams.explain import explain
from streams.replay import latest_state
from streams.results_log import LogStalledError

MOST_BYTES: Final = 2 << 30
MOST_CPU_S: Final = 10
"""Address space and processor time: a partition of a hundred thousand targets does not fit."""

NICENESS: Final = 10


async def answer(asked: Asked) -> Read:
    """Why the target has an incident or none; or why that can't be said."""
    try:
        latest = await latest_state.read(asked.settings, asked.partition)
    except (KafkaError, OSError, TimeoutError):
        return Read(trouble="Kafka does not answer.")
    except LogStalledError:
        return Read(trouble="The log of the target's partition can't be read.")
    except MemoryError:
        return Read(trouble="The state of the target's partition is too large for this page.")
    return Read(
        found=TargetExplained(
            target=asked.target,
            partition=asked.partition,
            explanation=explain(latest.state, asked.target),
            log_at=latest.state.now,
            checkpoint_at=latest.checkpoint_at,
            behind=latest.behind,
            complete=latest.complete,
        )
    )


def _limited() -> None:
    os.nice(NICENESS)
    # Where memory ends, the kernel ends this process, and no broker and no stream beside it.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for what, most in ((resource.RLIMIT_AS, MOST_BYTES), (resource.RLIMIT_CPU, MOST_CPU_S)):
        hard = resource.getrlimit(what)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (limit, hard))


if __name__ == "__main__":
    _limited()
    question = decoded(sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(answer(question))))
