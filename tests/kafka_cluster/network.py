"""Network namespaces for brokers and sites on one bridge, and packet filters that cut them off.

Needs root. The bridge is in the namespace of the test, which reaches all places, and whose
addresses (`door`) all places reach.
"""

import itertools
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from tests.kafka_cluster.places import Place, at_addresses

LINK: Final = "kc"
"""Links of this network begin so, in the namespace of the test."""

_DOORS: Final = 100
_numbers = itertools.count()


class Space:
    """One network namespace with one address; it ends with the process that holds it."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        # It reads until the test closes the pipe, or ends.
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up; echo ready; exec cat >/dev/null"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n", "needs root"

    @property
    def pid(self) -> int:
        return self._holder.pid

    @property
    def within(self) -> tuple[str, ...]:
        """The beginning of a command that runs in it."""
        return ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--")

    def run(self, *command: str) -> None:
        _run(*self.within, *command)

    def cut_off(self, others: Iterable[str]) -> None:
        """Drops what comes from these addresses and what goes to them, until `mend`."""
        them = ", ".join(others)
        self.run(
            "nft",
            "add table inet cut; "
            "add chain inet cut in { type filter hook input priority 0; }; "
            "add chain inet cut out { type filter hook output priority 0; }; "
            f"add rule inet cut in ip saddr {{ {them} }} drop; "
            f"add rule inet cut out ip daddr {{ {them} }} drop",
        )

    def mend(self) -> None:
        self.run("nft", "delete table inet cut")

    def end(self) -> None:
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait(10)
        assert self._holder.stdout is not None
        self._holder.stdout.close()


class Network:
    """The bridge with its places."""

    def __init__(self, brokers: int, sites: Sequence[str]) -> None:
        number = os.getpid() % 200 + 20
        self._name = f"{LINK}{os.getpid() % 100_000}x{next(_numbers)}"
        self._net = f"10.{number}.77"
        _run("ip", "link", "add", self._name, "type", "bridge")
        with ExitStack() as undo:
            undo.callback(self._remove_bridge)
            _run("ip", "addr", "add", f"{self._net}.1/24", "dev", self._name)
            _run("ip", "link", "set", self._name, "up")
            self.brokers = [self._space(f"b{n}", 10 + n, undo) for n in range(1, brokers + 1)]
            self.sites = {
                site: self._space(f"s{n}", 20 + n, undo) for n, site in enumerate(sites, 1)
            }
            self._undo = undo.pop_all()

    @property
    def home(self) -> str:
        """The address of the test."""
        return f"{self._net}.1"

    def places(self) -> list[Place]:
        """For `running_cluster`."""
        return at_addresses(
            [space.address for space in self.brokers], [space.within for space in self.brokers]
        )

    def door(self, number: int) -> str:
        """An address for listeners of the test, which all sites reach."""
        address = f"{self._net}.{_DOORS + number}"
        _run("ip", "addr", "replace", f"{address}/24", "dev", self._name)
        return address

    @contextmanager
    def part(self, one: Sequence[Space], others: Sequence[Space]) -> Iterator[None]:
        """Nothing passes between `one` and `others`, until the end of the block."""
        addresses = [space.address for space in others]
        for space in one:
            space.cut_off(addresses)
        try:
            yield
        finally:
            for space in one:
                space.mend()

    def close(self) -> None:
        self._undo.close()

    def _space(self, link: str, number: int, undo: ExitStack) -> Space:
        space = Space(link, f"{self._net}.{number}")
        undo.callback(space.end)
        ours = f"{self._name}{link}"
        _run("ip", "link", "add", ours, "type", "veth", "peer", "eth0", "netns", str(space.pid))
        _run("ip", "link", "set", ours, "master", self._name, "up")
        space.run("ip", "addr", "add", f"{space.address}/24", "dev", "eth0")
        space.run("ip", "link", "set", "eth0", "up")
        return space

    def _remove_bridge(self) -> None:
        _run("ip", "link", "delete", self._name)


@contextmanager
def running_network(brokers: int, sites: Sequence[str]) -> Iterator[Network]:
    """Makes it; removes it."""
    network = Network(brokers, sites)
    try:
        yield network
    finally:
        network.close()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
