"""Routes as they are written, and what becomes of them."""

from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.inventory import Inventory, InventoryError, check, tree, week_hours
from portquorum.inventory.document import (
    EscalationEntry,
    QuietEntry,
    RotationEntry,
    RouteEntry,
    TemplatesEntry,
)
from portquorum.inventory.environment import environment_problems
from portquorum.inventory.load import load
from portquorum.inventory.reference.editor_schema import editor_schema
from schemas.policy import (
    EscalationStep,
    Hours,
    Limit,
    Person,
    Quiet,
    Rotation,
    Route,
    Templates,
    Weekday,
)

Write = Callable[..., Path]

HEAD = """\
regions: {a: {}}
teams: {t: {}}
targets:
  - {id: db-1, host: x, port: 1}
routes:
  boss: {urls: [console://]}
"""
DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def inventory(file: Write, route: str) -> Inventory:
    return check([file(f"{HEAD}  r: {route}\n")])


def route(file: Write, text: str) -> Route:
    (found,) = (e for e in inventory(file, text).policy if isinstance(e, Route) and e.name == "r")
    return found


def problems(file: Write, text: str) -> list[str]:
    path = file(f"{HEAD}  r: {text}\n")
    with pytest.raises(InventoryError) as caught:
        check([path])
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def test_a_route_of_version_0_1_is_the_record_of_version_0_1(file: Write) -> None:
    text = "{urls: [console://], severities: [critical], tags: [prod], kinds: [tcp]}"
    assert route(file, text) == Route(
        name="r", urls=("console://",), severities=("critical",), tags=("prod",), kinds=("tcp",)
    )


def test_all_that_a_route_may_say(file: Write) -> None:
    text = """
    urls: [console://]
    severities: [critical, warning]
    incident_types: [unreachable]
    criticalities: [critical]
    teams: [t, "data*"]
    tags: [prod]
    targets: [db-1, "db-*"]
    kinds: [tcp, "http*"]
    regions: [a]
    when: ["mon-fri 18:00-08:00", "sat, sun"]
    timezone: Europe/Berlin
    stop: true
    default: false
    operators: true
    rotation:
      people: {ann: ["mailto://u:p@example.com"], bob: [console://]}
      since: 2026-11-30
      every: 14d
      handover: "08:30"
    quiet: {hours: 22:00-07:00, unless: [critical]}
    group_interval: 1m
    remind_every: 4h
    escalate: [{after: 15m, routes: [boss]}, {after: 1h, routes: [boss, r]}]
    limit: 20 in 1h
    fallback: [boss]
    fallback_after: 5m
    missed: drop
    templates:
      subject: "{{ first.name }} is down"
      text: |
        line one
        line two"""
    found = inventory(file, text)
    assert found.warnings == ()
    (root,), _ = tree.read(f"{HEAD}  r: {text}\n", "f")
    jsonschema.validate(root.value, editor_schema())
    root.value["routes"]["r"]["when"][1] = "weekend"
    with pytest.raises(jsonschema.ValidationError, match="weekend"):
        jsonschema.validate(root.value, editor_schema())
    assert found.policy[-1] == Route(
        name="r",
        urls=("console://",),
        severities=("critical", "warning"),
        incident_types=("unreachable",),
        criticalities=("critical",),
        teams=("t", "data*"),
        tags=("prod",),
        targets=("db-1", "db-*"),
        kinds=("tcp", "http*"),
        regions=("a",),
        when=(
            Hours(days=("mon", "tue", "wed", "thu", "fri"), begin="18:00", end="08:00"),
            Hours(days=("sat", "sun")),
        ),
        timezone="Europe/Berlin",
        stop=True,
        default=False,
        operators=True,
        rotation=Rotation(
            people=(
                Person(name="ann", urls=("mailto://u:p@example.com",)),
                Person(name="bob", urls=("console://",)),
            ),
            since="2026-11-30",
            days=14,
            handover="08:30",
        ),
        quiet=Quiet(hours=(Hours(begin="22:00", end="07:00"),), unless=("critical",)),
        group_interval_ms=60_000,
        remind_every_ms=14_400_000,
        escalate=(
            EscalationStep(after_ms=900_000, routes=("boss",)),
            EscalationStep(after_ms=3_600_000, routes=("boss", "r")),
        ),
        limit=Limit(messages=20, per_ms=3_600_000),
        fallback=("boss",),
        fallback_after_ms=300_000,
        missed="drop",
        templates=Templates(subject="{{ first.name }} is down", text="line one\nline two\n"),
    )


