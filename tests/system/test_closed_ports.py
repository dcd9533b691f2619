"""Ports that must be closed, through the whole line: a listener, a packet filter, three regions."""

import asyncio
import socket
import threading

import pytest

from tests.system.conftest import REGIONS
from tests.system.ground import Filter, Listener, Mailbox
from tests.system.stack import Stack, eventually

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

HOST, PORT = "127.0.1.20", 2323
UDP_PORT = 1161
OF_REGIONS = ["a", "b", "c"]


class Echo:
    """A UDP port that sends back what it gets."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        while True:
            try:
                data, sender = self._socket.recvfrom(2048)
            except OSError:
                return
            if not data:
                return
            self._socket.sendto(data, sender)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()


def inventory(mailbox: Mailbox) -> dict[str, object]:
    base = {
        "host": HOST,
        "regions": OF_REGIONS,
        "interval": "10s",
        "timeout": "1s",
        "criticality": "important",
        "team": "ops",
    }
    return {
        "regions": {
            name: {"internal": True, "source": address} for name, address in REGIONS.items()
        },
        "routes": {"mail": {"urls": [mailbox.url], "severities": ["critical"]}},
        "teams": {"ops": {"routes": ["mail"]}},
        "targets": [
            {**base, "name": "telnet", "port": PORT, "expect": "closed"},
            {
                **base,
                "name": "snmp",
                "kind": "udp",
                "port": UDP_PORT,
                "expect": "closed",
                "probe": {"send": "ping"},
            },
        ],
    }


async def found_by(stack: Stack, target: str, reason: str | None, regions: set[str]) -> bool:
    """Whether the newest result of each of these regions has this reason."""
    newest = {one.region: one for one in await stack.results() if one.target == target}
    counted = {name: one for name, one in newest.items() if one.status != "missed"}
    return regions <= {name for name, one in counted.items() if one.reason == reason}


async def test_a_port_that_must_be_closed(
    stack: Stack, packet_filter: Filter, mailbox: Mailbox
) -> None:
    await stack.apply(inventory(mailbox), "closed")
    everywhere = set(OF_REGIONS)
    for target in ("telnet", "snmp"):
        await eventually(
            f"{target} is closed everywhere",
            lambda target=target: found_by(stack, target, None, everywhere),
            60,
        )
    results = [one for one in await stack.results() if one.target == "telnet"]
    assert {one.expect for one in results} == {"closed"}
    assert all(one.total_ms is not None for one in results if one.status == "up")

    # Open from one region of three: nobody is woken, and `status` says it.
    packet_filter.drop([REGIONS["b"], REGIONS["c"]], HOST)
    listener = Listener(HOST, PORT)
    await eventually("a finds it open", lambda: found_by(stack, "telnet", "port_open", {"a"}), 60)
    ends = await stack.result_ends()

    async def looked_again() -> bool:
        fresh = [one for one in await stack.results(since=ends) if one.target == "telnet"]
        return everywhere <= {one.region for one in fresh}

    await eventually("all have looked again", looked_again, 60)
    assert stack.told("telnet") == []

    # From two: an incident, with the regions by name.
    packet_filter.lift(REGIONS["b"], HOST)
    await eventually("it is an incident", lambda: stack.told("telnet") == ["opened"], 60)
    opened = stack.events("telnet")[0]
    assert opened.expect == "closed"
    assert "is open from 2 of 3 regions, and must be closed" in opened.summary
    assert "It is open from a and b only; c finds it closed" in opened.summary
    assert any("ss -ltnp 'sport = :2323'" in step for step in opened.first_steps)
    title = f"TCP Port Open: telnet ({HOST}:{PORT})"
    await eventually("people are told", lambda: title in mailbox.about("telnet"), 30)
    for words, *command in (
        ("open, and must be closed", "status", "telnet"),
        ("open port", "incidents", "--open"),
        ("find it open", "explain", "telnet"),
    ):
        await eventually(
            f"`{' '.join(command)}` says {words}",
            lambda words=words, command=command: says(stack, words, *command),
            60,
        )

    # From everywhere, and closed again.
    packet_filter.lift(REGIONS["c"], HOST)
    await eventually(
        "c finds it open", lambda: found_by(stack, "telnet", "port_open", everywhere), 60
    )
    listener.close()
    await eventually("it is closed", lambda: stack.told("telnet") == ["opened", "closed"], 60)
    again = f"TCP Port Closed Again: telnet ({HOST}:{PORT})"
    await eventually("people are told of the end", lambda: again in mailbox.about("telnet"), 30)
    assert "is closed again, seen from every region" in stack.events("telnet")[-1].summary

    # UDP likewise.
    echo = Echo(HOST, UDP_PORT)
    await eventually("UDP is an incident", lambda: stack.told("snmp") == ["opened"], 60)
    echo.close()
    await eventually("UDP is closed", lambda: stack.told("snmp") == ["opened", "closed"], 60)
    end = f"UDP Port Closed Again: snmp ({HOST}:{UDP_PORT})"
    await eventually("people are told of UDP", lambda: end in mailbox.about("snmp"), 30)
    assert f"UDP Port Open: snmp ({HOST}:{UDP_PORT})" in mailbox.about("snmp")

    # The time in which it was open is its time down.
    async def rows() -> object:
        return await stack.sql(
            "SELECT target, count() FROM outages WHERE target IN ('telnet', 'snmp') GROUP BY 1"
        )

    await eventually("the history has both", lambda: has_both(rows), 60)


async def says(stack: Stack, words: str, *command: str) -> bool:
    """Whether the command says these words."""
    done = await asyncio.to_thread(stack.command, *command)
    return words in done.stdout


async def has_both(rows: object) -> bool:
    found = await rows()  # type: ignore[operator]
    return dict(found) == {"telnet": 1, "snmp": 1}
