"""Gatus itself (its own packages, built here) and what `portquorum import gatus` makes of it.

Each condition is judged by both on the same answers. What is exact has the same verdict. Not
compared is what docs/import.md says is another thing here: a path through what is no object or
list, and the length of a number or an object.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options, Taken
from portquorum.importing.wings import WINGS
from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.resolve import resolve
from producers.kinds import http_conditions, http_status
from schemas.probe import HttpProbe

pytestmark = [pytest.mark.wide, pytest.mark.timeout(900)]

VERSION: Final = "v5.35.0"
GO_MOD: Final = f"module verdicts\n\ngo 1.24\n\nrequire github.com/TwiN/gatus/v5 {VERSION}\n"
OBJECTS: Final = (
    '{"a":"up","n":5,"f":5.7,"t":true,"z":null,"l":[1,2,3],"o":{"k":"v"},"s":"7","e":""}',
    '{"a":"down","n":0,"l":[],"t":false}',
    '{"a":"UP","n":"12","l":["a"],"f":-3.5}',
    '{"n":1000000,"a":"a/b/c","s":"v1.2"}',
    '{"a":5,"n":true}',
)
BODIES: Final = (*OBJECTS, "", "[]", "[ ]", "ok", "hello world", '[{"id":7,"x":"y"}]', "12", "up")
PATHS: Final = (".a", ".n", ".f", ".t", ".z", ".l", ".o.k", ".s", ".e", "[0].id", ".l[0]", ".no")
VALUES: Final = (
    *("up", "5", "7", "0", "true", "false", "null", "pat(*p)", "pat(u?)", "pat(*)", "any(up, 7)"),
    *("any(5,true)", "10", "5.5", "-1", "pat(v1.*)", "pat(a/b*)", "0x5", "pat([uU]*)", "[]"),
    *('{"k":"v"}', "1000000"),
)
STATUSES: Final = ("200", "404", "any(200,301)", "pat(2*)", "pat(?0?)", "0xC8", "0", "500")
OPERATORS: Final = ("==", "!=", "<", "<=", ">", ">=")
NOT_JSON: Final = "the body must be JSON; Gatus takes one that is not"
ANSWERED: Final = (200, 204, 301, 404, 500)


@pytest.fixture(scope="module")
def gatus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of `gatus/verdicts.go`, with Gatus' own code in it."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not Path(go).exists():
        pytest.skip("needs Go")
    folder = tmp_path_factory.mktemp("gatus")
    (folder / "go.mod").write_text(GO_MOD)
    shutil.copy(Path(__file__).parent / "gatus" / "verdicts.go", folder)
    built = subprocess.run(
        [go, "build", "-mod=mod", "-o", "verdicts", "."],
        cwd=folder,
        env={**os.environ, "GOFLAGS": "-buildvcs=false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        pytest.skip(f"Gatus can't be built here: {built.stderr[-300:]}")
    return folder / "verdicts"


def conditions() -> Iterator[str]:
    """Conditions of all forms."""
    for path in PATHS:
        subject = f"[BODY]{path}"
        yield from (f"{subject} {op} {value}" for op in ("==", "!=") for value in VALUES)
        yield from (f"{subject} {op} {n}" for op in OPERATORS[2:] for n in ("5", "0", "5.5", "1m"))
        yield from (f"len({subject}) {op} {n}" for op in OPERATORS for n in ("0", "1", "3"))
        yield from (
            f"has({subject}) {op} {word}" for op in OPERATORS[:2] for word in ("true", "false")
        )
    texts = (*VALUES, "ok", "hello world", "pat(*hello*)")
    yield from (f"[BODY] {op} {value}" for op in ("==", "!=") for value in texts)
    yield from (f"len([BODY]) {op} {n}" for op in OPERATORS for n in ("0", "1", "2"))
    yield from ("has([BODY]) == true", "has([BODY]) == false", "len([BODY]) > 10")
    yield from (f"[STATUS] {op} {status}" for op in OPERATORS for status in STATUSES)
    yield from ("[CONNECTED] == true", "[CONNECTED] != false", "[RESPONSE_TIME] < 10000")


def comparable(condition: str, body: str) -> bool:
    """Whether docs/import.md does not name it as another thing."""
    found = re.search(r"\[BODY\](?:\.([a-z]+)|(\[))", condition)
    try:
        document: Any = json.loads(body)
    except ValueError:
        return True
    if found is None:
        return True
    if (found[1] and not isinstance(document, dict)) or (
        found[2] and not isinstance(document, list)
    ):
        return False
    value = document.get(found[1]) if found[1] else None
    return not condition.startswith("len(") or (
        "[0]" not in condition and isinstance(value, str | list | None)
    )


def same_here(entry: Taken, body: str) -> bool:
    """Whether the report says that the verdict on such an answer is the same."""
    differences = [one for one in entry.differences if "can't be reached at all" not in one]
    if differences == [NOT_JSON]:
        try:
            json.loads(body)
        except ValueError:
            return False
        return True
    return not differences


def ours(probe: HttpProbe, status: int, body: str) -> bool:
    """The verdict of a check of kind `http` on an answer."""
    texts, groups = http_conditions.of_body(probe.conditions)
    judged = (group.job(body.encode(), None).verdict() is None for group in groups)
    return (
        http_status.accepts(probe.status, status)
        and all(text in body for text in texts)
        and all(judged)
    )


def imported(folder: Path, wanted: list[str]) -> tuple[tuple[Taken, ...], dict[str, HttpProbe]]:
    """The entries of an endpoint for each condition, and the options of their targets."""
    path = folder / "gatus.yaml"
    endpoints = [
        {"name": f"e{number}", "url": "http://example.org/", "conditions": [one]}
        for number, one in enumerate(wanted)
    ]
    path.write_text(json.dumps({"endpoints": endpoints}))
    inventory, report = assemble(WINGS["gatus"]([path], Options()), Options())
    entries = Entries()
    problems = decode(tree.Root("x", tree.planted(inventory), 0), entries)
    targets = resolve(entries, "x", problems).targets
    probes = {one.id: one.probe for one in targets if isinstance(one.probe, HttpProbe)}
    return report.entries, probes


def test_exact_is_the_verdict_of_gatus(gatus: Path, tmp_path: Path) -> None:
    wanted = list(dict.fromkeys(conditions()))
    entries, probes = imported(tmp_path, wanted)
    asked: list[tuple[Taken, str, int, str]] = []
    for condition, entry in zip(wanted, entries, strict=True):
        statuses = ANSWERED if "[STATUS]" in condition else (200,)
        asked += [
            (entry, condition, status, body)
            for status in statuses
            for body in BODIES
            if comparable(condition, body)
        ]
    lines = "".join(
        json.dumps({"conditions": [condition], "status": status, "body": body}) + "\n"
        for _, condition, status, body in asked
    )
    said = subprocess.run([gatus], input=lines, capture_output=True, text=True, check=True)
    verdicts = said.stdout.split()
    assert len(verdicts) == len(asked)
    wrong, lost = [], []
    for (entry, condition, status, body), verdict in zip(asked, verdicts, strict=True):
        if entry.outcome == "left_out":
            lost += [condition] if verdict == "true" else []
        elif same_here(entry, body) and ours(probes[entry.ids[0]], status, body) != (
            verdict == "true"
        ):
            wrong.append((condition, status, body, verdict))
    assert not wrong, f"{len(wrong)} of {len(asked)}: {wrong[:5]}"
    assert not lost, f"left out, though Gatus takes it as fulfilled: {sorted(set(lost))[:5]}"
    count = {
        name: sum(one.outcome == name for one in entries)
        for name in ("exact", "nearly", "left_out")
    }
    print(f"\n{len(asked)} verdicts on {len(wanted)} conditions: {count}")  # noqa: T201


def test_a_server_that_refuses_is_up_to_gatus_where_the_report_says_so(
    gatus: Path, tmp_path: Path
) -> None:
    wanted = [one for one in dict.fromkeys(conditions()) if "RESPONSE_TIME" not in one]
    entries, _ = imported(tmp_path, wanted)
    lines = "".join(json.dumps({"conditions": [one], "refused": True}) + "\n" for one in wanted)
    said = subprocess.run([gatus], input=lines, capture_output=True, text=True, check=True)
    for condition, entry, verdict in zip(wanted, entries, said.stdout.split(), strict=True):
        told = "while nobody answers" in str(entry.why)
        told |= any("can't be reached at all is up" in one for one in entry.differences)
        assert told == (verdict == "true"), condition
