"""Texts of a route's own: they fit, they harm nobody, and a broken one loses no message."""

import html
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from schemas.policy import Templates
from sinks.notifier.model import Channel, Delivery
from sinks.notifier.texts.model import Budget, Markup
from sinks.notifier.texts.render import render
from sinks.notifier.texts.template_check import examples, template_problem
from sinks.notifier.texts.templates.sandbox import FUEL
from tests.unit.sinks.notifier.events import incident_event
from tests.unit.sinks.notifier.texts import oracles
from tests.unit.sinks.notifier.texts.deliveries import (
    EVIL,
    MARKUPS,
    budgets,
    deliveries,
    delivery,
    digests,
    verdicts,
)
from tests.unit.sinks.notifier.texts.digests import digest_of, mixed, outage
from tests.unit.sinks.notifier.texts.test_budgets import (
    ALL,
    DISCORD,
    MAIL,
    SLACK,
    SMS,
    SPLUNK,
    TELEGRAM,
    fits,
)
from tests.unit.sinks.notifier.texts.test_markup import RUNBOOK, harmless

EACH = (
    "{{ count }} subjects\n{% for one in subjects %}\n"
    # Blanks of the template's own before a text, four of them, are code in Markdown.
    "{{ [one.name, one.place, one.reason, one.tags | join(', '), one.summary] "
    "| select | join(' ') }}\n{% endfor %}\n"
    "{% if more %}and {{ more }} more{% endif %}"
)
ALL_FIELDS = Templates(
    subject="{{ first.what }}: {{ first.name }} at {{ first.host }}",
    text=EACH,
    html="{% extends 'mail.html' %}{% block after %}<p>{{ first.name }}</p>{% endblock %}",
    short="{{ first.what }} {{ first.name }}",
)
USUAL = Templates(subject="{{ usual.subject }}", text="{{ usual.text }}", short="{{ usual.short }}")


def with_templates(told: Delivery, **sources: str) -> Delivery:
    return structs.replace(told, templates=Templates(**sources))


@given(deliveries() | digests(), budgets(), st.sampled_from([ALL_FIELDS, USUAL]))
def test_it_fits(told: Delivery, budget: Budget, templates: Templates) -> None:
    fits(render(structs.replace(told, templates=templates), budget), budget)


@pytest.mark.parametrize("budget", ALL)
@pytest.mark.parametrize("count", [1, 30, 1000])
def test_a_list_of_a_large_outage_fits_and_says_how_many_are_not_shown(
    budget: Budget, count: int
) -> None:
    told = with_templates(digest_of(("opened", outage(count, 3))), text=EACH)
    text = render(told, budget)
    fits(text, budget)
    assert text.problem == ""
    if budget.body > 1000:
        shown = text.body.count("unreachable from 3 of 3")
        assert shown > 3 or shown == count
        assert (f"and {count - shown} more" in text.body) == (shown < count)


@pytest.mark.parametrize("budget", [*ALL, Budget(title=0, body=4000, markup="mattermost")])
@pytest.mark.parametrize("told", [delivery("opened", incident_event()), mixed(30)])
def test_the_usual_text_can_be_said(told: Delivery, budget: Budget) -> None:
    usual = render(told, budget)
    text = render(structs.replace(told, templates=USUAL), budget)
    assert text.problem == ""
    assert text.short == usual.short
    assert text.line == usual.line
    assert text.subject == usual.subject
    if budget == SMS:
        assert text.body == usual.short
    elif budget != SPLUNK:  # its usual text repeats the heading, which has no room in the title
        assert text.body == usual.body


@pytest.mark.parametrize("markup", MARKUPS)
@settings(max_examples=30)
@given(told=deliveries() | digests())
def test_nothing_of_a_message_mentions_links_or_formats(told: Delivery, markup: Markup) -> None:
    budget = Budget(title=250, body=4_000, markup=markup)
    text = render(structs.replace(told, templates=ALL_FIELDS), budget)
    for part in (text.subject, *text.body.split("\n\n")):
        harmless(part, markup)
    harmless(text.line, "plain")
    harmless(text.short, "plain")


