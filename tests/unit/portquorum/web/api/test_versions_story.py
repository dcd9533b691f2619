"""Any order of conditional changes and repeated requests by two processes: one truth, none lost."""

import asyncio
import itertools
from functools import cache
from typing import Any, Final

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from portquorum.editing.page_inventory import PageInventory
from tests.memory_journal import MemoryJournal, MemoryLog
from tests.unit.portquorum.editing.world import (
    PARTITIONS,
    FakePauses,
    FakePublished,
    FakeWrites,
    World,
)
from tests.unit.portquorum.web.api.test_changes import Api

NAMES = ("shop", "cart")
names = st.sampled_from(NAMES)
processes = st.integers(0, 1)
ports = st.integers(1, 3)
conditions = st.sampled_from(["none", "any", "present", "stale", "new"])


class TwoProcesses:
    """Two apps over one log: made once, since an app takes longer than a story."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        log, world = MemoryLog(), World()
        self.published: list[FakePublished] = []
        self.apis = []
        for _ in range(2):
            journal, published = MemoryJournal(log), FakePublished(world)
            edits = PageInventory(
                journal, published, FakeWrites(world), FakePauses(world), PARTITIONS
            )
            self.published.append(published)
            self.apis.append(Api(journal=journal, edits=edits, teams=()))

    def ask(self, process: int, *asked: Any, **headers: str) -> httpx.Response:
        for one in self.published:
            self.loop.run_until_complete(one.caught_up())
        return self.loop.run_until_complete(self.apis[process].ask(*asked, **headers))


THERE: Final = cache(TwoProcesses)
STORIES: Final = itertools.count()


class VersionsStory(RuleBasedStateMachine):
    """What a client knows by the answers alone, beside the two processes."""

    @initialize()
    def begin(self) -> None:
        self.story = next(STORIES)
        self.present: dict[str, tuple[int, int]] = {}
        """By id its version and port."""
        self.newest: dict[str, int] = {}
        self.answered: dict[str, tuple[Any, bytes]] = {}
        """By key the body that was sent first and got 201, and the answer."""

    def ask(
        self, process: int, method: str, name: str, body: Any, **headers: str
    ) -> httpx.Response:
        path = f"/targets/{self.id_of(name)}/entry"
        return THERE().ask(process, method, path, body, **headers)

    def id_of(self, name: str) -> str:
        return f"{name}-{self.story}"

    @rule(process=processes, name=names, port=ports, condition=conditions)
    def put(self, process: int, name: str, port: int, condition: str) -> None:
        answer = self.ask(process, "PUT", name, entry(port), **self.headers(name, condition))
        there = self.present.get(name)
        if not self.holds(name, condition):
            assert answer.status_code == 412, answer.text
            assert answer.headers.get("etag") == (f'"{there[0]}"' if there else None)
            return
        assert answer.status_code == (200 if there else 201), answer.text
        if there is not None and there[1] == port:
            assert answer.headers["etag"] == f'"{there[0]}"', "the same entry changes nothing"
        self.changed(name, answer, port)

    @rule(process=processes, name=names, port=ports, condition=conditions)
    def patch(self, process: int, name: str, port: int, condition: str) -> None:
        answer = self.ask(process, "PATCH", name, {"port": port}, **self.headers(name, condition))
        if not self.holds(name, condition):
            assert answer.status_code == 412, answer.text
        elif name not in self.present:
            assert answer.status_code == 404, answer.text
        else:
            assert answer.status_code == 200, answer.text
            self.changed(name, answer, port)

    @rule(process=processes, name=names, condition=conditions)
    def delete(self, process: int, name: str, condition: str) -> None:
        answer = self.ask(process, "DELETE", name, None, **self.headers(name, condition))
        if not self.holds(name, condition):
            assert answer.status_code == 412, answer.text
        elif name not in self.present:
            assert answer.status_code == 404, answer.text
        else:
            assert answer.status_code == 204, answer.text
            self.newest[name] = self.present.pop(name)[0]

    @rule(process=processes, name=names, port=ports, key=st.sampled_from(["k1", "k2"]))
    def post(self, process: int, name: str, port: int, key: str) -> None:
        body = entry(port) | {"id": self.id_of(name)}
        own = f"{key}-{self.story}"
        answer = THERE().ask(process, "POST", "/targets", body, Idempotency_Key=own)
        sent = self.answered.get(key)
        if sent is not None and sent[0] != body:
            assert answer.status_code == 422, answer.text
        elif sent is not None:
            assert (answer.status_code, answer.content) == (201, sent[1])
            assert answer.headers["idempotency-replayed"] == "true"
        elif name in self.present:
            assert answer.status_code == 409, answer.text
        else:
            assert answer.status_code == 201, answer.text
            self.answered[key] = body, answer.content
            self.changed(name, answer, port)

    @invariant()
    def both_answer_the_same(self) -> None:
        for name in NAMES:
            for process in (0, 1):
                answer = self.ask(process, "GET", name, None)
                there = self.present.get(name)
                if there is None:
                    assert answer.status_code == 404
                else:
                    assert answer.headers["etag"] == f'"{there[0]}"'
                    assert answer.json()["entry"]["port"] == there[1]

    def headers(self, name: str, condition: str) -> dict[str, str]:
        version = self.present.get(name, (self.newest.get(name, 7), 0))[0]
        return {
            "none": {},
            "any": {"If_Match": "*"},
            "present": {"If_Match": f'"{version}"'},
            "stale": {"If_Match": f'"{version + 1}"'},
            "new": {"If_None_Match": "*"},
        }[condition]

    def holds(self, name: str, condition: str) -> bool:
        there = name in self.present
        return {"none": True, "any": there, "present": there, "stale": False, "new": not there}[
            condition
        ]

    def changed(self, name: str, answer: httpx.Response, port: int) -> None:
        version = int(answer.headers["etag"].strip('"'))
        assert version >= self.newest.get(name, 0), "versions count on after a removal"
        self.present[name] = version, port
        self.newest[name] = version


def entry(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "regions": ["eu"]}


TestVersionsStory = VersionsStory.TestCase
TestVersionsStory.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
