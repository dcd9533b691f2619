"""A process that edits one object many times at once: `editor.py KAFKA PREFIX NAME EDITS`.

It prints a line for each answer: `answered VERSION accepted|refused TEXT`, `error WORDS`; at the
end, `done`. Each edit is tried until it was accepted once.
"""

import asyncio
import sys

from aiokafka.errors import KafkaError

from foundation.settings import Settings
from portquorum.journal.journal import KafkaJournal
from schemas.web import WrittenTarget


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def edit_until_accepted(journal: KafkaJournal, name: str, number: int) -> None:
    for attempt in range(10_000):
        text = f"{name}-{number}-{attempt}"
        version = journal.book.version(WrittenTarget, "db") + 1
        edit = WrittenTarget(version=version, change="0" * 16, at=0, by=name, id="db", entry=text)
        say(f"tried {version} {text}")
        try:
            (outcome,) = await journal.edit([edit])
        except (KafkaError, OSError) as error:
            say(f"error {error!r}")
            await journal.caught_up()
            continue
        word = "accepted" if outcome.accepted else "refused"
        say(f"answered {version} {word} {text}")
        if outcome.accepted:
            return


async def main(kafka: str, prefix: str, name: str, edits: int) -> None:
    settings = Settings(kafka=kafka, topic_prefix=prefix, partitions=1)
    journal = KafkaJournal(settings)
    running = asyncio.create_task(journal.run())
    await journal.is_present.wait()
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.gather(*(edit_until_accepted(journal, name, one) for one in range(edits)))
    say("done")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
