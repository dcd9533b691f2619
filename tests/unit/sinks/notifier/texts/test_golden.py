"""The texts are those that people have read and found good (golden_texts.py)."""

import pytest

from tests.unit.sinks.notifier.texts.golden_texts import FOLDER, SCENES, path_of, written


@pytest.mark.parametrize("scene", SCENES)
def test_the_text_is_as_it_was_read(scene: str) -> None:
    assert written(SCENES[scene]) == path_of(scene).read_text(encoding="utf-8")


def test_each_file_has_its_scene() -> None:
    assert {path_of(scene) for scene in SCENES} == set(FOLDER.glob("*.txt"))
