"""Files that nobody should have: an import ends soon, with a sentence, and obeys none of them."""

import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from portquorum.cli.app import app
from portquorum.importing import report as reporting
from portquorum.importing import writer
from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options, Report
from portquorum.importing.wings import WINGS

ENDPOINT = '  - {name: a, url: "https://a.example.org/", conditions: ["[STATUS] == 200"]}\n'
WITH = '  - {name: a, url: "https://a.example.org/%s", conditions: ["[STATUS] == 200"]}\n'
MOST_S = 20
"""Seconds of the processor: these took minutes, or never ended."""


def taken(kind: str, path: Path) -> Report:
    began = time.process_time()
    document, report = assemble(WINGS[kind]([path], Options()), Options())  # type: ignore[index]
    writer.document(document, report)
    reporting.markdown(report)
    list(reporting.lines(report))
    assert time.process_time() - began < MOST_S
    assert len(report.entries) == sum(reporting.counts(report).values())
    return report


@pytest.mark.parametrize("kind", list(WINGS))
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_or_a_device_is_no_file(
    kind: str, make: Callable[[Path], None], tmp_path: Path
) -> None:
    """Nobody writes into the pipe: whoever opened it as a file would wait for ever."""
    path = tmp_path / "odd.yaml"
    make(path)
    report = taken(kind, path)
    said = ("it is a pipe or a terminal, and no file", "expected at most 16 MB, found more")
    assert any(one in report.unreadable[0].why for one in said)


def test_a_pipe_of_the_shell_is_read_to_its_end() -> None:
    reader, writing = os.pipe()
    os.write(writing, f"endpoints:\n{ENDPOINT}".encode())
    os.close(writing)
    assert taken("gatus", Path(f"/dev/fd/{reader}")).count("exact") == 1
    os.close(reader)


