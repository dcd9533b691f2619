"""The programs that record: the same code gives the same bytes, and still tells everything."""

from pathlib import Path

import pytest

from tests.golden import members
from tests.golden.container import Message, read
from tests.golden.expect import HERE, answers, expect
from tests.golden.record import SEED
from tests.golden.stage import Stage
from tests.golden.story import BEGIN, Story
from tests.golden.telling import send_log


def told(folder: Path) -> dict[str, list[Message]]:
    folder.mkdir()
    stage = Stage(BEGIN, folder)
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
    return logs | {"state": middle + stage.checkpoint()}


def test_the_recorder_tells_the_same_story_each_time_and_leaves_nothing_out(
    tmp_path: Path,
) -> None:
    first, second = told(tmp_path / "1"), told(tmp_path / "2")
    assert first == second
    first["notifications"] = send_log(first["incidents"], first["policy"])
    assert first["notifications"] == send_log(second["incidents"], second["policy"])
    found = members.occurring(first)
    absent = {
        (name, member) for name, all_ in members.declared().items() for member in all_ - found[name]
    }
    assert absent <= members.ABSENT.keys(), "tell it in tests/golden/story.py, or say why not"


@pytest.mark.parametrize("version", ["0.1"])
def test_what_is_expected_of_later_rules_is_written_beside_the_first(
    tmp_path: Path, version: str
) -> None:
    folder = tmp_path / version
    own = folder / "expected" / version
    own.mkdir(parents=True)
    for path in (HERE / version).glob("*.xz"):
        (folder / path.name).symlink_to(path)
    for path in (HERE / version / "expected" / version).iterdir():
        (own / path.name).symlink_to(path)
    made = {path.name for path in expect(folder, "99").iterdir()}
    again = {"incidents.ndjson.xz", "rechecks.ndjson.xz", "sink.json", "state-end.ndjson.xz"}
    rest = {f"rest-{name}" for name in again - {"sink.json"}}
    assert made == again | rest | {"state-middle.ndjson.xz"}
    newest = answers(HERE / version)[-1]
    for name in ("incidents.ndjson.xz", "rechecks.ndjson.xz"):
        assert read(folder / "expected" / "99" / name) == read(newest / name)