@pytest.mark.parametrize("markup", MARKUPS)
@pytest.mark.parametrize(
    "source",
    [
        "{{ first.name }}",
        "{{ first.name ~ first.summary }}",
        "{% set x %}see {% endset %}{{ x + first.name }} {{ x ~ first.name }}",
        "{% set x %}see {% endset %}{{ [x, first.name] | join(first.name) }}",
        "{% set x %}see {% endset %}{{ x | replace('see', first.name) }}",
        "{% macro m(x) %}see {{ x }}{% endmacro %}{{ m(first.name) }} {{ m(first.name) | trim }}",
        "{{ usual.text | replace('a', 'b') }}{{ first.name | upper }}{{ first.name | lower }}",
        "{{ first.name | truncate(9) }} {{ first.name | list | join }} {{ first.name[1:] }}",
        "{% autoescape false %}{{ first.name }}{% endautoescape %}",
        "{% for char in first.name %}{{ char }}{% endfor %}",
    ],
)
def test_no_filter_lets_out_what_is_not_escaped(source: str, markup: Markup) -> None:
    for evil in EVIL:
        _lets_nothing_out(source, evil, markup)


def _lets_nothing_out(source: str, evil: str, markup: Markup) -> None:
    event = incident_event(name=evil[:255], summary=evil, regions=verdicts(1, detail=evil))
    told = with_templates(delivery("opened", event), text=source)
    text = render(told, Budget(title=250, body=40_000, markup=markup))
    assert text.problem == ""
    if "for char" in source or "list | join" in source:
        # One by one they are no link any more; a shape needs more than one line to be seen.
        assert oracles.mentions(text.body, markup) == []
    elif "upper" not in source:
        harmless(text.body, markup)
    assert oracles.mentions(text.body, markup) == []


def test_what_the_author_writes_is_markup() -> None:
    told = delivery("opened", incident_event(name="<b>DB</b> *x*", runbook=RUNBOOK))
    chat = with_templates(told, text="*{{ first.name }}* <!here> {{ first.runbook }}")
    assert render(chat, SLACK).body == (
        f"*&lt;b&gt;DB&lt;/b&gt; \u2217x\u2217* <!here> <{html.escape(RUNBOOK)}>"
    )
    bold = with_templates(told, text="<b>{{ first.name }}</b>")
    assert "<b>&lt;b&gt;DB&lt;/b&gt; *x*</b>" in render(bold, TELEGRAM).body
    mention = with_templates(told, text="@here {{ first.name }}")
    assert "@here \\<\u200bb\\>DB" in render(mention, DISCORD).body


def test_an_html_part_of_ones_own() -> None:
    told = with_templates(
        delivery("opened", incident_event(name="<i>x")),
        html="{% extends 'mail.html' %}{% block before %}<p>{{ first.name }}</p>{% endblock %}",
    )
    document = render(told, MAIL).html
    assert document is not None
    assert "<p>&lt;i&gt;x</p>" in document
    assert "Look whether the service runs" in document
    assert document.startswith("<!DOCTYPE html>")
    whole = with_templates(told, html="<h1>{{ usual.subject }}</h1>{{ usual.html }}")
    document = render(whole, MAIL).html
    assert document is not None
    assert document.startswith("<h1>TCP Port Unreachable: &lt;i&gt;x (db1.example.com:5432)</h1>")


