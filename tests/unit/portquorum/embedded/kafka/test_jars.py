import socket
import sys
from pathlib import Path

import pytest

from portquorum.embedded.kafka import jars
from portquorum.embedded.service.errors import EmbeddedServiceError
from portquorum.embedded.service.reports import Progress


def ignore(_progress: Progress) -> None:
    pass


def complete_cache(cache: Path) -> Path:
    """A cache that looks as after a fetch: names and sizes, no content."""
    folder = cache / f"kafka-{jars.KAFKA_VERSION}"
    folder.mkdir(parents=True)
    for pin in jars.pins().values():
        with (folder / pin.name).open("wb") as file:
            file.truncate(pin.bytes)
    return folder


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"PORTQUORUM_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, Path("/a")),
        ({"XDG_CACHE_HOME": "/b"}, Path("/b/portquorum")),
        ({}, Path.home() / ".cache" / "portquorum"),
    ],
)
def test_the_cache_is_where_the_user_wants_it(env: dict[str, str], expected: Path) -> None:
    assert jars.cache_dir(env) == expected


def test_every_jar_is_pinned_once_with_a_whole_checksum() -> None:
    pins = jars.pins()
    assert f"kafka_2.13-{jars.KAFKA_VERSION}.jar" in pins
    assert f"kafka-clients-{jars.KAFKA_VERSION}.jar" in pins
    assert any(name.startswith("log4j-slf4j-impl-") for name in pins)
    assert all(len(pin.sha256) == 64 and pin.bytes > 0 for pin in pins.values())


def test_what_is_in_the_cache_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete_cache(tmp_path)
    # Not even what could fetch is loaded.
    monkeypatch.setitem(sys.modules, "jgo", None)
    monkeypatch.setitem(sys.modules, "requests", None)
    paths = jars.class_path(tmp_path, ignore)
    assert {path.name for path in paths} == jars.pins().keys()
    assert all(path.is_file() for path in paths)


def test_without_a_network_the_first_fetch_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    monkeypatch.setenv(jars.REPOSITORY_VARIABLE, f"http://127.0.0.1:{closed}")
    with pytest.raises(EmbeddedServiceError) as caught:
        jars.class_path(tmp_path, ignore)
    assert "Connection refused" in str(caught.value)
    assert "connect this machine to the network" in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("missing", ["jgo", "requests"])
def test_without_the_extra_the_fetch_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(EmbeddedServiceError, match=r"pip install 'portquorum\[embedded\]'"):
        jars.class_path(tmp_path, ignore)


def test_a_cache_with_a_cut_jar_is_not_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = next(complete_cache(tmp_path).iterdir())
    jar.write_bytes(jar.read_bytes()[:-1])
    monkeypatch.setenv(jars.REPOSITORY_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(EmbeddedServiceError, match="could not be fetched"):
        jars.class_path(tmp_path, ignore)
