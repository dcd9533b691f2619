"""The page beside Gatus and Uptime Kuma: `python -m tests.wide.peers serve|measure|shots FOLDER`.

`serve` starts all three on the same 1,000 ports of loopback (31 refuse) and keeps them until
Ctrl-C; meanwhile `measure` prints figures and `shots` takes screenshots. Both peers
must be there, built: `--gatus` is the program, `--kuma` the folder of an Uptime Kuma with its
packages and pages. No test: figures depend on the machine, and the peers are not installed here.
"""

import argparse
import os
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from playwright.sync_api import Browser, sync_playwright

from tests.wide.peers import measure
from tests.wide.peers.fleet import monitors, outages
from tests.wide.peers.running import Running, running
from tests.wide.peers.views import view_of

FLAGS: Final = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    # Pages that nobody looks at would be told late.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)
WAVES_S: Final = (30.0, 165.0)
OUTAGE_S: Final = 380.0


def main() -> None:
    """One of the three."""
    asked = _arguments()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with _browser() as browser:
        if asked.what == "serve":
            _serve(asked, browser)
            return
        run = msgspec.json.decode((asked.folder / "running.json").read_bytes(), type=Running)
        if asked.what == "shots":
            _shots(asked.folder, run, browser)
        else:
            _measure(asked, run, browser)


def _serve(asked: argparse.Namespace, browser: Browser) -> None:
    work = asked.folder / time.strftime("%H%M%S")
    work.mkdir()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with running(asked.monitors, work, asked.gatus, asked.kuma, browser) as run:
        told = asked.folder / "running.json"
        told.write_bytes(msgspec.json.encode(run))
        _tell(f"all three run: {told}")
        browser.close()
        signal.pause()


def _measure(asked: argparse.Namespace, run: Running, browser: Browser) -> None:
    fleet = monitors(run.count)
    closing = outages(fleet)
    _tell(f"after {time.time() - run.began:.0f} s; load {_load()}")
    rest = measure.at_rest(run)
    answered = list(measure.answers(run))
    loaded = list(measure.loads(browser, run, asked.rounds))
    searched = list(measure.searches(browser, run, asked.rounds))
    memory = {tool.name: measure.memory_mb(tool) for tool in run.tools}
    _tell(f"load {_load()}")
    half = len(closing) // 2
    waves = [(WAVES_S[0], closing[:half]), (WAVES_S[1], closing[half:])]
    seen = measure.outage(browser, run, waves, OUTAGE_S) if asked.outage else []
    _tell(f"load {_load()}")
    for tool in run.tools:
        mb, whole_mb = memory[tool.name]
        _tell(f"\n{tool.name} {tool.version}: {mb:.0f} MB; with all that it started")
        _tell(f"  {whole_mb:.0f} MB, {rest[tool.name]} cores at rest")
        for is_warm in (False, True):
            mine = [one for one in loaded if one.tool == tool.name and one.is_warm == is_warm]
            _tell(f"  {'warm' if is_warm else 'cold'} {_medians(mine)}")
        for answer in answered:
            if answer.tool == tool.name:
                _tell(f"  {answer}")
        for search in searched:
            if search.tool == tool.name:
                _tell(f"  {search}")
        for one in seen:
            if one.tool == tool.name:
                _tell(f"  an outage is seen after {one.seconds} s")
    file = asked.folder / f"figures-{time.strftime('%H%M%S')}.json"
    file.write_bytes(msgspec.json.encode([run, answered, loaded, searched, memory, rest, seen]))
    _tell(str(file))


def _medians(mine: list[measure.Load]) -> dict[str, float]:
    names = ("requests", "frames", "wire_bytes", "row_ms", "whole_ms", "nodes", "cpu_s")
    return {name: statistics.median(getattr(one, name) for one in mine) for name in names}


def _shots(folder: Path, run: Running, browser: Browser) -> None:
    for tool in run.tools:
        for name, size in (("laptop", measure.LAPTOP), ("phone", measure.PHONE)):
            context = measure.new_context(browser, tool, size)
            page = measure.opened(context, tool, view_of(tool.name, run.count))
            page.wait_for_timeout(1000)
            page.screenshot(path=folder / f"{tool.name.replace(' ', '-')}-{name}.png")
            context.close()


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _load() -> str:
    return " ".join(f"{one:.2f}" for one in os.getloadavg())


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            browser.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.wide.peers")
    parser.add_argument("what", choices=("serve", "measure", "shots"))
    parser.add_argument("folder", type=lambda text: Path(text).absolute())
    parser.add_argument("--gatus", type=lambda text: Path(text).absolute())
    parser.add_argument("--kuma", type=lambda text: Path(text).absolute())
    parser.add_argument("--monitors", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--outage", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
