"""The map of docs/architecture.md leads to the code: folders, files, and what a newcomer asks."""

import re
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

from foundation.telemetry import METRICS_PORTS
from portquorum.cli.app import app
from schemas import topics

ROOT: Final = Path(__file__).parents[3]
PACKAGES: Final = ("schemas", "foundation", "producers", "streams", "sinks", "portquorum")
ARCHITECTURE: Final = (ROOT / "docs" / "architecture.md").read_text()

PAGES: Final = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "tests" / "golden" / "README.md",
    *(ROOT / name for name in ("Makefile", "Dockerfile", "docker-compose.yml", "pyproject.toml")),
]
TOP: Final = (*PACKAGES, "tests", "tools", "docs", "deploy", "examples")
_PATH: Final = re.compile(rf"(?<![\w/.:-])((?:{'|'.join(TOP)})/[\w./-]*\w/?)")
_FILE: Final = re.compile(r"(?<![\w/.-])(\w+\.(?:py|sql|c))(?![\w/])")

NOT_IN_A_CHECKOUT: Final = frozenset({"tests/golden/0.2", "schemas/released/0.3.0", "look.py"})
"""The next version's folders, and a file that a reader of docs/subscribers.md saves."""

BY_TOPIC: Final = tuple(f"schemas/{one}/" for one in ("examples", "json", "messages", "released"))

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def section(title: str) -> str:
    """The text below a heading, up to the next one."""
    _, found, rest = ARCHITECTURE.partition(f"\n{title}\n")
    assert found, f"docs/architecture.md has no heading {title!r}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the first table, as cells, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def the_map() -> list[tuple[str, str]]:
    return [(folder.strip("`"), holds) for folder, holds in rows(section("### The map"))]


def folders() -> list[str]:
    """Every folder of the packages; of examples, schemas and the like, one a topic, the parent."""
    below = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_dir())
    names = [str(path.relative_to(ROOT)) for path in below if path.name != "__pycache__"]
    names = [name for name in names if not name.startswith(BY_TOPIC)]
    return sorted(f"{name}/" for name in (*names, *PACKAGES) if holds_files(ROOT / name))


def holds_files(folder: Path) -> bool:
    """False for what a checkout of another branch left behind."""
    return any(path.is_file() and path.suffix != ".pyc" for path in folder.rglob("*"))


def steps() -> list[str]:
    """The steps of both walks, each with its words on one line."""
    text = section("### Two walks")
    return [" ".join(step.split()) for step in re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:]]


def files_of(folder: str, words: str) -> set[str]:
    """The files that a line of the map, or with folder "" a step of a walk, names."""
    return {f"{folder}{name}" for name in re.findall(r"`([\w./]+\.(?:py|sql))`", words)}


def test_every_folder_has_one_line() -> None:
    assert sorted(folder for folder, _ in the_map()) == folders()


def test_every_file_of_the_map_exists() -> None:
    named = {path for folder, holds in the_map() for path in files_of(folder, holds)}
    assert len(named) > 50
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_every_file_of_a_walk_exists_and_the_walks_cross_all_wings() -> None:
    walks = section("### Two walks")
    named = re.findall(r"`([^`]+)`", walks)
    assert [path for path in named if not (ROOT / path).is_file()] == []
    assert {path.split("/")[0] for path in named} >= {"producers", "streams", "sinks", "schemas"}


@every_page
def test_every_path_that_is_named_exists(page: Path) -> None:
    text = re.sub(r"\w+://\S+", "", page.read_text())
    named = {path for path in _PATH.findall(text) if path not in NOT_IN_A_CHECKOUT}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@every_page
def test_every_file_that_is_named_without_a_folder_exists(page: Path) -> None:
    known = {
        path.name
        for top in (*PACKAGES, "tests", "examples")
        for path in (ROOT / top).rglob("*")
        if path.suffix in {".py", ".sql", ".c"}
    }
    named = set(_FILE.findall(page.read_text())) - NOT_IN_A_CHECKOUT
    assert named - known == set()


def test_no_file_speaks_of_a_design_that_is_not_here() -> None:
    """A page of docs/ or a decision is named instead."""
    told = re.compile(r"\bthe design\b", re.IGNORECASE)
    sources = [path for top in (*PACKAGES, "tests") for path in (ROOT / top).rglob("*.py")]
    assert len(sources) > 400
    texts = {path: path.read_text() for path in (*PAGES, *sources) if path != Path(__file__)}
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if told.search(text)] == []


class Question(Struct, frozen=True):
    """What a newcomer asks; the words to look for in the map or a walk; the answer."""

    asks: str
    words: tuple[str, ...]
    file: str
    contains: str


