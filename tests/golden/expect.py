"""Records what today's rules make of a golden log, beside what they made of it before.

`python -m tests.golden.expect 0.1 0.2` reads `tests/golden/0.1` and writes its `expected/0.2`.
Nothing that exists is changed. The tests then ask for the reason of each difference
(`tests.golden.differences`).
"""

import sys
from pathlib import Path

import msgspec

from tests.golden import reading
from tests.golden.container import read, write
from tests.golden.replay import Outputs, beginning, replay, restored
from tests.golden.saving import SETTINGS, saved

HERE = Path(__file__).parent


def answers(folder: Path) -> list[Path]:
    """What the rules of each version made of a golden log, the oldest first."""
    return sorted(
        (folder / "expected").iterdir(),
        key=lambda path: [int(part) for part in path.name.split(".")],
    )


def expect(folder: Path, rules: str) -> Path:
    """Writes what the rules make of the golden log in `folder`; returns where that lies."""
    into = folder / "expected" / rules
    into.mkdir()
    log = read(folder / "results.ndjson.xz")
    middle = read(folder / "state-middle.ndjson.xz")
    now = max(one.at for one in log)
    states = beginning(SETTINGS.partitions)
    until = {
        number: state.offset for number, state in restored(middle, SETTINGS.partitions).items()
    }
    first = [one for one in log if one.offset <= until[one.partition]]
    outputs = replay(first, states)
    write(into / "state-middle.ndjson.xz", saved(states.values(), now))
    later = replay(log, states)
    _write(into, "", _joined(outputs, later))
    write(into / "state-end.ndjson.xz", saved(states.values(), now))
    resumed = restored(middle, SETTINGS.partitions)
    _write(into, "rest-", replay(log, resumed))
    write(into / "rest-state-end.ndjson.xz", saved(resumed.values(), now))
    # The sink reads the topics as the old version wrote them.
    own = folder / "expected" / folder.name
    logs = {n: read(folder / f"{n}.ndjson.xz") for n in reading.INPUTS}
    logs |= {n: read(own / f"{n}.ndjson.xz") for n in ("incidents", "rechecks")}
    text = msgspec.json.encode(reading.sink({**logs, "state": middle}))
    (into / "sink.json").write_bytes(msgspec.json.format(text, indent=1) + b"\n")
    return into


def _joined(first: Outputs, later: Outputs) -> Outputs:
    """Both, with offsets that count on."""
    joined: Outputs = {}
    for topic, messages in first.items():
        ends: dict[int, int] = {}
        joined[topic] = []
        for one in [*messages, *later[topic]]:
            offset = ends[one.partition] = ends.get(one.partition, -1) + 1
            joined[topic].append(msgspec.structs.replace(one, offset=offset))
    return joined


def _write(into: Path, prefix: str, outputs: Outputs) -> None:
    for topic, messages in outputs.items():
        ordered = sorted(messages, key=lambda one: (one.partition, one.offset))
        write(into / f"{prefix}{topic}.ndjson.xz", ordered)


if __name__ == "__main__":
    expect(HERE / sys.argv[1], sys.argv[2])
