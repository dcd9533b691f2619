"""What an older version wrote, read by the code of today.

A failure here is a promise that is about to be broken: see README.md beside the log.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from portquorum.inventory.load import load
from portquorum.inventory.present import PolicyKept, Present
from portquorum.inventory.resolve import resolve
from schemas import checkpoint, incident, notification, notifier_state, policy, recheck, target
from schemas.incident import IncidentEvent
from schemas.notification import Notification
from schemas.notifier_state import Subject
from tests.golden import container, expect, members, reading
from tests.golden.container import Message, by_partition
from tests.golden.continued import go_on
from tests.golden.differences import CHANGES, differences, told, unexplained, walk
from tests.golden.replay import Outputs, beginning, chunks, encoded, replay, restored
from tests.golden.saving import SETTINGS
from tests.golden.telling import both_logs, continued

HERE = Path(__file__).parent
VERSIONS = sorted(path.name for path in HERE.iterdir() if (path / "results.ndjson.xz").exists())
PARTITIONS = SETTINGS.partitions

pytestmark = pytest.mark.parametrize("version", VERSIONS)


@cache
def read(path: Path) -> list[Message]:
    return container.read(path)


def log(version: str) -> list[Message]:
    return read(HERE / version / "results.ndjson.xz")


def answers(version: str) -> list[Path]:
    """What the rules of each version gave, the oldest first; today's must give the last one."""
    return expect.answers(HERE / version)


def expected(folder: Path) -> Outputs:
    return {name: read(folder / f"{name}.ndjson.xz") for name in ("incidents", "rechecks")}


def checkpoint_of(version: str) -> list[Message]:
    return read(HERE / version / "state-middle.ndjson.xz")


def logs(version: str) -> dict[str, list[Message]]:
    """Every topic, as the code of that version wrote it."""
    return (
        {name: read(HERE / version / f"{name}.ndjson.xz") for name in reading.INPUTS}
        | expected(answers(version)[0])
        | {"state": checkpoint_of(version)}
    )


def expected_rest(folder: Path) -> Outputs:
    """What must come from the checkpoint on.

    It is the rest of what comes from the beginning, unless later rules say otherwise of what
    happened before the checkpoint: then the folder has it by itself.
    """
    own = folder / "rest-incidents.ndjson.xz"
    if own.exists():
        return {n: read(folder / f"rest-{n}.ndjson.xz") for n in ("incidents", "rechecks")}
    version = folder.parent.parent.name
    states = restored(checkpoint_of(version), PARTITIONS)
    found: Outputs = {}
    for topic, messages in expected(folder).items():
        found[topic] = []
        for number, some in by_partition(messages).items():
            after = states[number].offset
            late = [one for one in some if one.because is not None and one.because > after]
            found[topic] += [replace(one, offset=place) for place, one in enumerate(late)]
    return found


def recorded_state(folder: Path, *names: str) -> dict[int, list[bytes]]:
    """The chunks of the first of these checkpoints that the folder has."""
    return chunks(read(next(path for name in names if (path := folder / name).exists())))


def still_open(events: list[Message]) -> dict[str, IncidentEvent]:
    """The incidents that were told to be open, by id."""
    found: dict[str, IncidentEvent] = {}
    for one in events:
        event = incident.decode(one.value or b"")
        if not isinstance(event, IncidentEvent):
            continue
        if event.event == "closed":
            del found[event.incident_id]
        else:
            found[event.incident_id] = event
    return found


def same_chunks(recorded: dict[int, list[bytes]], today: dict[int, list[bytes]]) -> str:
    """Empty if they are; else the first places where the decoded chunks differ."""
    texts = []
    for number, old in recorded.items():
        new = today[number]
        if old == new:
            continue
        before = [msgspec.msgpack.decode(chunk, strict=False) for chunk in old]
        after = [msgspec.msgpack.decode(chunk, strict=False) for chunk in new]
        texts += [
            f"partition {number}, {path}: recorded {one!r:.200}, today {other!r:.200}"
            for path, one, other in walk(before, after)
        ] or [f"partition {number}: the same values with other bytes"]
    return "\n".join(texts[:10])


