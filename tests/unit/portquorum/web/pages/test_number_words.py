import pytest

from portquorum.web.pages import number_words


def test_one_and_many() -> None:
    assert number_words.many("{n} target|{n} targets", 1) == "1 target"
    assert number_words.many("{n} target|{n} targets", 9_852) == "9,852 targets"
    assert number_words.unit("{n} target|{n} targets", 0) == "targets"


def test_braces_in_values_and_unknown_names_stay() -> None:
    assert number_words.fill("by {name}", name="{n} {name}") == "by {n} {name}"
    assert number_words.fill("{a} and {b", a=1) == "1 and {b"
    assert number_words.fill("{missing}!", name="x") == "{missing}!"


def test_lengths_are_cut_and_signed() -> None:
    assert number_words.cut("abc", 3) == "abc"
    assert number_words.cut("abcd", 3) == "ab…"
    assert number_words.signed_length(-7_400) == "-7 s"
    assert number_words.minus(65_000, 0) == "1 min 5 s"


@pytest.mark.parametrize(
    ("ms", "shown"), [(0.417, "0.42 ms"), (12.34, "12.3 ms"), (1_204.4, "1,204 ms")]
)
def test_latencies_have_units(ms: float, shown: str) -> None:
    assert number_words.milliseconds(ms) == shown


@pytest.mark.parametrize(
    ("text", "is_link"),
    [
        ("https://wiki.example.com/a?b#c", True),
        ("http://[2001:db8::1]/", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://bank.example@evil.example/", False),
        ("//evil.example/", False),
        ("http://[", False),
        ("see the wiki", False),
        ("\x01javascript:alert(1)", False),
    ],
)
def test_only_addresses_of_the_web_are_links(text: str, is_link: bool) -> None:
    assert number_words.is_web_link(text) is is_link


def test_any_part_of_a_path_is_quoted() -> None:
    assert number_words.path("targets", "../a b/?#\"'<") == "/targets/..%2Fa%20b%2F%3F%23%22%27%3C"


def test_addresses_in_what_somebody_typed_are_links() -> None:
    said = number_words.linked("see https://wiki.example.com/a?b=1&c=2.\n<b>javascript:x</b>")
    assert '<a href="https://wiki.example.com/a?b=1&amp;c=2" rel="noopener nofollow' in said
    assert "</a>.\n&lt;b&gt;javascript:x&lt;/b&gt;" in said
    assert "<a" not in number_words.linked("https://user@evil.example/ http://")
