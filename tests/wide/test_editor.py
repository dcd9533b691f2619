"""An editor knows the inventory: the YAML language server, by the first line that we write."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from portquorum.inventory import TargetEntry, add
from portquorum.inventory.editor import MODELINE
from tests.unit.portquorum.inventory.reference.test_editor_schema import INVENTORIES
from tests.wide.editor.language_server import LanguageServer
from tests.wide.installed import WIDE, missing

pytestmark = [pytest.mark.wide, pytest.mark.timeout(300)]

PROGRAM: Final = (
    WIDE / "node" / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
)
HEAD: Final = f"{MODELINE}\nregions: {{eu: {{}}}}\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    if not PROGRAM.exists():
        missing("yaml-language-server")
    folder = tmp_path_factory.mktemp("editor")
    add(folder / "inventory.yaml", TargetEntry(host="db1.example.com", port=5432))
    with LanguageServer(["node", str(PROGRAM), "--stdio"], folder) as found:
        yield found


def test_a_new_file_of_ours_is_right(server: LanguageServer, tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    add(file, TargetEntry(host="db1.example.com", port=5432))
    assert server.wrong(file.read_text()) == []
    wrong = file.read_text().replace("port: 5432", "port: 54320000")
    ((line, words),) = server.wrong(wrong)
    assert wrong.splitlines()[line - 1].strip() == "port: 54320000"
    assert words == "Value is above the maximum of 65535."


def test_every_inventory_of_the_repository_is_right(server: LanguageServer) -> None:
    from portquorum.inventory.yaml_text import yaml_text

    for name, document in INVENTORIES:
        text = "\n".join(f"{key}: {yaml_text(value)}" for key, value in document.items())
        assert server.wrong(f"{MODELINE}\n{text}\n") == [], name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("targets:\n  - host: a\n", 'Missing property "port".'),
        ("targets:\n  - {host: a, port: 1, prot: 1}\n", "Property prot is not allowed."),
        ("targets:\n  - {kind: http, host: a, interval: 30}\n", "Incorrect type."),
        ("targets:\n  - {kind: http, host: a, interval: 30sec}\n", "String does not match"),
        ("targets:\n  - {kind: htpp, host: a}\n", "Value is not accepted. Valid values:"),
        ("targets:\n  - {kind: http, host: a, probe: {pth: /}}\n", "Property pth is not allowed."),
        (
            "targets:\n  - {kind: redis, host: a, probe: {tls: starttls}}\n",
            'Value is not accepted. Valid values: "none", "implicit"',
        ),
        ("targets:\n  - {host: a, port: 1, grace: 5m}\n", "Only a heartbeat has it."),
        ("targets:\n  host: a\n", "Incorrect type."),
    ],
)
def test_what_is_wrong_is_underlined(server: LanguageServer, text: str, words: str) -> None:
    ((line, said),) = server.wrong(HEAD + text)
    assert line == 4
    assert said.startswith(words)


def test_options_are_those_of_the_kind(server: LanguageServer) -> None:
    target = "targets:\n  - kind: {}\n    host: a\n    probe:\n      |\n"
    of_http = server.completions(HEAD + target.format("http"))
    assert {"path", "status", "conditions", "bearer"} <= of_http.keys()
    assert "The path, with the query" in of_http["path"]
    of_dns = server.completions(HEAD + target.format("dns"))
    assert set(of_dns) - {"options of dns"} == {
        "name",
        "record",
        "expect",
        "expect_regex",
        "rcode",
        "transport",
    }
    ways = target.replace("|", "tls: |")
    assert server.completions(HEAD + ways.format("postgres")).keys() == {"none", "starttls", "null"}


def test_kinds_and_fields_are_offered_with_their_words(server: LanguageServer) -> None:
    kinds = server.completions(HEAD + "targets:\n  - kind: |\n")
    assert kinds["heartbeat"] == "A job that reports itself; nothing is connected to."
    fields = server.completions(HEAD + "targets:\n  - kind: http\n    host: a\n    |\n")
    assert {"open_after", "depends_on", "runbook", "extends", "ports"} <= fields.keys()
    assert {"teams", "routes", "templates"} <= server.completions(HEAD + "|\n").keys()


def test_a_field_says_what_it_means(server: LanguageServer) -> None:
    said = server.hover(HEAD + "targets:\n  - {kind: http, host: a, open_|after: 5m}\n")
    assert "How long it must be down before an incident opens." in said
    assert "Default: `0s`" in said
    assert "Example: `5m`" in said