def test_the_whole_log_gives_the_events_the_requests_and_the_state_that_it_gave(
    version: str,
) -> None:
    states = beginning(PARTITIONS)
    today = replay(log(version), states)
    folder = answers(version)[-1]
    for topic, recorded in expected(folder).items():
        found = told(list(map(str, differences(recorded, today[topic]))))
        assert not found, found
    found = same_chunks(recorded_state(folder, "state-end.ndjson.xz"), encoded(states))
    assert not found, found


def test_a_worker_that_starts_from_the_old_checkpoint_goes_on_as_the_old_one_did(
    version: str,
) -> None:
    states = restored(checkpoint_of(version), PARTITIONS)
    today = replay(log(version), states)
    folder = answers(version)[-1]
    for topic, recorded in expected_rest(folder).items():
        assert len(recorded) > 10
        found = told(list(map(str, differences(recorded, today[topic]))))
        assert not found, found
    names = "rest-state-end.ndjson.xz", "state-end.ndjson.xz"
    found = same_chunks(recorded_state(folder, *names), encoded(states))
    assert not found, found


def test_the_state_at_the_checkpoint_is_the_one_that_was_written(version: str) -> None:
    old = restored(checkpoint_of(version), PARTITIONS)
    first = [one for one in log(version) if one.offset <= old[one.partition].offset]
    states = beginning(PARTITIONS)
    replay(first, states)
    own = answers(version)[-1] / "state-middle.ndjson.xz"
    recorded = chunks(read(own) if own.exists() else checkpoint_of(version))
    found = same_chunks(recorded, encoded(states))
    assert not found, found


def test_whatever_later_rules_say_otherwise_has_a_reason(version: str) -> None:
    folders = answers(version)
    for before, after in pairwise(folders):
        changes = [one for one in CHANGES if (one.log, one.rules) == (version, after.name)]
        pairs = [(expected(before), expected(after)), (expected_rest(before), expected_rest(after))]
        found = {
            str(one): one
            for old, new in pairs
            for topic in old
            for one in differences(old[topic], new[topic])
        }
        text = told(unexplained(found.values(), changes))
        assert not text, text
    assert {one.rules for one in CHANGES if one.log == version} <= {one.name for one in folders[1:]}


@pytest.mark.parametrize("start", ["checkpoint", "end"])
def test_every_incident_that_is_told_open_closes_when_all_succeed(version: str, start: str) -> None:
    first = answers(version)[0]
    end = read(first / "state-end.ndjson.xz")
    states = restored(checkpoint_of(version) if start == "checkpoint" else end, PARTITIONS)
    until = {number: state.offset for number, state in states.items()}
    events = expected(first)["incidents"]
    told_open = still_open([one for one in events if (one.because or 0) <= until[one.partition]])
    assert {event.incident_type for event in told_open.values()} == {
        "unreachable",
        "slow",
        "flapping",
    }
    closed = [event for event in go_on(states, minutes=45) if event.event == "closed"]
    left = told_open.keys() - {event.incident_id for event in closed}
    assert not left, [told_open[one] for one in left]
    assert not [one for state in states.values() for one in state.targets.values() if one.incidents]


def _checkpoint_part(one: Message) -> object:
    key = checkpoint.CheckpointKey.decode(one.key or b"")
    if key.part == checkpoint.HEAD:
        return checkpoint.decode_head(one.value or b"")
    return msgspec.msgpack.decode(one.value or b"")


def _event(one: Message) -> object:
    event = incident.decode(one.value or b"")
    today = incident.headers(event)
    # Later versions may add headers, and change none.
    assert tuple(pair for pair in today if pair[0] in dict(one.headers)) == one.headers
    return event


def _sent(one: Message) -> object:
    sent = notification.decode(one.value or b"")
    assert sent.key == one.key
    return sent


DECODERS: dict[str, Callable[[Message], object]] = {
    "targets": lambda one: one.value is None or target.decode(one.value),
    "policy": lambda one: one.value is None or policy.decode(one.value),
    "incidents": _event,
    "rechecks": lambda one: recheck.decode(one.value or b""),
    "notifications": _sent,
    "state": _checkpoint_part,
}


@pytest.mark.parametrize("topic", DECODERS)
def test_every_old_value_decodes(version: str, topic: str) -> None:
    messages = logs(version)[topic]
    assert len(messages) > 5
    for one in messages:
        assert DECODERS[topic](one)