def test_a_rotation_is_channels_enough(file: Write) -> None:
    found = route(
        file, "{rotation: {people: {ann: [console://]}, since: 2026-11-30}, timezone: UTC}"
    )
    assert found.urls == ()
    assert found.rotation == Rotation(
        people=(Person(name="ann", urls=("console://",)),), since="2026-11-30"
    )


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("urls: []", "urls: "),
        ("stop: true", "expected `urls:` with at least one Apprise URL, or a `rotation:`"),
        ("severities: [loud]", "severities[0]: expected some of critical, warning, info, found"),
        ("incident_types: [down]", "incident_types[0]: expected some of unreachable, slow, flapp"),
        ("criticalities: [high]", "criticalities[0]: expected some of critical, important, norm"),
        ("regions: [b]", "regions[0]: expected a region that is defined (a, receiver), found 'b'"),
        ("teams: [u]", "teams[0]: expected a team that is defined (t), found 'u'"),
        ("targets: [db-2]", "targets[0]: expected a target that is defined (db-1), found 'db-2'"),
        ("targets: ['x y']", "targets[0]: expected the id of a target, or several by * for any"),
        ("kinds: [TCP]", "kinds[0]: expected a kind such as tcp, or several by * for any"),
        ("when: nights", "when: expected hours such as mon-fri 18:00-08:00, sat,sun or 22:00-07:"),
        ("when: ['25:00-26:00']", "when[0]: expected hours such as mon-fri 18:00-08:00, sat,sun"),
        ("when: ['mon-fri 8-18']", "when[0]: expected hours such as mon-fri 18:00-08:00, sat,sun"),
        ("when: []", "when: "),
        ("timezone: Mars/Olympus", "timezone: expected a zone of the IANA time zone database suc"),
        ("timezone: ../etc", "timezone: expected a zone of the IANA time zone database such as"),
        ("default: maybe", "default: "),
        ("quiet: {hours: '22:00'}", "quiet.hours: expected hours such as mon-fri 18:00-08:00, sa"),
        ("quiet: {unless: [info]}", "quiet.hours: expected a value, for it has no default"),
        ("quiet: {hours: sat, unless: [x]}", "quiet.unless[0]: expected some of critical, warni"),
        ("quiet: {hours: sat, but: [x]}", "quiet.but: no such field; there are hours, unless"),
        ("group_interval: 2d", "group_interval: expected 0s to 24h, found '2d'"),
        ("remind_every: 5s", "remind_every: expected 1m to 30d, found '5s'"),
        (
            "remind_every: often",
            "remind_every: expected a duration such as 250ms, 30s, 1m or 1h30m",
        ),
        ("escalate: [{after: 1s, routes: [boss]}]", "escalate[0].after: expected 1m to 30d, foun"),
        ("escalate: [{after: 5m, routes: [chef]}]", "escalate[0].routes[0]: expected a route tha"),
        ("escalate: [{after: 5m, routes: []}]", "escalate[0].routes: "),
        ("escalate: [{routes: [boss]}]", "escalate[0].after: expected a value, for it has no def"),
        ("escalate: [{to: boss}]", "escalate[0].to: no such field; there are after, routes"),
        ("limit: 20", "limit: expected a limit such as 20 in 1h, found 20"),
        ("limit: 0 in 1h", "limit: expected a limit such as 20 in 1h, found '0 in 1h'"),
        ("limit: 1001 in 1h", "limit: expected 1 to 1000 messages, found 1001"),
        ("limit: 5 in 2d", "limit: expected 1m to 24h, found '2d'"),
        ("fallback: [chef]", "fallback[0]: expected a route that is defined (boss, r), found 'ch"),
        ("templates: {title: x}", "templates.title: no such field; there are subject, text, html"),
        ("templates: {subject: ''}", "templates.subject: "),
        (
            "templates: {text: '{{ name }}'}",
            "templates: templates.text: expected variables of docs/notifications.md, found 'name'",
        ),
        (
            "templates: {short: '{{ first.hostname }}'}",
            "templates: templates.short, line 1: 'SubjectValues object' has no attribute 'hostn",
        ),
        ("rotation: {people: {}, since: 2026-11-30}", "rotation.people: expected at least one na"),
        ("rotation: {since: 2026-11-30}", "rotation.people: expected a value, for it has no defa"),
        (
            "rotation: {people: {ann: [console://]}, since: 2026-02-30}",
            "rotation.since: expected a date such as 2026-11-30, found '2026-02-30'",
        ),
        (
            "rotation: {people: {ann: [console://]}, since: monday}",
            "rotation.since: expected a date such as 2026-11-30, found 'monday'",
        ),
        (
            "rotation: {people: {ann: [console://]}, since: 2026-11-30, every: 36h}",
            "rotation.every: expected whole days such as 7d, found '36h'",
        ),
        (
            "rotation: {people: {ann: [console://]}, since: 2026-11-30, every: 12h}",
            "rotation.every: expected 1d to 366d, found '12h'",
        ),
        (
            "rotation: {people: {ann: [console://]}, since: 2026-11-30, handover: 9:00}",
            "rotation.handover: expected a time of day such as 09:00, found '9:00'",
        ),
        (
            "rotation: {people: {ann: ['nope://x']}, since: 2026-11-30}",
            "rotation.people.ann[0]: ",
        ),
    ],
)
def test_a_route_that_is_wrong_is_refused_by_name(file: Write, fields: str, found: str) -> None:
    urls = "" if fields.startswith(("urls", "stop: true")) else "urls: [console://], "
    said = problems(file, f"{{{urls}{fields}}}")[0]
    assert said.startswith((f"7: routes.r.{found}", f"7: routes.r: {found}"))


