"""Nothing from outside mentions, links or formats; what people read is what was written."""

import html
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sinks.notifier.model import Delivery
from sinks.notifier.texts import gsm7
from sinks.notifier.texts.markup import Pen, escaped
from sinks.notifier.texts.model import Budget, Markup, Units
from sinks.notifier.texts.outside import beginning, link, said, shortened
from sinks.notifier.texts.render import render
from tests.unit.sinks.notifier.events import incident_event
from tests.unit.sinks.notifier.texts import oracles
from tests.unit.sinks.notifier.texts.deliveries import (
    EVIL,
    MARKUPS,
    UNITS,
    budgets,
    deliveries,
    delivery,
    digests,
    evil_texts,
    long_texts,
    verdicts,
)
from tests.unit.sinks.notifier.texts.digests import digest_of

RUNBOOK = "https://wiki.example.com/a_b?x=*1*&y=@z"
LINK = "https://ports.example.com/i/abc.def"
ROOM = Budget(title=250, body=40_000)
LOOKALIKES = str.maketrans("\u2217\u223c\u02cb\uff3f", "*~`_")
"""What stands for the marks that Slack has no escape for."""

characters = st.characters(exclude_categories=["Cs"])


def harmless(text: str, markup: Markup) -> None:
    """Fails if a reader of the markup sees anything but text, the runbook and the news' link."""
    own = {RUNBOOK, RUNBOOK.replace("@", "%40"), LINK}
    inert = text
    for url in (RUNBOOK, html.escape(RUNBOOK, quote=False), RUNBOOK.replace("@", "%40"), LINK):
        inert = inert.replace(f"<{url}>", "").replace(url, "")
    assert oracles.mentions(inert, markup) == []
    assert oracles.shapes(text, markup) == []
    assert set(oracles.links(text, markup)) <= own
    assert oracles.unescaped(text, markup) == []


@pytest.mark.parametrize("markup", MARKUPS)
@given(data=st.data())
def test_nothing_of_a_message_mentions_links_or_formats(
    data: st.DataObject, markup: Markup
) -> None:
    told = data.draw(deliveries() | digests())
    budget = data.draw(budgets(markup=markup))
    text = render(told, budget)
    read_as: Markup = "plain" if budget.units == "sms" else markup
    for part in (text.subject, *text.body.split("\n\n")):
        harmless(part, read_as)
    harmless(text.line, "plain")
    harmless(text.short, "plain")


@pytest.mark.parametrize("markup", MARKUPS)
@pytest.mark.parametrize("evil", EVIL)
def test_each_evil_text_in_each_place(evil: str, markup: Markup) -> None:
    event = incident_event(
        name=evil[:255],
        host=evil[:255],
        summary=evil,
        regions=verdicts(1, detail=evil),
        first_steps=(evil,),
        tags=(evil[:255],),
        acknowledged_by=evil[:255],
        acknowledged_note=evil,
        runbook=evil,
    )
    # Of a late one what came from outside is the second line.
    late = delivery("opened", event, news_due_at=1)
    other = incident_event(name=evil[:255], host="db2.example.com", tags=(evil[:255],))
    digest = digest_of(
        ("opened", (event,)),
        ("reminder", (other,)),
        news_held=evil,
        news_escalated_from=evil[:255],
        news_link=evil,
    )
    for told in (delivery("opened", event), late, delivery("opened", event, event), digest):
        text = render(told, Budget(title=250, body=40_000, markup=markup))
        harmless(text.subject, markup)
        harmless(text.body, markup)
        assert text.html is None or _only_ours(text.html, None)


def _only_ours(document: str, runbook: str | None) -> bool:
    for name, values in oracles.tags(document):
        assert name in {"html", "head", "meta", "title", "body", "h1", "h2", "p", "br", "a"}
        assert set(values) <= {"lang", "charset", "style", "href"}
        assert "url(" not in (values.get("style") or "")
        assert name != "a" or values["href"] in {runbook, LINK}
    return True


