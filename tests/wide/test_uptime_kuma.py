"""JSON queries of Uptime Kuma: JSONata itself, and the conditions that an import makes of them.

`tests/wide/install` brings JSONata, or `npm install jsonata` in a folder that `WIDE_NODE` names.
"""

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from portquorum.importing.kuma.jsonata import UnknownQueryError, conditions
from producers.judging.conditions import JsonConditions, TextConditions
from producers.kinds.http_conditions import check
from schemas.probe import Condition
from tests.wide.installed import WIDE

pytestmark = [pytest.mark.wide, pytest.mark.timeout(170)]

NODE: Final = Path(os.environ.get("WIDE_NODE", f"{WIDE}/node"))
PROGRAM: Final = Path(__file__).with_name("uptime_kuma") / "queries.mjs"
ANSWERS: Final = (
    '{"a":"ok","n":3,"t":true,"l":[1,2],"o":{"b c":1,"x":null},"e":[]}',
    '{"a":"OK","n":4,"t":"true","l":[{"name":"db","state":"up"},{"name":"x","state":"down"}]}',
    '{"a":null,"n":3.5,"t":false,"l":[{"name":"db","state":"down"}]}',
    '{"n":0,"l":[],"a":5}',
    '{"a":{"b":1},"n":-1}',
    '{"a":["ok"],"n":100}',
    '"ok"',
    "3",
    "[]",
)
QUERIES: Final = (
    *("a", "$.a", "n", "t", "l[0]", "l[-1]", "l[0].state", "$.l[0].name", "o.`b c`", "o.x"),
    *("$count(l)", "$exists(a)", "$exists(o.x)", "$string(n)", "$number(n)", "missing.deep"),
    *('l[name="db"].state', 'l[state="down"].name', 'a = "ok"', 'a != "ok"', "n > 2", "n = 3"),
    *("n >= 3 and t = true", 'a = "ok" and $exists(t)', "$count(l) > 1", "l", "$", ""),
)
OPERATORS: Final = ("==", "!=", ">", ">=", "<", "<=", "contains")
EXPECTED: Final = ("ok", "3", "true", "false", "0", "1", "up", "2", "3.5", "k")


def cases() -> list[dict[str, str]]:
    names = ("query", "operator", "expected", "answer")
    every = itertools.product(QUERIES, OPERATORS, EXPECTED, ANSWERS)
    return [dict(zip(names, one, strict=True)) for one in every]


def ours(case: dict[str, str]) -> bool | None:
    """The verdict of a check; None: the query is not taken over."""
    try:
        written = conditions(case["query"], case["operator"], case["expected"])
    except UnknownQueryError:
        return None
    made = tuple(msgspec.convert(encoded(one), Condition) for one in written)
    check(made)
    body = case["answer"].encode()
    of_json = tuple(one for one in made if one.json)
    of_text = tuple(one for one in made if one.body)
    return not (
        (of_json and JsonConditions(of_json, body).verdict())
        or (of_text and TextConditions(of_text, (body,)).verdict())
    )


def encoded(one: dict[str, Any]) -> dict[str, Any]:
    """Values as the published record has them: the text of JSON."""
    found = dict(one)
    if "equals" in found:
        found["equals"] = json.dumps(found["equals"])
    if "any_of" in found:
        found["any_of"] = [json.dumps(value) for value in found["any_of"]]
    return found


def test_a_query_that_is_taken_over_has_the_same_verdict() -> None:
    if shutil.which("node") is None or not (NODE / "node_modules" / "jsonata").is_dir():
        pytest.skip(f"jsonata is not in {NODE}")
    every = cases()
    done = subprocess.run(
        ["node", str(PROGRAM)],
        input="\n".join(map(json.dumps, every)) + "\n",
        env={**os.environ, "WIDE_NODE": str(NODE)},
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = [line == "1" for line in done.stdout.split()]
    assert len(theirs) == len(every)
    taken = [
        (case, up, here)
        for case, up in zip(every, theirs, strict=True)
        if (here := ours(case)) is not None
    ]
    print(f"{len(taken)} of {len(every)} cases have conditions")  # noqa: T201 - the figure
    assert len(taken) > len(every) // 3
    assert [case for case, up, here in taken if up != here] == []
