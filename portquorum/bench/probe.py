"""What a TCP check costs, side by side on loopback: `python -m portquorum.bench.probe [--json]`.

- The engines alone, saturated and at fixed rates: the limit (a C epoll loop), ours, the one for
  platforms without epoll, what one would write first, and a handshake over ours. In turn, several
  times over; of the runs of one contender the one with the median CPU time is shown.
- The whole prober, `portquorum probe`, encoding and publishing to a real Kafka.
- Other programs that check ports, as they come, at the lowest of the rates; those that are found in
  the folder of `--peers` or on the PATH.

On a machine that others use too, the ratios say more than the microseconds.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from foundation.settings import Settings
from portquorum.bench import probe_engines, probe_whole
from portquorum.bench.figures import IN_FLIGHT
from portquorum.bench.listener import Answering, answering
from portquorum.bench.peers import peer
from portquorum.bench.peers.blackbox import Blackbox
from portquorum.bench.peers.cloudprober import Cloudprober
from portquorum.bench.peers.gatus import Gatus
from portquorum.bench.probe_table import ProbeReport, ProbeRow, show
from portquorum.bench.process import end_at_signals, say
from portquorum.embedded.kafka.main import EmbeddedKafka

WHOLE: Final = "portquorum probe"
PEERS: Final[tuple[peer.Peer, ...]] = (Cloudprober(), Gatus(), Blackbox())

MOST_RATE: Final = 20_000
MOST_SECONDS: Final = 60


class ProbeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters: `repeat` runs of `seconds`, or `steady` seconds."""

    rates: tuple[float, ...]
    seconds: float
    repeat: int
    steady: float
    parts: tuple[str, ...]
    peers: Path | None


def engines(asked: ProbeOptions, listener: Answering, folder: Path) -> Iterator[ProbeRow]:
    """The engines alone."""
    found = probe_engines.measure(asked.rates, asked.seconds, asked.repeat, listener.ports, folder)
    yield from (ProbeRow(*each) for each in found)


def prober(asked: ProbeOptions, listener: Answering, folder: Path) -> Iterator[ProbeRow]:
    """The whole prober."""
    say("starting Kafka")
    with EmbeddedKafka(folder, "127.0.0.1:0") as broker:
        settings = Settings(kafka=broker.bootstrap_servers, data_dir=folder)
        for rate in asked.rates:
            say(f"{WHOLE}, {probe_engines.rate_text(rate)}")
            figures = probe_whole.measure(settings, rate, asked.steady, listener.ports)
            yield ProbeRow(WHOLE, rate, figures)


def peers(asked: ProbeOptions, listener: Answering, folder: Path) -> Iterator[ProbeRow]:
    """The others, at the lowest rate."""
    rate = min(asked.rates)
    for one in PEERS:
        program = peer.found(one, asked.peers)
        if program is not None:
            say(f"{one.name}, {probe_engines.rate_text(rate)}")
            own = folder / one.programs[0]
            own.mkdir()
            work = peer.PeerLoad.of(rate, listener.ports, own)
            figures = peer.measure(one, program, work, asked.steady, listener)
            yield ProbeRow(one.name, rate, figures)


def left_out(asked: ProbeOptions) -> Iterator[str]:
    """The missing peers, and how to get them."""
    for one in PEERS:
        if peer.found(one, asked.peers) is None:
            yield f"{one.name} (GOBIN=DIR {one.how_to_get}; then --peers DIR)"


PARTS: Final[dict[str, Callable[[ProbeOptions, Answering, Path], Iterator[ProbeRow]]]] = {
    "engines": engines,
    "prober": prober,
    "peers": peers,
}


def measure(asked: ProbeOptions) -> ProbeReport:
    """Runs everything in turn."""
    load_before = os.getloadavg()[0]
    rows: list[ProbeRow] = []
    with tempfile.TemporaryDirectory() as name, answering() as listener:
        for part in asked.parts:
            rows += PARTS[part](asked, listener, Path(name))
    return ProbeReport(
        machine=platform.machine(),
        cpus=len(os.sched_getaffinity(0)),
        load_before=load_before,
        python=platform.python_version(),
        kernel=platform.release(),
        seconds=asked.seconds,
        repeat=asked.repeat,
        steady=asked.steady,
        in_flight=IN_FLIGHT,
        rows=tuple(rows),
        left_out=tuple(left_out(asked)) if "peers" in asked.parts else (),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m portquorum.bench.probe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rate", type=float, nargs="+", default=[5_000, 10_000], help="checks a second"
    )
    parser.add_argument("--seconds", type=float, default=2, help="length of an engine's run")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each engine")
    parser.add_argument("--steady", type=float, default=10, help="seconds of prober and peers")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--peers", type=Path, metavar="DIR", help="where other programs lie")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    given = parser.parse_args(arguments)
    lengths = (given.seconds, given.steady)
    if not all(0 < rate <= MOST_RATE for rate in given.rate):
        parser.error(f"--rate: expected more than 0 and at most {MOST_RATE}")
    if not all(0 < length <= MOST_SECONDS for length in lengths) or not 0 < given.repeat <= 20:
        parser.error(f"expected at most {MOST_SECONDS} seconds and at most 20 repetitions")
    end_at_signals()
    report = measure(
        ProbeOptions(
            rates=tuple(sorted(given.rate)),
            seconds=given.seconds,
            repeat=given.repeat,
            steady=given.steady,
            parts=tuple(given.parts),
            peers=given.peers,
        )
    )
    if given.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
