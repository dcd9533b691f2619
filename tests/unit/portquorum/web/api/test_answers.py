"""Each route of the API: what it asks, what it answers, how it says no."""

import csv
import difflib
import io
import json
import re
from datetime import date
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from portquorum.web import answers
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.history.windows import between
from tests.unit.portquorum.web.fakes import HOSTILE, NOW, FakeFleet, Made, incident_row, target_row

SHARED = Made()
"""For tests that change nothing in it."""
HISTORY = [
    "/api/v1/targets/db-0/checks",
    "/api/v1/incidents/inc-0/history",
    "/api/v1/history/incidents",
    "/api/v1/results?target=db-0",
    "/api/v1/uptime",
    "/api/v1/reports/slo",
]


async def got(made: Made, path: str, **headers: str) -> httpx.Response:
    async with made.client() as client:
        return await client.get(f"/api/v1{path}", headers=headers)


def wrong(answer: httpx.Response) -> list[str]:
    """The fields that a 400 names."""
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == 400
    assert problem["title"] == "Bad Request"
    return [one["field"] for one in problem["errors"]]


async def test_all_filters_reach_the_fleet() -> None:
    made = Made()
    await got(
        made,
        "/targets?q=db&state=down&state=expiring&team=a&team=&tag=t&kind=tcp&criticality=critical"
        "&region=eu&source=s&host=h&cause=host%3Ah&sort=-since&limit=7&cursor=1",
    )
    (asked,) = made.fleet.asked
    assert (asked.q, asked.states, asked.teams) == ("db", ("down", "expiring"), ("a", ""))
    assert (asked.tags, asked.kinds, asked.criticalities) == (("t",), ("tcp",), ("critical",))
    assert (asked.regions, asked.sources, asked.hosts) == (("eu",), ("s",), ("h",))
    assert (asked.cause, asked.sort, asked.limit, asked.cursor) == ("host:h", "-since", 7, "1")


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("stat=down", ["stat"]),
        ("state=dwon", ["state"]),
        ("limit=0", ["limit"]),
        ("limit=1001", ["limit"]),
        ("limit=x&sort=size", ["sort", "limit"]),
        ("cursor=nobody's", ["cursor"]),
        ("format=xml", ["format"]),
        (f"q={'x' * 201}", ["q"]),
        ("&".join(f"tag={number}" for number in range(101)), ["tag"]),
        (f"team={'x' * 256}", ["team"]),
    ],
)
async def test_a_wrong_parameter_is_named(query: str, fields: list[str]) -> None:
    assert wrong(await got(SHARED, f"/targets?{query}")) == fields


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/targets?state=dwon", "down, flapping, slow, unknown, pending, maintenance, paused, up"),
        ("/targets?sort=size", "state, -state, name"),
        ("/incidents?status=shut", "open, closed, all, found 'shut'"),
        ("/targets?format=xml", "json, csv"),
        ("/targets/db-0/history?window=3h", "1h, 6h, 24h, 7d, 30d, 90d"),
        ("/overview?group_by=x", "team, tag, kind, criticality, region, source"),
        ("/reports/x", "uptime, slo, cost, reliability"),
        ("/groups?sort=x", "name, -name, targets"),
    ],
)
async def test_a_wrong_value_gets_the_list_of_the_right_ones(path: str, values: str) -> None:
    answer = await got(SHARED, path)
    assert len(wrong(answer)) == 1
    assert f"expected {values}" in answer.json()["errors"][0]["message"]


async def test_an_address_of_the_api_with_nothing_at_it_says_where_the_rest_is() -> None:
    for path in ("", "/nope"):
        detail = (await got(SHARED, path)).json()["detail"]
        assert "/api lists" in detail
        assert "/api/v1/openapi.json" in detail


async def test_of_what_is_no_list_there_is_no_csv() -> None:
    async with SHARED.client() as client:
        for path in ("/.csv", "/targets/db-0.csv", "/reports/uptime.csv"):
            answer = await client.get(path)
            assert answer.status_code == 400
            assert answer.json()["detail"] == "this is no list, there is no CSV of it"