def test_what_is_decoded_loses_nothing(version: str) -> None:
    """A field that today's Structs do not know is dropped in silence by a decoder."""
    kinds: dict[str, Callable[[bytes], Any]] = {
        "targets": target.decode,
        "policy": policy.decode,
        "incidents": incident.decode,
        "rechecks": recheck.decode,
        "notifications": notification.decode,
    }
    for topic, decode in kinds.items():
        for one in logs(version)[topic]:
            if one.value is None:
                continue
            written = msgspec.json.decode(one.value)
            again = msgspec.json.decode(msgspec.json.encode(decode(one.value)))
            lost = [
                (topic, path, before, after)
                for path, before, after in walk(written, again)
                # A field of later has a default: it may be more than was written.
                if before != "nothing"
            ]
            assert not lost


def memory(version: str) -> list[Message]:
    """What its notifier left on [notifier-state]; 0.1 had none."""
    path = HERE / version / "notifier-state.ndjson.xz"
    return read(path) if path.exists() else []


def test_the_notifier_goes_on_from_the_memory_of_that_version(version: str) -> None:
    """Nobody is told again of what is open; of its end everybody who was told, once."""
    if not memory(version):
        return  # the next test
    known = logs(version)
    policies = known["policy"]
    open_now = {
        found.key
        for one in memory(version)
        if isinstance(found := notifier_state.decode(one.value or b""), Subject)
        and found.phase != "closed"
    }
    assert len(open_now) > 5
    waited, _ = both_logs((), policies, memory(version))
    before = {(row.incident_id, row.route) for row in _rows(known["notifications"]) if _sent(row)}
    again = [row for row in _rows(waited) if _sent(row) and row.action == "opened"]
    assert not [row for row in again if (row.incident_id, row.route) in before]
    states = restored(read(answers(version)[0] / "state-end.ndjson.xz"), PARTITIONS)
    ends = [one for one in go_on(states, minutes=45) if one.event == "closed"]
    at = max(one.at for one in memory(version))
    closing = [
        Message(
            partition=0,
            offset=number,
            at=max(at, one.at),
            key=None,
            headers=(),
            value=msgspec.json.encode(one),
        )
        for number, one in enumerate(ends)
    ]
    told_now, _ = both_logs(closing, policies, memory(version))
    closed = Counter(
        (row.incident_id, row.channel)
        for row in _rows(told_now)
        if _sent(row) and row.action == "closed"
    )
    heard = {incident_id for incident_id, _ in before}
    assert {one for one, _ in closed} >= heard & {one.incident_id for one in ends}
    assert set(closed.values()) == {1}


def test_nobody_is_told_again_of_what_the_send_log_says_was_sent(version: str) -> None:
    if memory(version):
        return  # it goes on from its memory
    known = logs(version)
    events, policies, before = known["incidents"], known["policy"], known["notifications"]
    ends = {one.partition: one.offset + 1 for one in events}
    heard = {(row.incident_id, row.route) for row in _rows(before) if row.status == "sent"}
    for row in _rows(continued(events, policies, before, ends)):
        assert row.status != "sent" or (row.incident_id, row.route) not in heard
    # What 0.1 had not recorded is told, and nothing else.
    last = max((one for one in before if _status(one) == "sent"), key=lambda one: one.at)
    (missing,) = _rows([last])
    cut = [one for one in before if one.key != last.key]
    (place,) = [one for one in events if _event_id(one) == missing.event_id]
    commits = ends | {place.partition: place.offset}
    told_now = [row for row in _rows(continued(events, policies, cut, commits)) if _sent(row)]
    assert [
        (row.event_id, row.route) for row in told_now if (row.incident_id, row.route) in heard
    ] == [(missing.event_id, missing.route)]


def _rows(log: Iterable[Message]) -> list[Notification]:
    return [notification.decode(one.value or b"") for one in log]


def _sent(row: Notification) -> bool:
    return row.status == "sent"


def _event_id(one: Message) -> str:
    return incident.decode(one.value or b"").event_id


def _status(one: Message) -> str:
    return notification.decode(one.value or b"").status