QUESTIONS: Final = (
    Question(
        "where is decided that a region is stale?",
        ("region", "stale"),
        "streams/state/freshness.py",
        "def is_fresh(",
    ),
    Question(
        "where is a message to Kafka retried?",
        ("Kafka", "retried"),
        "producers/publishing/publisher.py",
        "class Publisher",
    ),
    Question(
        "where does a banner's length limit stand?",
        ("banner", "length limit"),
        "schemas/result.py",
        "banner: Annotated[str, Meta(max_length=300)]",
    ),
    Question(
        "how many regions must agree?",
        ("how many regions must agree",),
        "streams/rules/consensus.py",
        "QUORUM_PERCENT",
    ),
    Question(
        "how often are the regions asked to recheck a host?",
        ("asked to recheck",),
        "streams/rules/rechecks.py",
        "EVERY_MS",
    ),
    Question(
        "how often is a message tried again by a channel that fails?",
        ("channel", "tried again"),
        "sinks/notifier/decision/channel_condition.py",
        "FIRST_WAIT_MS",
    ),
    Question(
        "who is told of an event?",
        ("who is told",),
        "sinks/notifier/routing.py",
        "def channels(",
    ),
    Question(
        "what is the default of a setting?",
        ("settings", "defaults"),
        "foundation/settings.py",
        "class Settings(",
    ),
    Question(
        "which addresses may a public region connect to?",
        ("addresses", "may connect to"),
        "producers/checks/address_policy.py",
        "def blocked_because(",
    ),
    Question(
        "what keeps a row from being inserted twice?",
        ("second insert",),
        "sinks/clickhouse/pending_block.py",
        "def token(",
    ),
    Question(
        "which TLS versions and ciphers does a check offer?",
        ("TLS versions", "ciphers"),
        "producers/kinds/tls_context.py",
        "_CIPHERS: Final",
    ),
    Question(
        "when does a server say that it has no room?",
        ("no more connections",),
        "producers/kinds/limits.py",
        "WORDS: Final",
    ),
    Question(
        "how often may sshd be checked?",
        ("pace of `ssh`",),
        "producers/kinds/pace.py",
        "OPENSSH: Final",
    ),
    Question(
        "when does a connection end by a reset?",
        ("FIN or reset",),
        "producers/kinds/closing.py",
        "FIRST_FINS: Final",
    ),
    Question(
        "when is one DNS record equal to another?",
        ("DNS records are equal",),
        "producers/judging/dns_records.py",
        "def meaning(",
    ),
    Question(
        "how long is the wait before the next try?",
        ("wait before a next try",),
        "foundation/backoff.py",
        "class Backoff",
    ),
    Question(
        "when does the sink give up on a topic?",
        ("too many lines can't be read",),
        "sinks/clickhouse/bad_line_limit.py",
        "class BadLines",
    ),
    Question(
        "where is the look of a report's page?",
        ("style of all HTML pages",),
        "portquorum/presentation/html.py",
        "Environment(",
    ),
)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.asks)
def test_the_map_answers(question: Question) -> None:
    places = [*the_map(), *(("", step) for step in steps())]
    found = [
        (folder, words) for folder, words in places if all(word in words for word in question.words)
    ]
    assert len(found) == 1, f"expected one line with {question.words}, found {found}"
    assert question.file in files_of(*found[0])
    assert question.contains in (ROOT / question.file).read_text()


def roles() -> dict[str, tuple[str, str, str]]:
    """The table of the roles: command, what it reads, what it writes."""
    table = rows(section("## The way of the data"))
    return {role: (command, reads, writes) for role, command, reads, writes in table}


def test_the_table_of_roles_says_what_the_topics_say() -> None:
    for role, (_, reads, writes) in roles().items():
        declared = {topic.name for topic in topics.ALL if role in topic.readers}
        told = set(re.findall(r"\[([\w.-]+)\]", reads))
        if reads.startswith("every topic but [incidents.open]"):
            assert "and [web]" in reads
            told = {topic.name for topic in topics.ALL} - {"incidents.open", "web"}
        assert told == declared, role
        assert set(re.findall(r"\[([\w.-]+)\]", writes)) == {
            topic.name for topic in topics.ALL if role in topic.writers
        }, role


def test_topics_and_metrics_name_only_what_exists() -> None:
    """A reader, a writer and a metrics port is a role, or a command."""
    commands = {
        command.name or command.callback.__name__
        for command in app.registered_commands
        if command.callback is not None
    } | {group.name for group in app.registered_groups}
    named = {name for topic in topics.ALL for name in (*topic.readers, *topic.writers)}
    assert named - set(roles()) - commands == {"any subscriber"}
    started = {command.strip("`").split()[1] for command, _, _ in roles().values()}
    assert set(METRICS_PORTS) == started - {"inventory"}
    assert set(METRICS_PORTS) <= commands