def test_escalation_may_go_in_a_circle_and_fallbacks_may_not(file: Write) -> None:
    both = "{urls: [console://], escalate: [{after: 1m, routes: [r]}]}"
    assert route(file, both).escalate[0].routes == ("r",)
    (said,) = problems(file, "{urls: [console://], fallback: [r]}")
    assert said == "7: routes.r.fallback: routes fall back in a circle: r → r"


@pytest.mark.parametrize(
    "fields",
    [
        "when: sat",
        "quiet: {hours: 22:00-07:00}",
        "rotation: {people: {ann: [console://]}, since: 2026-11-30}",
    ],
)
def test_hours_without_a_zone_are_warned_of(file: Write, fields: str) -> None:
    (said,) = inventory(file, f"{{urls: [console://], {fields}}}").warnings
    assert "without `timezone:` its hours are those of UTC" in str(said)
    for zone in ("UTC", "Europe/Berlin"):
        told = inventory(file, f"{{urls: [console://], timezone: {zone}, {fields}}}")
        assert told.warnings == ()


def test_the_environment_of_a_rotation_is_looked_at(file: Write) -> None:
    urls = "{ann: ['slack://${A}/b/c'], bob: [console://]}"
    path = file(f"{HEAD}  r: {{rotation: {{people: {urls}, since: 2026-11-30}}}}\n")
    (said,) = environment_problems(load([path])[0], {})
    assert str(said).startswith(f"{path}:7: routes.r.rotation.people.ann[0]: ${{A}} of this chan")


def test_a_secret_of_several_channels_is_told_once(file: Write) -> None:
    urls = "['slack://${A}/b/c', 'slack://${A}/b/d', 'slack://${B}/b/c']"
    path = file(f"{HEAD}  r: {{urls: {urls}}}\n")
    said = [str(one) for one in environment_problems(load([path])[0], {})]
    assert [one.count("is not set") for one in said] == [1, 1]
    assert "routes.r.urls[0]: ${A} of this channel and 1 more is not set" in said[0]
    assert "routes.r.urls[2]: ${B} of this channel is not set" in said[1]


