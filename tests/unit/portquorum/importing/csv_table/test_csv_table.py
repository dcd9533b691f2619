"""Tables and lists through wing and assemble: headers, delimiters, encodings, spreadsheets."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portquorum.importing import report as reporting
from portquorum.importing import writer
from portquorum.importing.assemble import assemble
from portquorum.importing.csv_table import wing
from portquorum.importing.model import Options, Report

OPTIONS = Options()


def imported(text: str | bytes, folder: Path) -> tuple[list[dict[str, Any]], Report]:
    file = folder / "table.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    document, report = assemble(wing.read([file], OPTIONS), OPTIONS)
    return document.get("targets", []), report


def test_our_own_field_names(tmp_path: Path) -> None:
    text = """name,id,kind,host,port,interval,timeout,retries,criticality,tags,probe.status,group
API,api-1,http,api.example.com,443,30s,5s,2,critical,"prod, eu","[""200-299"", 401]",Shop
"""
    targets, report = imported(text, tmp_path)
    assert targets == [
        {
            "name": "API",
            "id": "api-1",
            "kind": "http",
            "host": "api.example.com",
            "port": 443,
            "interval": "30s",
            "timeout": "5s",
            "retries": 2,
            "criticality": "critical",
            "tags": ["Shop", "prod", "eu"],
            "probe": {"status": ["200-299", 401]},
        }
    ]
    assert (report.count("exact"), report.ignored) == (1, ())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_and_encodings(delimiter: str, encoding: str, tmp_path: Path) -> None:
    rows = [
        ("Friendly Name", "IP Address", "Protocol", "Port", "Beschreibung"),
        ('"Tür, ""Büro"""', "192.0.2.7", "TCP", "4711", "hält, was; es"),
        ("Wand", "192.0.2.8", "ping", "", ""),
    ]
    quoted = "\r\n".join(
        delimiter.join(
            f'"{cell}"' if delimiter in cell and '"' not in cell else cell for cell in row
        )
        for row in rows
    )
    targets, report = imported(quoted.encode(encoding), tmp_path)
    first, second = targets
    assert (first["name"], first["kind"], first["port"]) == ('Tür, "Büro"', "tcp", 4711)
    assert first["purpose"] == "hält, was; es"
    assert (second["kind"], "port" in second) == ("icmp", False)
    assert report.unreadable == ()


def test_lists_without_a_header(tmp_path: Path) -> None:
    text = """# our servers
db1.example.com:5432
[2001:db8::7]:22
https://www.example.com/health?x=1
192.0.2.7 8080
gw.example.com
db1.example.com:99999
postgres://db2.example.com
"""
    targets, report = imported(text, tmp_path)
    places = [(one["kind"], one["host"], one.get("port")) for one in targets]
    assert places == [
        ("tcp", "db1.example.com", 5432),
        ("tcp", "2001:db8::7", 22),
        ("http", "www.example.com", 443),
        ("tcp", "192.0.2.7", 8080),
        ("icmp", "gw.example.com", None),
        ("postgres", "db2.example.com", None),
    ]
    assert targets[2]["probe"]["path"] == "/health?x=1"
    assert targets[0]["name"] == "db1.example.com - PostgreSQL 5432"
    assert [(one.outcome, one.place.line) for one in report.entries if one.why] == [("left_out", 7)]


def test_rows_without_a_header(tmp_path: Path) -> None:
    targets, _ = imported("db1.example.com,5432,Orders\ndb2.example.com,5432,Users\n", tmp_path)
    assert [(one["name"], one["port"]) for one in targets] == [("Orders", 5432), ("Users", 5432)]
    targets, _ = imported(
        "a.example.com:1,b.example.com:2\nc.example.com:3,d.example.com:4\n", tmp_path
    )
    assert [one["port"] for one in targets] == [1, 2, 3, 4]


def test_what_spreadsheets_do(tmp_path: Path) -> None:
    text = """sep=;
name;host;port;interval;kind;enabled;note
="0042";a.example.com;443.0;1.0E+2;;x;'=not a formula
Sum;=A1;80;;;;
Short;a.example.com;1.0E+5;;;;
Error;a.example.com;#N/A;;;;
Comma;a.example.com;"8.080";90,5;tcp;nein;
Thousands;a.example.com;"8,080";;;;
"""
    targets, report = imported(text, tmp_path)
    first, last = targets
    assert (first["name"], first["port"], first["interval"]) == ("0042", 443, "100s")
    assert first["purpose"] == "=not a formula"
    assert (last["port"], last["interval"], last["enabled"]) == (8080, "90500ms", False)
    wrong = {one.place.line: one.why for one in report.entries if one.why}
    assert set(wrong) == {4, 5, 6, 8}
    assert "formula" in (wrong[4] or "")
    assert "short form" in (wrong[5] or "")