def test_the_short_form_is_what_a_small_channel_gets() -> None:
    told = with_templates(
        delivery("opened", incident_event()), short="{{ first.host }} kaputt: {{ first.reason }}"
    )
    sms = render(told, Budget(title=0, body=160, units="sms"))
    assert sms.body == sms.short == "db1.example.com kaputt: Connection refused"
    assert "kaputt" not in render(told, SLACK).body


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ 'x' * 10**9 }}", "line 1: ** is not available here"),
        ("{{ 'x' * 1000000000 }}", f"line 1: the template does too much (more than {FUEL:,}"),
        (
            "\n".join(f"{{% for {a} in range(1000) %}}" for a in "abc") + "{% endfor %}" * 3,
            "the template does too much",
        ),
        ("{{ range(10000000) }}", "line 1: range has 1000 members at most here"),
        ("\n{{ ''.__class__ }}", "line 2: access to attribute '__class__' of 'str' object"),
        ("{{ first.name.format(1) }}", "line 1: format can't be called here"),
        ("{{ '%1000000000d' % 1 }}", "line 1: % is not available here"),
        ("{{ 'x'.ljust(1000000000) }}", "line 1: ljust can't be called here"),
        ("{{ 'x' | center(1000000000) }}", "line 1: No filter named 'center'"),
        (
            ("{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}"
            "{% endfor %}"),
            "the template does too much",
        ),
        (
            ("{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}"
            "{% endfor %}"),
            "the template does too much",
        ),
        (
            ("{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x %}{{ n.x }}"
            "{{ n.x }}{% endset %}{% endfor %}"),
            "the template does too much",
        ),
        (
            ("{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}"
            "{{ f(50) }}"),
            "the template does too much",
        ),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
        (
            "{% for x in subjects recursive %}{{ loop(subjects) }}{% endfor %}",
            "line 1: recursive loops are not available here",
        ),
        ("{{ usual.text | replace('', usual.text * 1000) }}", "the template does too much"),
        ("{{ (['x'] * 1000) | join(usual.text * 1000) }}", "the template does too much"),
        (f"{{{{ {'9' * 40} * {'9' * 40} }}}}", "the numbers are too large"),
        ("{{ hostt }}", "expected variables of docs/notifications.md, found 'hostt'; known are"),
        ("\n\n{{ first.hostt }}", "line 3: 'SubjectValues object' has no attribute 'hostt'"),
        ("{% if %}", "line 1: Expected an expression"),
        ("{{ first }}", "line 1: expected a text, found a SubjectValues"),
        ("{{ subjects | map(attribute='name') }}", "line 1: expected a text, found a generator"),
        ("{% include '/etc/passwd' %}", "line 1: /etc/passwd"),
        ("{% import 'os' as os %}", "line 1: os"),
        ("{{ 1 / 0 }}", "line 1: ZeroDivisionError"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "RecursionError"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_and_loses_no_message(source: str, why: str) -> None:
    problem = template_problem(Templates(text=source))
    assert problem is not None
    assert problem.startswith("templates.text")
    assert why in problem
    told = with_templates(mixed(3), text=source)
    for budget in ALL:
        usual = render(structs.replace(told, templates=None), budget)
        text = render(told, budget)
        assert budget.body < 300 or text.problem.startswith("templates.text")
        assert structs.replace(text, problem="") == usual


@pytest.mark.parametrize("name", ["subject", "html", "short"])
def test_each_of_them_is_looked_at(name: str) -> None:
    found = template_problem(Templates(**{name: "{{ first.nothing }}"}))
    assert found is not None
    assert found.startswith(f"templates.{name}, line 1: 'SubjectValues object' has no attribute")
    assert template_problem(Templates(**{name: "{{ count }} ports"})) is None


def test_a_branch_that_no_example_takes_is_looked_at_too() -> None:
    found = template_problem(Templates(text="{% if count > 9999 %}{{ nothing }}{% endif %}"))
    assert found is not None
    assert "found 'nothing'" in found


def test_a_template_that_says_nothing_is_the_usual_text() -> None:
    told = delivery("opened", incident_event())
    usual = render(told, SLACK)
    empty = with_templates(told, subject=" ", text="{% if count > 99 %}x{% endif %}", short="\n")
    assert render(empty, SLACK) == usual


def test_a_line_that_does_not_fit_telegram_with_its_tags_is_the_usual_text() -> None:
    told = with_templates(
        delivery("opened", incident_event(summary="x" * 9000)),
        text="<b>{{ first.summary }}{{ first.summary }}{{ first.summary }}</b>",
    )
    text = render(told, TELEGRAM)
    fits(text, TELEGRAM)
    assert "<b>" not in text.body
    assert "expected at most" in text.problem


@pytest.mark.parametrize("fields", [{"action": "trigger"}, {"plain": True}])
def test_on_call_systems_and_refused_texts_have_no_templates(fields: dict[str, Any]) -> None:
    told = delivery("opened", incident_event())
    told = structs.replace(told, **fields)
    own = structs.replace(told, templates=ALL_FIELDS, channel=Channel("ops", "mailto://h"))
    assert render(own, SLACK) == render(told, SLACK)


def test_the_examples_are_of_every_action_and_every_class_of_event() -> None:
    told = list(examples())
    assert {one.action for one in told} == {
        "opened", "worsened", "improved", "updated", "closed", "missed", "reminder", "digest",
    }  # fmt: skip
    assert len({type(news.event) for one in told for news in one.news}) == 6
    assert all(render(one, budget).problem == "" for one in told for budget in ALL)