@pytest.mark.parametrize(
    ("written", "hours", "shown"),
    [
        ("mon-fri", Hours(days=DAYS[:5]), "mon-fri"),
        ("sat-mon", Hours(days=("mon", "sat", "sun")), "mon,sat,sun"),
        ("mon", Hours(days=("mon",)), "mon"),
        ("sat, sun", Hours(days=("sat", "sun")), "sat,sun"),
        ("sun,mon-wed,tue", Hours(days=("mon", "tue", "wed", "sun")), "mon-wed,sun"),
        ("22:00-07:00", Hours(begin="22:00", end="07:00"), "22:00-07:00"),
        ("sat 00:00-24:00", Hours(days=("sat",)), "sat"),
        ("09:00-09:00", Hours(begin="09:00", end="09:00"), "09:00-09:00"),
        ("fri 18:00-24:00", Hours(days=("fri",), begin="18:00"), "fri 18:00-24:00"),
        ("00:00-24:00", Hours(), "always"),
    ],
)
def test_hours_are_read_and_shown(written: str, hours: Hours, shown: str) -> None:
    assert week_hours.parse(written) == week_hours.parse([written]) == (hours,)
    assert week_hours.text((hours,)) == shown


clocks = st.times().map(lambda one: f"{one:%H:%M}")


@given(
    st.builds(
        Hours,
        days=st.sets(st.sampled_from(DAYS), max_size=6).map(
            lambda some: tuple(day for day in DAYS if day in some)
        ),
        begin=clocks,
        end=clocks,
    )
)
def test_hours_that_are_shown_can_be_read(hours: Hours) -> None:
    shown = week_hours.text((hours,))
    assert (Hours(),) if shown == "always" else week_hours.parse(shown) == (hours,)


WRONG = ["null", "true", "5", "-1.5", "''", "'ä #('", "[]", "[5]", "{}", "{a b: c}", "[[]]", "x"]
BASES = {
    "": "urls: [console://], ",
    "rotation": "people: {ann: [console://]}, since: 2026-11-30, ",
    "quiet": "hours: sat, ",
    "escalate": "after: 5m, routes: [boss], ",
    "templates": "",
}
STRUCTS = {
    "": RouteEntry,
    "rotation": RotationEntry,
    "quiet": QuietEntry,
    "escalate": EscalationEntry,
    "templates": TemplatesEntry,
}


@pytest.mark.parametrize(
    ("within", "field"),
    [
        (within, field)
        for within, struct in STRUCTS.items()
        for field in struct.__struct_encode_fields__
    ],
)
def test_a_wrong_value_is_told_in_a_sentence(file: Write, within: str, field: str) -> None:
    refused = 0
    for value in WRONG:
        base = ", ".join(
            one for one in BASES[within].split(", ") if one and not one.startswith(f"{field}:")
        )
        inner = f"{{{base}, {field}: {value}}}" if base else f"{{{field}: {value}}}"
        if within:
            inner = f"[{inner}]" if within == "escalate" else inner
            inner = f"{{urls: [console://], {within}: {inner}}}"
        path = file(f"{HEAD}  r: {inner}\n")
        try:
            check([path])
        except InventoryError as error:
            refused += 1
            for one in error.problems:
                assert "expected" in one.message or "no such field" in one.message
                leaked = (
                    "regex",
                    "`str",
                    "`int",
                    "`arr",
                    "`obj",
                    "`null",
                    "None",
                    "True",
                    "Invalid",
                )
                assert [part for part in leaked if part in one.message] == []
    assert refused >= len(WRONG) / 3  # numbers and truth values may be texts, scalars lists


def test_a_pasted_address_and_its_scheme_are_one_channel(file: Write) -> None:
    pasted = "https://discord.com/api/webhooks/${ID}/${TOKEN}"
    found = route(file, f'{{urls: ["{pasted}", "discord://${{ID}}/${{TOKEN}}"]}}')
    assert set(found.urls) == {"discord://${ID}/${TOKEN}"}
    rotation = f'{{people: {{ann: ["{pasted}"]}}, since: 2026-11-30, every: 7d, handover: "09:00"}}'
    on_duty = route(file, f"{{timezone: UTC, rotation: {rotation}}}").rotation
    assert on_duty is not None
    assert on_duty.people[0].urls == ("discord://${ID}/${TOKEN}",)


def test_an_address_of_nobody_is_refused_with_what_to_write(file: Write) -> None:
    (said,) = problems(file, '{urls: ["https://chat.example.com/hooks/${TOKEN}"]}')
    assert "mmosts://HOST/TOKEN" in said