@given(deliveries() | digests(), budgets(least=1000, markup="html"))
def test_the_html_of_a_mail_has_only_our_tags(told: Delivery, budget: Budget) -> None:
    document = render(told, budget).html
    if document is not None:
        _only_ours(document, RUNBOOK)


def test_the_html_of_a_mail_says_the_same_as_its_text() -> None:
    event = incident_event(runbook=RUNBOOK, name="A & B <c>", regions=verdicts(20))
    text = render(delivery("opened", event), Budget(title=250, body=40_000, markup="html"))
    assert text.html is not None
    read = oracles.text_of(text.html)
    for line in text.body.splitlines():
        assert line.strip() in read
    assert text.subject in read
    assert ("a", {"href": RUNBOOK}) in oracles.tags(text.html)
    assert "src" not in text.html


def test_the_html_of_a_mail_is_cut_like_its_text() -> None:
    event = incident_event(regions=verdicts(300))
    for limit in (1000, 2000, 5000, 10_000):
        text = render(delivery("opened", event), Budget(title=250, body=limit, markup="html"))
        assert text.html is None or len(text.html) <= limit
    assert text.html is not None
    assert re.search(r"and \d+ more", text.html)


@pytest.mark.parametrize(
    ("action", "because", "colour"),
    [
        ("opened", None, "#b42318"),
        ("closed", "recovered", "#1a7f37"),
        ("closed", "abandoned", "#57606a"),
        ("closed", "resolved", "#57606a"),
    ],
)
def test_only_a_recovery_is_green(action: Any, because: str | None, colour: str) -> None:
    event = incident_event(event="closed" if because else "opened", closed_because=because)
    text = render(delivery(action, event), Budget(title=250, body=5000, markup="html"))
    assert text.html is not None
    assert f"6px solid {colour}" in text.html


@pytest.mark.parametrize("markup", MARKUPS)
@given(evil_texts)
def test_people_read_what_was_written(markup: Markup, text: str) -> None:
    line = said(text, 5000)
    if line.startswith("http"):
        return
    written = escaped(line, markup)
    match markup:
        case "discord" | "mattermost" | "markdown":
            read = re.sub(r"</?p>|\n", "", MarkdownIt("commonmark").render(written))
            read = html.unescape(read)
        case "slack" | "telegram":
            read = html.unescape(written)
            read, line = read.translate(LOOKALIKES), line.translate(LOOKALIKES)
        case _:
            apart = re.compile("([<@\N{FULLWIDTH COMMERCIAL AT}]) ")
            read, line = apart.sub(r"\1", written), apart.sub(r"\1", line)
    assert read.replace("\u200b", "").strip() == line.replace("\u200b", "").strip()


@pytest.mark.parametrize("markup", MARKUPS)
def test_first_steps_can_be_copied_into_a_shell(markup: Markup) -> None:
    for step in (
        "dig db1.example.com @1.1.1.1; dig db1.example.com @9.9.9.9",
        "openssl s_client -connect db1.example.com:443 </dev/null 2>/dev/null | openssl x509",
    ):
        written = escaped(step, markup)
        assert "\u200b" not in written
        assert html.unescape(written.replace("\\", "")) == step
    for mention in ("@1.1.1.1x", "@ops", "@1234567", "<@1.1.1.1x>"):
        assert escaped(mention, markup) != mention


def test_a_runbook_is_a_link_in_each_markup() -> None:
    event = incident_event(runbook=RUNBOOK)
    for markup in MARKUPS:
        body = render(delivery("opened", event), Budget(title=250, body=4000, markup=markup)).body
        assert set(oracles.links(body, markup)) <= {RUNBOOK, RUNBOOK.replace("@", "%40")}
        assert oracles.links(body, markup)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://a.example/x y",
        "https://a.example/>x",
        "https://a.example/|x",
        "https://a.example/\u202e",
        "ftp://a.example/",
        "https://ä.example/",
        "https://user@a.example/",
        "https://a.example/" + "x" * 1000,
        "",
    ],
)
def test_what_is_no_ordinary_url_is_no_link(url: str) -> None:
    assert link(url) is None


