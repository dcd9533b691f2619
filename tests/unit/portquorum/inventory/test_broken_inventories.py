"""Inventories as people write them who come from elsewhere: what `inventory check` says of each.

`broken_inventories.txt` has the texts and the sentences. Read it: each should tell what to do, and
one mistake should be one sentence.
"""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from portquorum.inventory import InventoryError, check
from portquorum.inventory.excerpt import with_lines

Write = Callable[..., Path]

TABLE: Final = Path(__file__).with_name("broken_inventories.txt")
RIGHT: Final = Path(__file__).with_name("right_inventory.yaml")
SEVERAL: Final = {"unit3", "pt30s", "gatus fields", "kuma fields", "k8s probe", "conflict"}
"""Texts with more than one mistake."""

_DAMAGE: Final = "ab1:-[]{}&*!<> \n'\"|#?~.,@%`\t$\u00a0"
_MOST: Final = 6
"""Problems of one damage: a line that is gone may leave several fields where they are none."""


def cases() -> Iterator[tuple[str, str, list[str]]]:
    """Name, text and sentences of each."""
    for part in TABLE.read_text(encoding="utf-8").split("=== ")[1:]:
        name, _, rest = part.partition("\n")
        text, said = rest.rsplit("---\n", 1)
        plain = text.replace("<TAB>", "\t").replace("<NBSP>", "\u00a0")
        yield name, plain, said.replace("<NBSP>", "\u00a0").splitlines()


def said_of(path: Path) -> list[str]:
    """The problems of a file, or its warnings if there are none."""
    try:
        found = [str(one) for one in check([path]).warnings]
    except InventoryError as error:
        found = [str(one) for one in error.problems]
    return [one.replace(f"{path}:", "") for one in found]


CASES: Final = list(cases())


@pytest.mark.parametrize(("name", "text", "said"), CASES, ids=[name for name, _, _ in CASES])
def test_a_mistake_is_told_with_what_to_do(
    file: Write, name: str, text: str, said: list[str]
) -> None:
    found = said_of(file(text))
    assert [one.removeprefix("FINE ") for one in found] == [
        one for one in said if not one.startswith("FINE ")
    ]
    assert len(found) == 1 or name in SEVERAL
    for one in found:
        assert not re.search(r"expected YAML|None|`(str|int|array|object)|regex", one)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("targets: []\n".encode("utf-16"), "1: expected UTF-8 text, found UTF-16"),
        ("a: 1\nb: K\u00f6ln\n".encode("latin-1"), "2: expected UTF-8 text, found the byte 0xf6"),
        (b"\xef\xbb\xbftarget: []\n", "1: target: no such section; did you mean `targets`?"),
        (b"a: 1\r\n\r\ntarget: []\r\n", "1: a: no such section; there are regions"),
        (b"\x00\x01\xff" * 9, "1: expected UTF-8 text, found bytes that are no text"),
    ],
)
def test_bytes_that_are_not_as_expected(file: Write, data: bytes, said: str) -> None:
    path = file("")
    path.write_bytes(data)
    assert said_of(path)[0].startswith(said)


def damaged(rng: random.Random, text: str) -> str:
    """The text with one damage of those that happen while people type, copy and merge."""
    lines, at, place = text.split("\n"), rng.randrange(len(text)), 0
    place = rng.randrange(len(lines))
    line = lines[place]
    match rng.randrange(7):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + rng.choice(_DAMAGE) + text[at:]
        case 2:
            del lines[place]
        case 3:
            lines.insert(place, rng.choice(lines))
        case 4:
            lines[place] = f" {line}"
        case 5:
            lines[place] = line.replace(": ", ":", 1)
        case _:
            lines[place] = f"\t{line.lstrip()}"
    return "\n".join(lines)


def test_one_damage_is_few_problems_and_never_a_traceback(file: Write) -> None:
    right = RIGHT.read_text(encoding="utf-8")
    assert check([file(right)]).targets
    rng = random.Random(20261130)  # noqa: S311 - damage, no secret
    counts = []
    for _ in range(80):
        found = said_of(file(damaged(rng, right)))
        assert len(found) <= _MOST, found
        counts.append(len(found))
        assert not any("expected YAML" in one or "None" in one for one in found), found
    assert sum(count <= 2 for count in counts) >= 0.95 * len(counts)


def test_a_terminal_sees_the_line_with_a_mark(file: Write) -> None:
    text = "regions: {a: {}}\ntargets:\n  - {host: x, port: 1, intervall: 1m}\n"
    path = file(text)
    with pytest.raises(InventoryError) as caught:
        check([path])
    lines = with_lines(caught.value.problems)
    assert lines[1:] == [
        "  3 |   - {host: x, port: 1, intervall: 1m}",
        "    |                        ^",
    ]
    path = file("regions: {a: {}}\nroutes:\n  r: {urls: [tops3cret], urgent: 1}\n")
    with pytest.raises(InventoryError) as caught:
        check([path])
    assert "tops3cret" not in "\n".join(with_lines(caught.value.problems))