async def test_results_of_a_target_that_never_was_are_404() -> None:
    made = Made()
    made.history.has_results = False
    assert (await got(made, "/results?target=nosuch")).status_code == 404
    assert (await got(made, "/results?target=db-0")).status_code == 200
    made.history.has_results = True
    assert (await got(made, "/results?target=removed")).status_code == 200


async def test_a_misspelt_parameter_gets_a_hint() -> None:
    answer = await got(SHARED, "/targets?crititality=critical")
    assert "did you mean `criticality`?" in answer.json()["detail"]


@pytest.mark.parametrize(
    "query", ["/maintenances?is_on=null", "/incidents?acknowledged=NULL", "/uptime?days=null"]
)
async def test_null_is_no_value_of_a_parameter(query: str) -> None:
    """It would be read as if nobody had asked."""
    answer = await got(SHARED, query)
    assert answer.status_code == 400
    assert "leave it out" in answer.json()["detail"]
    assert (await got(SHARED, "/targets?q=null&tag=null&host=null")).status_code == 200


async def test_of_thousands_of_unknown_parameters_few_get_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To find what a name was meant to be takes longer than to ask."""
    hinted: list[str] = []

    def close(name: str, *_: object) -> list[str]:
        hinted.append(name)
        return []

    monkeypatch.setattr(difflib, "get_close_matches", close)
    answer = await got(SHARED, "/targets?" + "&".join(f"a{number}" for number in range(2000)))
    assert (len(wrong(answer)), len(hinted)) == (20, 20)


async def test_the_age_of_the_data_is_no_change_and_blindness_is_one() -> None:
    made = Made()
    first = await got(made, "/targets")
    made.fleet.fresh = replace(made.fleet.fresh, now=NOW + 9000, data_at=NOW + 8000, position="v2")
    later = await got(made, "/targets")
    assert later.headers["etag"] == first.headers["etag"]
    assert later.headers["portquorum-data-at"] == str(NOW + 8000)
    made.fleet.fresh = replace(made.fleet.fresh, blind_since=NOW + 9000, blind_because="kafka_away")
    assert (await got(made, "/targets")).headers["etag"] != first.headers["etag"]


async def test_csv_has_all_rows_in_one_answer() -> None:
    made = Made(fleet=FakeFleet(2500))
    answer = await got(made, "/targets", Accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [f"db-{number}" for number in range(2500)]
    assert [asked.limit for asked in made.fleet.asked] == [1000, 1000, 1000]
    assert rows[0]["tags"] == "prod;db"
    assert rows[0]["since"] == "2026-11-30T00:52:20.000Z"
    assert answer.headers["content-disposition"] == 'attachment; filename="targets.csv"'
    assert {asked.facets for asked in made.fleet.asked} == {False}


async def test_no_cell_is_a_formula_or_more_than_a_line() -> None:
    fleet = FakeFleet()
    changes = {"name": HOSTILE, "summary": "@SUM(1)", "team": "-1+1", "port": None}
    fleet.rows = (target_row(0, **changes, tags=("a", "=1+1"), source="x; \uff1d1;b"),)
    answer = await got(Made(fleet=fleet), "/targets?format=csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["name"] == "'=<script>alert(1)</script>\N{REPLACEMENT CHARACTER}\" "
    assert (row["summary"], row["team"], row["port"]) == ("'@SUM(1)", "'-1+1", "")
    # Where a comma is the decimal mark, a semicolon parts cells.
    assert (row["tags"], row["source"]) == ("a;'=1+1", "x;' \uff1d1;b")


async def test_json_has_what_servers_said_as_it_is() -> None:
    fleet = FakeFleet()
    fleet.open = (incident_row(0, summary=HOSTILE),)
    answer = await got(Made(fleet=fleet), "/incidents")
    assert answer.json()["rows"][0]["summary"] == HOSTILE


@pytest.mark.parametrize(
    ("query", "is_open"),
    [("", True), ("status=open", True), ("status=closed", False), ("status=all", None)],
)
async def test_open_incidents_unless_others_are_asked_for(query: str, is_open: bool | None) -> None:
    made = Made()
    await got(made, f"/incidents?{query}")
    assert made.fleet.asked[0].is_open is is_open


async def test_times_are_read_in_each_form() -> None:
    made = Made()
    for text in ("2026-11-29T00:00:00Z", "2026-11-29", "1795910400000", "2026-11-29T01:00+01:00"):
        answer = await got(made, f"/results?target=db-0&since={text}&until=2026-11-30")
        assert answer.status_code == 200, answer.text
    assert {asked.since for asked, _ in made.history.asked} == {1_795_910_400_000}
    assert {asked.until for asked, _ in made.history.asked} == {1_795_996_800_000}


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "99999999999999", "-1", "0001-01-01", "9999-12-31", "1y"]
)
async def test_a_time_that_is_none_is_refused(text: str) -> None:
    assert wrong(await got(SHARED, f"/results?target=db-0&since={text}")) == ["since"]


async def test_what_is_missing_is_named() -> None:
    assert wrong(await got(SHARED, "/results")) == ["target"]


async def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    query = "target=db-0&since=2026-11-30&until=2026-11-29"
    assert wrong(await got(SHARED, f"/results?{query}")) == ["until"]
    assert wrong(await got(SHARED, "/uptime?since=2026-11-30&until=2026-11-29")) == ["since"]
    assert wrong(await got(SHARED, "/uptime?since=2020-01-01&until=2026-11-29")) == ["since"]


@pytest.mark.parametrize(
    "path",
    ["/targets/x", "/targets/x/history", "/targets/x/checks", "/incidents/x", "/nope"],
)
async def test_what_is_not_there_is_404(path: str) -> None:
    answer = await got(SHARED, path)
    assert answer.status_code == 404
    assert answer.json()["title"] == "Not Found"


@pytest.mark.parametrize("path", HISTORY)
async def test_history_that_is_away_says_since_when(path: str) -> None:
    made = Made()
    made.history.error = HistoryUnavailableError("ClickHouse does not answer", NOW)
    async with made.client() as client:
        answer = await client.get(path)
        now = await client.get("/api/v1/overview")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "15"
    assert answer.json() == {
        "title": "Service Unavailable",
        "status": 503,
        "detail": "ClickHouse does not answer",
        "since": NOW,
    }
    assert now.status_code == 200


async def test_days_are_counted_up_to_the_last_one() -> None:
    made = Made()
    for path in ("/reports/slo", "/uptime"):
        await got(made, f"{path}?until=2026-11-30&days=7")
        await got(made, f"{path}?until=2026-11-30")
        await got(made, f"{path}?until=2026-11-30&since=2026-11-24")
        spans = [(asked.since, asked.until) for asked in made.history.asked[-3:]]
        last = date(2026, 11, 30)
        assert spans == [
            (date(2026, 11, 24), last),
            (date(2026, 11, 1), last),
            (date(2026, 11, 24), last),
        ]
        assert wrong(await got(made, f"{path}?since=2026-11-24&days=7")) == ["days"]
        assert wrong(await got(made, f"{path}?days=731")) == ["days"]


async def test_no_answer_has_the_password_of_clickhouse() -> None:
    made = Made()
    url = "http://me:hunter2@127.0.0.1:8123/portquorum"
    for error in (HistoryUnavailableError(f"{url} is away", NOW), HistoryTooSlowError(url)):
        made.history.error = error
        assert "hunter2" not in (await got(made, "/uptime")).text


@pytest.mark.parametrize("path", HISTORY)
async def test_history_that_is_too_slow_says_so(path: str) -> None:
    made = Made()
    made.history.error = HistoryTooSlowError("this takes longer than 2 s")
    async with made.client() as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (503, "this takes longer than 2 s")


async def test_a_fault_tells_nothing_of_the_inside(capsys: pytest.CaptureFixture[str]) -> None:
    made = Made()
    made.history.error = RuntimeError("password=hunter2")
    answer = await got(made, "/uptime")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "a request failed" in capsys.readouterr().out


async def test_the_document_has_every_route_and_all_its_answers() -> None:
    document = json.loads((await got(SHARED, "/openapi.json")).content)
    assert document["openapi"].startswith("3.1")
    everything = [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    for method, path, operation in everything:
        assert operation["summary"]
        assert operation["description"]
        assert {"400", "401", "403", "500", "503"} <= operation["responses"].keys()
        assert ("404" in operation["responses"]) is ("{" in path or path == "/api/v1/results")
        assert ("requestBody" in operation) <= (method in {"put", "post", "patch"})
        if "requestBody" in operation:
            assert {"408", "413", "415"} <= operation["responses"].keys()
        if method != "get":
            assert "409" in operation["responses"]
            assert {"session": [], "csrf": []} in operation["security"]
        named = {one["name"] for one in operation.get("parameters", ())}
        assert ("Idempotency-Key" in named) is (method == "post")
        assert ("If-Match" in named) is ("412" in operation["responses"])
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                (content,) = response["content"]
                assert content == "application/problem+json"
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (path, parameter["name"])
    assert {"token", "session", "csrf"} == document["components"]["securitySchemes"].keys()
    operations = {path: operation for method, path, operation in everything if method == "get"}
    assert len(operations) == 37
    assert len(everything) == 71
    assert "text/event-stream" in operations["/api/v1/events"]["responses"]["200"]["content"]
    assert "text/csv" in operations["/api/v1/targets"]["responses"]["200"]["content"]
    schemas = document["components"]["schemas"]
    assert {"IncidentRow", "PastIncidentRow", "Problem", "TargetPage", "Change"} <= schemas.keys()
    assert not [name for name in schemas if "answers" in name]
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert referred <= schemas.keys()
    assert schemas["Freshness"]["description"].startswith("How old is what is shown.")
    assert "\\Z" not in json.dumps(schemas)
    assert "//" not in json.dumps(document["servers"])


async def test_only_the_fields_that_one_asks_for() -> None:
    answer = await got(SHARED, "/targets?fields=id,state&fields=since")
    assert set(answer.json()["rows"][0]) == {"id", "state", "since"}
    assert answer.json()["total"] == 3
    assert "etag" in answer.headers
    text = (await got(SHARED, "/targets?fields=state,id&format=csv")).text
    assert text.splitlines()[0] == "state,id"
    assert wrong(await got(SHARED, "/targets?fields=secret")) == ["fields"]
    for path in ("/incidents", "/groups", "/regions", "/uptime", "/results?target=db-0"):
        join = "&" if "?" in path else "?"
        assert (await got(SHARED, f"{path}{join}fields=name,id,nothing")).status_code == 400


async def test_a_target_has_its_history_of_any_window() -> None:
    made = Made()
    since, until = 1_795_910_400_000, 1_795_996_800_000
    answer = await got(made, f"/targets/db-0/history?since={since}&until={until}")
    assert answer.status_code == 200
    assert made.history.asked[-1].window == between(since, until)
    for query in ("window=1h&since=1h", "until=1h", "since=1h&until=2h", "since=900d"):
        assert set(wrong(await got(made, f"/targets/db-0/history?{query}"))) <= {"since", "window"}


async def test_lists_of_memory_have_search_order_and_pages() -> None:
    made = Made()
    row = answers.RegionRow(
        name="eu", state="reporting", since=None, last_beat_at=NOW, targets=3, unknown=0
    )
    names = ("b", "a", "d", "c1", "c2")
    rows = tuple(replace(row, name=one, targets=place) for place, one in enumerate(names))
    made.fleet.region_rows = rows
    found: list[str] = []
    cursor = ""
    while True:
        answer = await got(made, f"/regions?sort=-name&limit=2&cursor={cursor}&fields=name")
        found += [one["name"] for one in answer.json()["regions"]]
        if not (cursor := answer.json()["next_cursor"]):
            break
    assert found == ["d", "c2", "c1", "b", "a"]
    answer = (await got(made, "/regions?q=C&limit=1")).json()
    assert ([one["name"] for one in answer["regions"]], answer["total"]) == (["c1"], 2)
    # The row of the cursor is gone: no row is left out.
    made.fleet.region_rows = tuple(one for one in rows if one.name != "c1")
    rest = (await got(made, f"/regions?q=C&cursor={answer['next_cursor']}")).json()
    assert [one["name"] for one in rest["regions"]] == ["c2"]
    assert wrong(await got(made, f"/regions?sort=name&cursor={answer['next_cursor']}")) == [
        "cursor"
    ]
