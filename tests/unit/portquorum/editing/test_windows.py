"""Windows of the page: what is published is always the newest edit that counts."""

from collections.abc import Mapping

import pytest
from aiokafka.errors import KafkaError

from portquorum.editing import windows
from portquorum.editing.windows import WindowError, WindowPublisher
from portquorum.inventory.document import MaintenanceEntry
from schemas import policy
from schemas.policy import Maintenance
from schemas.web import WrittenMaintenance
from tests.memory_journal import MemoryJournal

ENTRY = MaintenanceEntry(
    name="night", targets=("db-1", "tag:prod"), start="2026-12-01T02:00Z", duration="2h"
)


class PolicyTopic:
    """The windows of the source `web`; `before` is called before each write."""

    def __init__(self) -> None:
        self.windows: dict[str, Maintenance] = {}
        self.writes = 0
        self.is_away = False
        self.publisher: WindowPublisher | None = None
        self.meanwhile: list[WrittenMaintenance] = []
        self.journal = MemoryJournal()

    async def write(self, entries: Mapping[bytes, bytes | None]) -> None:
        if self.is_away:
            raise KafkaError("away")
        self.writes += 1
        for key, value in entries.items():
            name = key.decode().split("/", 2)[2]
            if value is None:
                self.windows.pop(name, None)
            else:
                found = policy.decode(value)
                assert isinstance(found, Maintenance)
                self.windows[name] = found
        while self.meanwhile:
            await self.journal.edit([self.meanwhile.pop()])


def edit(version: int, *, duration: str = "2h", removed: bool = False) -> WrittenMaintenance:
    entry = MaintenanceEntry(
        name="night", targets=ENTRY.targets, start=ENTRY.start, duration=duration
    )
    return WrittenMaintenance(
        name="night",
        version=version,
        change="0" * 16,
        at=1,
        by="ann",
        entry=windows.encoded(entry),
        removed=removed,
    )


def made() -> tuple[PolicyTopic, WindowPublisher]:
    topic = PolicyTopic()
    return topic, WindowPublisher(topic.journal, lambda: topic.windows, topic.write)


async def test_an_edit_is_published_and_a_removal_too() -> None:
    topic, publisher = made()
    await topic.journal.edit([edit(1)])
    await publisher.publish(["night"])
    assert topic.windows["night"].duration_ms == 7_200_000
    await topic.journal.edit([edit(2, removed=True)])
    await publisher.publish(["night"])
    assert topic.windows == {}


async def test_a_newer_edit_that_came_meanwhile_is_published_last() -> None:
    topic, publisher = made()
    await topic.journal.edit([edit(1)])
    topic.meanwhile = [edit(3, duration="4h"), edit(2, duration="3h")]
    await publisher.publish(["night"])
    assert topic.windows["night"].duration_ms == 4 * 3_600_000
    assert topic.writes == 2


async def test_a_repair_publishes_what_differs() -> None:
    topic, publisher = made()
    await topic.journal.edit([edit(1)])
    topic.windows["gone"] = windows.resolved(ENTRY, windows.AnyTarget())
    assert await publisher.repair() == 2
    assert topic.windows.keys() == {"night"}
    assert await publisher.repair() == 0
    assert topic.writes == 1
    topic.is_away = True
    topic.windows.clear()
    with pytest.raises(KafkaError):
        await publisher.repair()


def test_what_is_wrong_is_named_by_its_field() -> None:
    for entry, field in (
        (MaintenanceEntry(name="a", targets=("nobody",), start="x", duration="1h"), "targets[0]"),
        (MaintenanceEntry(name="a", targets=("db-1",), start="x", duration="1h"), "start"),
        (MaintenanceEntry(name="a"), ""),
    ):
        with pytest.raises(WindowError) as error:
            windows.resolved(entry, ["db-1"])
        assert error.value.errors[0].field == field
    assert windows.stored("{") is None
    assert windows.stored(windows.encoded(ENTRY)) == ENTRY
