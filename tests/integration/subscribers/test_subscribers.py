"""Each program of examples/subscribers/ meets the same story, with a kill -9 in its middle."""

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from foundation.kafka import create_topics, producer
from foundation.settings import Settings
from tests.integration.subscribers.programs import PROGRAMS, Program, shell
from tests.integration.subscribers.running import Running, running
from tests.integration.subscribers.story import AT_START, Story

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_nothing_is_lost_or_done_twice(program: Program, kafka: str, tmp_path: Path) -> None:
    name = f"subscriber-{program.__name__}"
    command = [*program(tmp_path), kafka, str(tmp_path / "state")]
    settings = Settings(kafka=kafka, topic_prefix=name, partitions=3)
    env = {"TOPIC_PREFIX": name, "GROUP": f"{name}-service"}
    await create_topics(settings)
    async with producer(settings, compression_type="gzip") as client:
        story = Story(client, f"{name}.")
        await story.before_the_start()
        async with running(command, env) as first:
            await first.until(lambda: story.expected <= set(first.ids()), "what is late is told")
            said_open = first.ids(at_start=True)
            before = len(first.ids())
            # All events wait for it when it goes on; the first of them may come alone. It prints
            # until the pipe is full, and is killed in the middle of its messages.
            first.hold(lambda: len(first.ids()) > before + 1)
            first.send(signal.SIGSTOP)
            await story.outage()
            first.send(signal.SIGCONT)
            await first.until_held()
            await first.kill()
            assert len(first.ids()) < before + 100
        await story.after_the_kill()
        async with running(command, env) as second:
            await second.until(lambda: told_in_all(first, second) == story.expected, "all is told")
            await second.until(lambda: count(second, story.poison) == len(story.poison), "poison")
            assert await second.end(signal.SIGTERM) == 0
        assert_end(second, story)
        # A third time, from the offsets that the second one has committed at its end.
        last = await story.one_more()
        async with running(command, env) as third:
            await third.until(lambda: last in third.ids(), "one more is told")
            assert await third.end(signal.SIGINT) == 0
        assert set(third.ids()) == {last}
        assert_end(third, story)
    assert set(said_open) == AT_START
    assert second.ids(at_start=True) == {}, "it began anew"
    # Of what was printed before the kill, at most what was in hand was not remembered: one event;
    # the shell remembers all messages of one kcat at once.
    if program is not shell:
        assert sum((first.ids() & second.ids()).values()) <= 1
    assert max(second.ids().values()) == 1
    assert max(first.ids().values()) == 1
    assert not [line for line in (*first.lines, *second.lines) if "\x1b" in line]


@pytest.mark.parametrize("program", [one for one in PROGRAMS if one.id != shell.__name__])
async def test_a_new_state_waits_for_the_group_to_be_empty(
    program: Program, kafka: str, tmp_path: Path
) -> None:
    """A group takes no offsets while it has a member, which one that was killed is for a while."""
    name = f"anew-{program.__name__}"
    command = [*program(tmp_path), kafka]
    settings = Settings(kafka=kafka, topic_prefix=name, partitions=3)
    env = {"TOPIC_PREFIX": name, "GROUP": f"{name}-service"}
    await create_topics(settings)
    async with producer(settings, compression_type="gzip") as client:
        story = Story(client, f"{name}.")
        await story.before_the_start()
        async with running([*command, str(tmp_path / "state")], env) as first:
            await first.until(lambda: story.expected <= set(first.ids()), "what is late is told")
            async with running([*command, str(tmp_path / "other")], env) as second:
                line = f"waits: the group {name}-service still has a member"
                await second.until(lambda: line in second.lines, "it waits")
                assert second.ids(at_start=True) == {}
                await first.kill()
                await second.until(lambda: story.expected <= set(second.ids()), "it begins")
                assert set(second.ids(at_start=True)) == AT_START
                assert await second.end(signal.SIGTERM) == 0
            # It has left the group, so that the next one need not wait.
            async with running([*command, str(tmp_path / "third")], env) as third:
                await third.until(lambda: story.expected <= set(third.ids()), "it begins at once")
                assert line not in third.lines


def assert_end(run: Running, story: Story) -> None:
    """The last line says how many events are done, and which incidents are open."""
    still_open = sorted(name for name, is_open in story.open.items() if is_open)
    assert run.lines[-1] == " ".join(["handled", str(len(story.counted)), "open", *still_open])


def told_in_all(*runs: Running) -> set[str]:
    return set().union(*(run.ids() for run in runs))


def count(run: Running, beginnings: Sequence[str]) -> int:
    return sum(any(line.startswith(one) for line in run.lines) for one in beginnings)