@given(long_texts, st.integers(1, 200), st.sampled_from(MARKUPS), st.sampled_from(UNITS))
@example("a" * 10 + "&" * 10, 20, "slack", "characters")
@example("@everyone", 10, "discord", "characters")
def test_a_cut_text_is_as_harmless_as_the_whole(
    text: str, limit: int, markup: Markup, units: Units
) -> None:
    pen = Pen.of(Budget(title=0, body=limit, markup=markup, units=units))
    written = pen.fit(said(text), limit)
    assert pen.size(written) <= limit
    harmless(written, pen.markup)
    if pen.markup == "telegram":
        # No cut inside of an entity.
        assert re.findall(r"&(?!amp;|lt;|gt;)", written) == []
    if units == "sms":
        assert gsm7.septets(written) <= limit


@given(st.text(characters), st.integers(0, 50))
def test_a_beginning_is_a_prefix(text: str, length: int) -> None:
    found = beginning(text, length)
    assert text.startswith(found)
    assert len(found) <= length
    assert len(found) >= min(length, len(text)) - 32
    assert len(shortened(text, length + 1)) <= length + 1


@pytest.mark.parametrize(
    ("text", "length", "found"),
    [
        ("abc", 2, "ab"),
        ("ae\u0301b", 2, "a"),
        ("ae\u0301b", 3, "ae\u0301"),
        ("x\U0001f469\u200d\U0001f4bb!", 2, "x"),
        ("x\U0001f469\u200d\U0001f4bb!", 3, "x"),
        ("x\U0001f469\u200d\U0001f4bb!", 4, "x\U0001f469\u200d\U0001f4bb"),
        ("\U0001f44d\U0001f3fd!", 1, ""),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 1, ""),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 2, "\U0001f1e9\U0001f1ea"),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 3, "\U0001f1e9\U0001f1ea"),
    ],
)
def test_no_letter_is_cut_from_its_marks(text: str, length: int, found: str) -> None:
    assert beginning(text, length) == found


def test_a_mebibyte_of_marks_is_cut_at_once() -> None:
    assert len(beginning("a" + "\u0301" * 2**20, 500)) == 500


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://evil.example/x", "see https[:]//evil[.]example/x"),
        ("www.evil.example", "www[.]evil.example"),
        ("bit.ly/3x", "bit[.]ly/3x"),
        ("db1.example.com:5432 refused", "db1.example.com:5432 refused"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("mailto:a@b.example", "mailto[:]a@b.example"),
        ("data: 5 bytes", "data: 5 bytes"),
    ],
)
def test_urls_of_servers_are_no_links(text: str, found: str) -> None:
    assert said(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain", "plain"),
        ("Zürich é ñ", "Zürich é ñ"),
        ("Łódź naïve", "Lodz naive"),
        ("a\u2026 \u2013 \u201cq\u201d", 'a... - "q"'),
        ("x\U0001f600y", "xy"),
        ("базы данных", "? ?"),
        ("[a]{b}~€", "[a]{b}~€"),
        ("what??", "what??"),
    ],
)
def test_the_alphabet_of_sms(text: str, found: str) -> None:
    assert gsm7.transliterated(text) == found


@given(st.text(characters))
def test_whatever_is_written_is_in_the_alphabet_of_sms(text: str) -> None:
    # https://www.3gpp.org/dynareport/23038.htm, tables 6.2.1.1 and 6.2.1.1.1
    basic = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    found = gsm7.transliterated(text)
    assert set(found) <= set(basic + letters + "^{}\\[~]|€")
    assert gsm7.transliterated(found) == found