def test_the_inventory_still_means_what_was_published(version: str) -> None:
    """Every field of that time is resolved as it was; a later version may have more of them."""
    folder = HERE / version / "inventory"
    files = sorted(folder.iterdir())
    published: dict[str, dict[str, Any]] = {}
    for one in logs(version)["targets"]:
        name = (one.key or b"").decode()
        published.pop(name, None)
        if one.value is not None:
            published[name] = msgspec.json.decode(one.value)
    seen = set()
    sources = {fields["source"] for fields in published.values()} - {"simulation"}
    for source in sorted(sources):
        others = [path for path in files if any(one in path.name for one in sources)]
        of_source = [path for path in others if source in path.name]
        of_source = of_source or [path for path in files if path not in others]
        known = Present((), _policies(version)).known(source)
        entries, problems = load([of_source[-1]])
        for found in resolve(entries, source, problems, known).targets:
            old = published[found.id]
            new = msgspec.json.decode(msgspec.json.encode(found))
            new["version"] = old["version"]
            assert [each for each in walk(old, new) if each[1] != "nothing"] == []
            seen.add(found.id)
    assert seen == {n for n, fields in published.items() if fields["source"] != "simulation"}


def _policies(version: str) -> dict[bytes, PolicyKept]:
    kept: dict[bytes, PolicyKept] = {}
    for one in logs(version)["policy"]:
        key = one.key or b""
        kept.pop(key, None)
        if one.value is not None:
            source = key.decode().split("/", 1)[0]
            kept[key] = PolicyKept(source, policy.decode(one.value), one.offset)
    return kept


def test_the_sink_reads_the_same_rows_and_the_same_dead_letters(version: str) -> None:
    raw = (answers(version)[-1] / "sink.json").read_bytes()
    recorded = msgspec.json.decode(raw, type=reading.Sunk)
    found = reading.sink(logs(version))
    assert found.letters == recorded.letters
    assert len(found.letters) > 50
    today = {(one.topic, one.partition, one.table): one for one in found.rows}
    assert today.keys() == {(one.topic, one.partition, one.table) for one in recorded.rows}
    for one in recorded.rows:
        new = today[one.topic, one.partition, one.table]
        assert new.rows == one.rows
        # Columns that came later are not in the recorded ones.
        changed = [name for name, digest in one.columns.items() if new.columns.get(name) != digest]
        assert not changed, f"{one.topic}, partition {one.partition}: {one.table} {changed}"


def test_the_log_has_every_member_of_every_enumeration_of_its_time(version: str) -> None:
    recorded = msgspec.json.decode(
        (HERE / version / "members.json").read_bytes(), type=dict[str, set[str]]
    )
    found = members.occurring(logs(version))
    # What is an enumeration only since then has no member there.
    assert {name: some for name, some in found.items() if some or name in recorded} == recorded
    if version != VERSIONS[-1]:
        return  # what came later can't occur in it
    absent = {
        (name, member) for name, all_ in members.declared().items() for member in all_ - found[name]
    }
    unnamed = absent - members.ABSENT.keys()
    assert not unnamed, f"{unnamed}: record a golden log that has them, or say why it can't"
    assert members.ABSENT.keys() <= absent


def test_the_log_has_what_its_readme_promises(version: str) -> None:
    """Some of it has no enumeration: duplicates, late results, gaps, odd messages."""
    messages = log(version)
    assert {one.partition for one in messages} == set(range(PARTITIONS))
    for some in by_partition(messages).values():
        assert [one.offset for one in some] == list(range(len(some)))
        waits = [later.at - earlier.at for earlier, later in pairwise(some)]
        assert min(waits) >= 0
        assert max(waits) > 15_000
    assert sum(one.value is None for one in messages) >= 2
    assert sum(one.value == b"" and not one.headers for one in messages) >= 1
    values = [one.value for one in messages if one.value]
    assert len(values) > len(set(values)) + 20, "whole messages that come twice"
    late = [
        one
        for one in messages
        for line in (one.value or b"").split(b"\n")
        if (started := _started(line)) is not None and one.at - started > 60_000
    ]
    assert len(late) > 20, "results that waited in a spool"


def _started(line: bytes) -> int | None:
    try:
        return msgspec.json.decode(line, type=_Started).started_at
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class _Started(msgspec.Struct):
    started_at: int