@pytest.mark.parametrize("kind", list(WINGS))
def test_a_folder_of_links_in_a_circle_and_of_odd_things(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("b.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "out.yml").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe.yml")
    os.mkfifo(tmp_path / "pipe.json")
    assert taken(kind, tmp_path).unreadable
    assert not taken(kind, tmp_path).entries


NAGIOS_BOMB = "".join(
    f"define host {{\n name t{n}\n use t{n + 1},t{n + 1}\n register 0\n}}\n"
    f"define hostgroup {{\n hostgroup_name g{n}\n hostgroup_members g{n + 1},g{n + 1}\n}}\n"
    for n in range(29)
)
NAGIOS_HOST = (
    "define host {\n host_name h\n use t0\n address a.example.org\n hostgroups g0\n"
    " check_command check_tcp!80\n}\n"
)


DEEP_BODY = {"url": "https://a.example.org/", "body": '{"a":' * 900 + "1" + "}" * 900}
RELABELLING_BOMB = (
    """scrape_configs:
- job_name: j
  static_configs: [{targets: [a.example.org]}]
  relabel_configs:
"""
    + 40 * "  - {source_labels: [__address__, __address__], target_label: __address__}\n"
)


@pytest.mark.parametrize(
    ("kind", "text", "entries"),
    [
        ("gatus", "endpoints:\n" + WITH % ("${" * 100_000), 1),
        ("gatus", "endpoints:\n" + WITH % ("${A:-" * 100_000), 1),
        ("gatus", f"endpoints:\n  - {{name: '{'a:b@' * 100_000}', conditions: [x]}}\n", 1),
        ("gatus", f"endpoints:\n  - {{url: 'https://a.b', body: '{'is  ' * 300_000}'}}\n", 1),
        ("gatus", "endpoints:\n" + ENDPOINT * 1_000, 1_000),
        ("csv", "name,host,port\n" + "x,a.example.org,443\n" * 2_000, 2_000),
        ("csv", ",".join("c" * 300_000) + "\n" + ",".join("1" * 300_000), 0),
        ("csv", 'name,host\n"' + "x,y\n" * 500_000, 0),
        ("nagios", NAGIOS_BOMB + NAGIOS_HOST, 1),
        ("kuma", '{"monitorList":' + "[" * 200 + "]" * 200 + "}", 0),
        ("kuma", '{"monitorList":' + "[" * 50_000 + "]" * 50_000 + "}", 0),
        ("kuma", json.dumps([{"name": "a", "type": "http", "method": "POST"} | DEEP_BODY]), 1),
        ("gatus", json.dumps({"endpoints": [DEEP_BODY | {"conditions": ["[STATUS] == 200"]}]}), 1),
        ("prometheus", RELABELLING_BOMB, 0),
        ("nmap", "<nmaprun " + " ".join(f'a{n}="x"' for n in range(50_000)) + "></nmaprun>", 0),
        ("nmap", '<!DOCTYPE nmaprun [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><nmaprun/>', 0),
        ("nmap", '<!DOCTYPE nmaprun SYSTEM "file:///etc/passwd"><nmaprun>&x;</nmaprun>', 0),
    ],
)  # fmt: skip
def test_what_would_take_for_ever(kind: str, text: str, entries: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    assert len(taken(kind, path).entries) == entries


def test_a_name_that_many_share_is_given_once_each(tmp_path: Path) -> None:
    path = tmp_path / "g.yaml"
    path.write_text("endpoints:\n" + ENDPOINT * 3)
    ids = [entry.ids for entry in taken("gatus", path).entries]
    assert ids == [("a",), ("a-2",), ("a-3",)]


@pytest.mark.parametrize(
    "data",
    [
        f"endpoints:\n{ENDPOINT}".encode("utf-16"),
        b"\xef\xbb\xbfendpoints: [{name: '\xe9'}]",
        b"endpoints: [{name: 'a\0b'}]",
        b"\x7fELF\0\0",
        b"SQLite format 3\0" + b"\xff" * 5_000,
    ],
)
@pytest.mark.parametrize("kind", list(WINGS))
def test_bytes_that_are_no_text(kind: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(data)
    report = taken(kind, path)
    assert report.unreadable or report.entries or kind == "nagios"


ENDLESS = (
    "create view monitor as with recursive c(x) as (select 1 union all select x + 1 from c) "
    "select x id, 'n' name from c"
)
TRIGGER = "create trigger t after insert on monitor begin delete from monitor; end"


@pytest.mark.parametrize(
    "statements",
    [
        [ENDLESS],
        [
            "create table monitor(id, name, type, url)",
            TRIGGER,
            "insert into monitor values (1, 'a', 'http', zeroblob(9))",
        ],
        [
            "create table monitor(id, name, b text as (hex(zeroblob(30000000))))",
            "insert into monitor(id, name) values (1, 'a')",
        ],
        [  # a row is short on disk, and all together are gigabytes
            "create table monitor(id, name, b text as (hex(zeroblob(3000000))))",
            "insert into monitor(id, name) values (1, 2)" + ", (1, 2)" * 999,
        ],
        ["create table monitor(a)", "insert into monitor values (1)"],
    ],
)
def test_a_database_with_more_than_tables(statements: list[str], tmp_path: Path) -> None:
    path = tmp_path / "kuma.db"
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    before = path.read_bytes()
    connection.execute("begin exclusive")  # whoever has it locked does not hold us
    assert not taken("kuma", path).count("exact")
    connection.close()
    assert path.read_bytes() == before


EVIL = (
    "a\x1b]0;x\x07\x1b[2J\u202e<img src=x>[b](https://evil.example)\n@team https://evil.example/?q"
)


def test_no_name_controls_a_terminal_or_becomes_a_link(tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[2J@team www.evil.example.yaml"
    name = json.dumps(EVIL)
    entry = f'{{name: {name}, group: {name}, url: "sctp://a:1", conditions: ["{"x"}"], x{name}: 1}}'
    path.write_text(f"endpoints:\n  - {entry.replace('x' + name, 'headers')}\n  - {entry}\n")
    report = tmp_path / "report.md"
    options = ["--report", str(report), "--output", str(tmp_path / "out.yaml")]
    ended = CliRunner().invoke(app, ["import", "gatus", str(path), *options])
    for text in (ended.output, report.read_text()):
        assert not any(char in text for char in "\x1b\x07\u202e")
    for line in report.read_text().splitlines():
        outside = "".join(part for at, part in enumerate(line.split("`")) if at % 2 == 0)
        assert "://" not in outside
        assert "@team" not in outside
        assert "www." not in outside
        assert "<img" not in outside.replace("\\<", "")
    missing = CliRunner().invoke(app, ["import", "gatus", str(tmp_path / "no\x1b[2J\nfile")])
    assert "\x1b" not in missing.output
