"""docker-compose.yml as a whole: Docker Compose on podman, our image by the Dockerfile.

Images of registries have stand-ins: the Containerfiles of tests/wide/containers.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.wide.containers.compose import ROOT, STAND, Compose, until
from tests.wide.containers.health_timer import HealthTimer, Podman
from tests.wide.containers.host import ContainerHost, container_host
from tests.wide.containers.images import OURS, build_all

pytestmark = [pytest.mark.wide, pytest.mark.root, pytest.mark.timeout(3600)]

ONE: Final = (ROOT / "docker-compose.yml", STAND / "here.yml")
THREE: Final = (
    ROOT / "docker-compose.yml",
    ROOT / "deploy" / "compose" / "three-brokers.yml",
    STAND / "here.yml",
    STAND / "three.yml",
)
PROBERS: Final = ("prober-ap-south", "prober-eu-west", "prober-us-east")
ROLES: Final = (*PROBERS, "stream", "sink", "notifier", "web")
_PAGE: Final = "http://127.0.0.1:9480/"
_CLOSED: Final = "/tmp/closed"  # noqa: S108 (of a container)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerHost]:
    with container_host(tmp_path_factory.mktemp("containers")) as host:
        build_all(host)
        yield host
    assert not host.left()


class Stack:
    """A running project and what people see of it."""

    def __init__(self, host: ContainerHost, compose: Compose) -> None:
        self.host = host
        self.compose = compose

    def all_well(self) -> bool:
        """Every service runs and is healthy; the inventory was applied."""
        found = self.compose.states()
        assert found.pop("inventory") == "exited 0", found
        assert set(ROLES) < set(found)
        assert not {name: how for name, how in found.items() if how not in {"healthy", "running"}}
        return True

    def open_incidents(self) -> list[str]:
        """The names of the targets with an open incident, by the command line in a container."""
        said = self.compose.inside("stream", "portquorum", "incidents", "--open", "--json")
        return sorted(one["name"] for one in json.loads(said))

    def health(self) -> str:
        """What the monitor says of itself."""
        return self.compose.inside("stream", "portquorum", "health")

    def page(self, path: str) -> str:
        """What the page answers at the host's loopback."""
        fetch = f"import urllib.request as u; print(u.urlopen({_PAGE + path!r}).read().decode())"
        return self.host.run("python3", "-c", fetch)

    def messages(self) -> list[dict[str, Any]]:
        """What came to the receiver, the oldest first."""
        said = self.compose.inside("receiver", "sh", "-c", "cat /tmp/messages || true")
        return [json.loads(line) for line in said.splitlines()]

    def told(self, *words: str) -> int:
        """How many messages have these words."""
        return sum(all(word in json.dumps(one) for word in words) for one in self.messages())

    def outage(self) -> None:
        """The shop's port closes and opens again; everybody hears of both."""
        before = self.told("Shop")
        self.compose.inside("shop", "touch", _CLOSED)
        until(lambda: "Shop" in self.open_incidents(), "an open incident of the shop")
        until(lambda: "Shop" in self.page("api/v1/incidents"), "the incident on the page")
        until(lambda: self.told("Shop") > before, "a message about the outage")
        assert "Shop" in self.compose.inside("stream", "portquorum", "status")
        self.compose.inside("shop", "rm", _CLOSED)
        until(lambda: "Shop" not in self.open_incidents(), "the end of the incident")
        until(lambda: self.told("Shop") > before + 1, "a message about the end")

    def killed(self, service: str) -> None:
        """Kills a container; the policy starts it again, and all is well."""
        before = self.compose.containers()[service]["State"]["Pid"]
        self.compose.kill(service)
        until(
            lambda: self.compose.containers()[service]["State"]["Pid"] not in {0, before},
            f"{service} started again",
        )
        until(self.all_well, f"all well after {service} was killed")

    def right(self) -> None:
        """No row of ClickHouse is missing or twice, and the rules give the same events again."""

        def stored() -> bool:
            count = (STAND / "counted.py").read_text()
            found = json.loads(self.compose.inside("stream", "python", "-", said=count))
            assert found["rows"] == found["places"], found
            return found["rows"] >= found["lines"] > 0

        until(stored, "every line of the log in ClickHouse, once")
        again = self.compose.inside("stream", "portquorum", "replay", "--from", "3h", "--json")
        assert json.loads(again)["identical"], again


@pytest.fixture(scope="class")
def stack(host: ContainerHost, request: pytest.FixtureRequest) -> Iterator[Stack]:
    compose = Compose(host, request.param)
    with HealthTimer(Podman(host.socket)):
        try:
            compose("up", "--no-build", "--detach", timeout_s=1200)
            yield Stack(host, compose)
        finally:
            compose("down", "--volumes", "--timeout", "20")
    assert not Podman(host.socket).containers()


@pytest.mark.parametrize("stack", [ONE], indirect=True, ids=["one broker"])
class TestOneBroker:
    """The tests of this class build on each other."""

    def test_all_services_are_healthy(self, stack: Stack) -> None:
        until(stack.all_well, "all services healthy", 600)
        until(lambda: not stack.open_incidents(), "no open incident")

    def test_our_image_runs_as_nobody_special(self, stack: Stack) -> None:
        assert stack.compose.inside("stream", "id", "-u").strip() == "10001"
        assert OURS.split(":")[1] in stack.compose.inside("stream", "portquorum", "--version")

    def test_an_outage_is_seen_on_the_command_line_the_page_and_by_people(
        self, stack: Stack
    ) -> None:
        stack.outage()

    @pytest.mark.parametrize("service", [*ROLES, "clickhouse", "kafka"])
    def test_a_killed_container_comes_back(self, stack: Stack, service: str) -> None:
        stack.killed(service)

    def test_an_outage_is_seen_after_all_of_this(self, stack: Stack) -> None:
        until(lambda: not stack.open_incidents(), "no open incident")
        stack.outage()

    def test_nothing_was_lost_and_nothing_is_twice(self, stack: Stack) -> None:
        stack.right()


@pytest.mark.parametrize("stack", [THREE], indirect=True, ids=["three brokers"])
class TestThreeBrokers:
    """The tests of this class build on each other."""

    def test_all_services_are_healthy(self, stack: Stack) -> None:
        until(stack.all_well, "all services healthy", 600)

    def test_an_outage_is_seen_while_one_broker_is_away(self, stack: Stack) -> None:
        assert "3 brokers" in stack.health()
        stack.compose("kill", "kafka-2")
        until(lambda: "lack a replica in sync" in stack.health(), "a word about the broker")
        stack.outage()

    def test_it_comes_back_and_nothing_was_lost(self, stack: Stack) -> None:
        stack.compose("start", "kafka-2")
        until(stack.all_well, "all services healthy", 600)
        until(lambda: "in sync" not in stack.health(), "all replicas in sync")
        stack.right()