def test_several_ports_and_words_of_others(tmp_path: Path) -> None:
    text = """Name,Hostname,Ports,Type,Priority,Check Interval,Colour,Password
Mail,mail.example.com,"25, 587",smtp,P1,60,red,hunter22
Shop,shop.example.com,,HTTPS,low,5 min,,
Old,old.example.com,80-82,port,,,,
"""
    targets, report = imported(text, tmp_path)
    assert [one["name"] for one in targets[:2]] == ["Mail 25", "Mail 587"]
    assert targets[2]["port"] == 443
    assert targets[2]["interval"] == "5m"
    assert [one["port"] for one in targets[3:]] == [80, 81, 82]
    assert {one.what for one in report.ignored} == {"the column 'Colour'", "the column 'Password'"}
    assert "hunter22" not in repr((targets, report))


def test_rows_with_errors_are_named_by_line(tmp_path: Path) -> None:
    text = """name,host,port,kind,interval
ok,a.example.com,1,tcp,
no place,,,,
kind,a.example.com,1,gopher,
"two
lines",a.example.com,1,tcp,soon
more,a.example.com,1,tcp,1m,2m
host,a b.example.com,1,tcp,
ours,a.example.com,1,tcp,3d
"""
    _, report = imported(text, tmp_path)
    left = {one.place.line for one in report.entries if one.outcome == "left_out"}
    assert left == {3, 4, 5, 7, 8, 9}
    assert report.count("exact") == 1


def test_a_long_note_is_cut_and_that_is_told(tmp_path: Path) -> None:
    (target,), report = imported(f"host,port,note\na.example.com,1,{'words ' * 5000}\n", tmp_path)
    assert len(target["purpose"]) <= 500
    assert report.count("nearly") == 1


def test_a_quote_that_never_ends_is_told(tmp_path: Path) -> None:
    _, report = imported('name,host,port\nok,a.example.com,1\n"x,b.example.com,2\n', tmp_path)
    assert report.count("exact") == 1
    (one,) = report.unreadable
    assert (one.place.line, "quote" in one.why) == (3, True)


def test_tokens_in_urls_and_notes_are_not_copied(tmp_path: Path) -> None:
    canary = "7f3a9b2c4d5e6f708192a3b4"
    text = f"""url,note
https://user:{canary}@a.example.com/hook/{canary}?key={canary},the token is {canary}
http://b.example.com/{canary},
"""
    targets, report = imported(text, tmp_path)
    assert len(targets) == 2
    assert targets[1]["probe"]["insecure"] is True
    whole = (repr((targets, report)), reporting.markdown(report), *reporting.lines(report))
    assert all(canary not in text for text in whole)
    assert writer.document({"targets": targets}, report)


def test_the_template_of_the_docs(tmp_path: Path) -> None:
    page = (Path(__file__).parents[5] / "docs" / "import.md").read_text()
    template = page.partition("```csv\n")[2].partition("```")[0]
    targets, report = imported(template, tmp_path)
    assert (report.count("exact"), report.ignored) == (4, ())
    assert len(targets) == 5
    assert targets[0]["probe"] == {"path": "/health"}


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"\xff\xfe\x00", b"\x00\x01\x02", b"# only\n", b"\x81\x8d"]
)
def test_files_without_rows(data: bytes, tmp_path: Path) -> None:
    targets, _ = imported(data, tmp_path)
    assert targets == []


@pytest.mark.parametrize(
    "cell", ["," * 60_000 + "-", "1" * 60_000, " " * 60_000 + "x", "://" * 9_000]
)
@pytest.mark.parametrize("column", ["port", "interval", "host", "status", "tags", "note", "url"])
def test_long_cells_take_no_long_time(cell: str, column: str, tmp_path: Path) -> None:
    imported(f'name,{column},host\na,"{cell}",a.example.com\n', tmp_path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(alphabet="ab.:/0123456789,;\t|\"\n =-#@'[]{}$%é", max_size=80), st.booleans())
def test_any_text(tmp_path: Path, text: str, with_header: bool) -> None:
    imported(("name,host,port,kind,url,probe.path\n" if with_header else "") + text, tmp_path)
