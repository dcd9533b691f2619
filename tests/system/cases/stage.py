"""Plays cases: a line with a case (JSON) comes in, a line with what was answered goes out.

    unshare --net --mount python -m tests.system.cases.stage FOLDER

It needs a network and a mount namespace of its own, since it replaces files in /etc and drops
packets. The servers and each check are processes of a case, forked from this one, which has all
modules loaded and no thread: a case needs some 0.1 s.
"""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec  # noqa: F401  (the program needs it; loaded once, before the forks)

import portquorum.cli.app
import portquorum.cli.check
import portquorum.cli.inventory
import portquorum.cli.probing  # noqa: F401
import producers.engine.single_check
import producers.kinds.registry  # noqa: F401
from portquorum.cli.main import main as program
from tests.system.cases import name_server, pki, said

_FORK = multiprocessing.get_context("fork")
_DEADLINE_S = 60
_STOOD_STILL = "the prober stood still"
_TRIES = 5


class Stage:
    """The files, the packet filter and the processes of one case after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pki = folder / "pki"
        self._pki.mkdir()
        pki.make(self._pki)
        _run("ip", "link", "set", "lo", "up")
        _run(
            "nft",
            "add table inet cases; "
            "add chain inet cases out { type filter hook output priority 0; }",
        )
        for name in ("hosts", "resolv.conf", "nsswitch.conf"):
            (folder / name).touch()
            _run("mount", "--bind", str(folder / name), f"/etc/{name}")

    def play(self, case: dict[str, Any]) -> dict[str, Any]:
        """The answer of the case's last check, as `portquorum check --json` prints it."""
        self._write(case)
        for address in case.get("drop", []):
            family = "ip6" if ":" in address else "ip"
            _run("nft", "add", "rule", "inet", "cases", "out", family, "daddr", address, "drop")
        servers = self._serve(case)
        try:
            for _ in range(case.get("tries", 0)):
                self._ask(case)
            for _ in range(_TRIES):
                answer = self._ask(case)
                # A prober that stood still says so, and has measured nothing.
                if not (answer.get("detail") or "").startswith(_STOOD_STILL):
                    break
            return answer
        finally:
            _run("nft", "flush", "chain", "inet", "cases", "out")
            servers.kill()
            servers.join()

    def _write(self, case: dict[str, Any]) -> None:
        hosts = list(case.get("hosts", []))
        if not any("localhost" in line for line in hosts):
            hosts.insert(0, "127.0.0.1 localhost")
        resolv = ["nameserver 127.0.0.1", "options timeout:1 attempts:1", *case.get("resolv", [])]
        self._file("hosts", hosts)
        self._file("resolv.conf", resolv)
        self._file("nsswitch.conf", [f"hosts: {case.get('nsswitch', 'files dns')}"])
        self._file("inventory.yaml", [case.get("inventory", "")])

    def _file(self, name: str, lines: list[str]) -> None:
        (self._folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def _serve(self, case: dict[str, Any]) -> multiprocessing.Process:
        def begin(ready: Connection) -> None:
            name_server.serve(case.get("names", {}))
            for address, port, *actions in case.get("serve", []):
                said.serve(address, port, [self._filled(action) for action in actions])
            ready.send("ready")
            _FORK.Event().wait()

        process, said_ready = _forked(begin)
        if not said_ready.poll(_DEADLINE_S) or said_ready.recv() != "ready":
            raise RuntimeError(f"{case['name']}: the servers did not begin")
        return process

    def _ask(self, case: dict[str, Any]) -> dict[str, Any]:
        output = self._folder / "output"

        def begin(_: Connection) -> None:
            told = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(told, 1)
            os.dup2(told, 2)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            os.environ["SSL_CERT_FILE"] = str(self._pki / "ca.pem")
            os.environ |= {key: self._filled(value) for key, value in case.get("env", {}).items()}
            sys.argv = ["portquorum", *self._arguments(case)]
            program()

        process, _ = _forked(begin)
        process.join(_DEADLINE_S)
        if process.is_alive():
            process.kill()
            process.join()
            return {"output": f"no answer within {_DEADLINE_S} s", "exit": None}
        text = output.read_text(encoding="utf-8")
        answer = json.loads(text) if text.startswith("{") else {}
        return answer | {"output": text, "exit": process.exitcode}

    def _arguments(self, case: dict[str, Any]) -> list[str]:
        if "inventory" in case:
            return ["inventory", "check", str(self._folder / "inventory.yaml")]
        place, kind, *more = case["check"]
        probe = ["--probe", self._filled(more[0])] if more and more[0] else []
        timeout = ["--timeout", more[1]] if len(more) > 1 else []
        return ["check", place, "--kind", kind, "--json", *probe, *timeout]

    def _filled(self, text: str) -> str:
        return text.replace("{pki}", str(self._pki))


def _forked(begin: Callable[[Connection], None]) -> tuple[multiprocessing.Process, Connection]:
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=begin, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return process, ours  # type: ignore[return-value]


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def main() -> None:
    """Says `ready`, then answers a line for each line."""
    stage = Stage(Path(sys.argv[1]))
    lines, answers = sys.stdin, os.fdopen(os.dup(1), "w", encoding="utf-8")
    print("ready", file=answers, flush=True)
    for line in lines:
        print(json.dumps(stage.play(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
