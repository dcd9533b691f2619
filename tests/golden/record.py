"""Records a golden log with the code as it is: `python -m tests.golden.record FOLDER`.

The same code gives the same files. A recorded folder is never recorded again: this program makes
the log of the next version.
"""

import sys
from pathlib import Path
from typing import Final

import msgspec

from tests.golden.container import write
from tests.golden.members import occurring
from tests.golden.reading import INPUTS, sink
from tests.golden.stage import Stage
from tests.golden.story import BEGIN, Story
from tests.golden.telling import both_logs

SEED: Final = 12


def record(folder: Path, rules: str) -> None:
    """Writes everything into `folder`, which must be empty; `rules` names today's version."""
    inventories = folder / "inventory"
    inventories.mkdir(parents=True)
    stage = Stage(BEGIN, inventories)
    story = Story(stage, SEED)
    story.long_before()
    story.first_half()
    middle = stage.checkpoint()
    story.second_half()
    story.simulated()
    story.jobs()
    story.newer()
    story.ending()
    logs = {name: [one for part in parts for one in part] for name, parts in stage.topics.items()}
    logs["notifications"], memory = both_logs(logs["incidents"], logs["policy"])
    logs["state"] = middle
    for name in INPUTS:
        write(folder / f"{name}.ndjson.xz", logs[name])
    write(folder / "state-middle.ndjson.xz", middle)
    write(folder / "notifier-state.ndjson.xz", memory)
    expected = folder / "expected" / rules
    for name in ("incidents", "rechecks"):
        write(expected / f"{name}.ndjson.xz", logs[name])
    write(expected / "state-end.ndjson.xz", stage.checkpoint())
    _write_json(expected / "sink.json", sink({name: some for name, some in logs.items() if some}))
    found = occurring(logs)
    _write_json(folder / "members.json", {name: sorted(some) for name, some in found.items()})


def _write_json(path: Path, value: object) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]), Path(sys.argv[1]).name)
