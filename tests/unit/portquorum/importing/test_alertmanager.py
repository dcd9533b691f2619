"""Alertmanager's configuration: the tree of routes, receivers, hours and inhibitions."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.importing.alertmanager import hours, read
from portquorum.importing.alertmanager.matchers import Matcher, matchers_of
from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options, Report
from portquorum.importing.source_yaml import Fields

CONFIG = """\
global:
  resolve_timeout: 5m
  slack_api_url_file: /etc/slack
  smtp_smarthost: smtp.example.com:587
  smtp_from: alerts@example.com
route:
  receiver: everyone
  group_by: [alertname]
  repeat_interval: 12h
  routes:
    - matchers: [severity="critical"]
      receiver: pager
      group_interval: 1m
      repeat_interval: 1h
      routes:
        - matchers: ['team=~"db|web"']
          receiver: team
          mute_time_intervals: [weekend]
          continue: true
    - match: {alertname: Watchdog}
      receiver: nobody
    - match_re: {alertname: 'Cert.*|SSLExpiry'}
      receiver: everyone
    - matchers: ['env="prod"']
      receiver: bot
      active_time_intervals: [work]
receivers:
  - name: everyone
    email_configs: [{to: 'ops@example.com', send_resolved: true}]
  - name: pager
    pagerduty_configs: [{routing_key: s3cr3tr0utingkey}]
  - name: team
    slack_configs: [{channel: '#db', title: x}]
  - name: bot
    webhook_configs: [{url: 'http://bot:8080/alerts'}]
  - name: nobody
time_intervals:
  - name: weekend
    time_intervals: [{weekdays: ['saturday', 'sunday'], location: Europe/Berlin}]
  - name: work
    time_intervals:
      - weekdays: ['monday:friday']
        times: [{start_time: 09:00, end_time: 17:00}]
  - name: newyear
    time_intervals: [{months: [january], days_of_month: ['1']}]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [instance]
  - source_matchers: [alertname="SwitchDown"]
    target_matchers: [job="hosts"]
templates: ['*.tmpl']
tracing: {}
"""

Taking = Callable[..., tuple[dict[str, Any], Report]]


@pytest.fixture
def taking(tmp_path: Path) -> Taking:
    def take(*texts: str) -> tuple[dict[str, Any], Report]:
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"alertmanager{number}.yml"
            path.write_text(text)
            paths.append(path)
        return assemble(read(paths, Options()), Options())

    return take


def test_the_tree_is_a_list_that_is_looked_at_in_order(taking: Taking) -> None:
    document, report = taking(CONFIG)
    found = document["routes"]
    names = ["01-team", "02-pager", "03-everyone", "04-bot", "05-everyone", "operators"]
    assert list(found) == names
    assert found["01-team"]["severities"] == ["critical"]
    assert found["01-team"]["teams"] == ["db", "web"]
    assert found["01-team"]["quiet"] == {"hours": ["sat-sun"]}
    assert found["01-team"]["timezone"] == "Europe/Berlin"
    assert "stop" not in found["01-team"]
    assert found["02-pager"]["stop"] is True
    assert (found["02-pager"]["group_interval"], found["02-pager"]["remind_every"]) == ("1m", "1h")
    assert found["03-everyone"]["incident_types"] == ["expiring"]
    assert found["04-bot"]["tags"] == ["env:prod"]
    assert found["04-bot"]["quiet"]["hours"] == [
        "mon-fri 00:00-09:00",
        "sat-sun",
        "mon-fri 17:00-24:00",
    ]
    last = found["05-everyone"]
    assert last == {
        "urls": [
            (
                "mailtos://smtp.example.com:587?mode=starttls&from=alerts%40example.com"
                "&to=ops%40example.com"
            )
        ],
        "group_interval": "5m",
        "remind_every": "12h",
        "teams": ["*"],
    }
    # A region has no team, so `teams: ["*"]` does not take what befalls it.
    assert found["operators"] == {"urls": last["urls"], "operators": True, "default": False}
    assert document["teams"] == {"db": {}, "web": {}}
    assert "s3cr3t" not in str(document) + str(report)


def test_each_route_receiver_interval_and_inhibition_is_an_entry(taking: Taking) -> None:
    _, report = taking(CONFIG)
    assert len(report.entries) == 6 + 5 + 3 + 2
    outcomes = {
        one.name: (one.outcome, one.why or " ".join(one.differences)) for one in report.entries
    }
    assert outcomes["receiver/everyone"] == ("exact", "")
    assert outcomes["receiver/nobody"][0] == "nearly"
    assert outcomes["receiver/team"] == (
        "nearly",
        (
            "the webhook's own channel is used: channel is not taken over not taken over: title "
            "it is told of recoveries, too"
        ),
    )
    assert outcomes['route/{alertname="Watchdog"} → nobody'][0] == "left_out"
    assert outcomes["time_intervals/weekend"] == ("exact", "")
    assert outcomes["time_intervals/newyear"][0] == "left_out"
    assert outcomes["inhibit_rules/inhibition 1"][0] == "nearly"
    assert "depends_on" in outcomes["inhibit_rules/inhibition 2"][1]
    assert {one.name for one in report.secrets} == {"SLACK_API_URL", "PAGERDUTY_ROUTING_KEY"}
    ignored = {one.what for one in report.ignored}
    assert {"templates", "tracing", "global.resolve_timeout"} <= ignored


def test_one_route_keeps_its_name(taking: Taking) -> None:
    text = (
        "route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: 'http://b'}]}]\n"
    )
    document, report = taking(text, text)
    assert list(document["routes"]) == ["ops", "ops-2"]
    assert report.count("left_out") == 0


def test_a_route_within_another_takes_what_both_name(taking: Taking) -> None:
    document, report = taking(
        "route:\n  receiver: ops\n  routes:\n"
        "  - {matchers: ['service=~\"a|b\"', 'team=red'], receiver: ops, routes: [\n"
        "      {matchers: ['service=b'], receiver: ops},\n"
        "      {matchers: ['team=blue'], receiver: ops}]}\n"
        "receivers: [{name: ops, webhook_configs: [{url: 'http://b'}]}]\n"
    )
    found = [one for name, one in document["routes"].items() if name != "operators"]
    assert [one.get("tags") for one in found] == [["service:b"], ["service:a", "service:b"], None]
    assert [one["teams"] for one in found] == [["red"], ["red"], ["*"]]
    assert report.count("left_out") == 1


def test_what_takes_more_than_there_ends_no_search(taking: Taking) -> None:
    document, _ = taking(
        "route:\n  receiver: ops\n  routes:\n"
        "  - {matchers: [env!=dev], receiver: ops}\n  - {matchers: [env=dev], receiver: ops}\n"
        "  - {matchers: [alertname=HostDown], receiver: ops}\n"
        "receivers: [{name: ops, webhook_configs: [{url: 'http://b'}]}]\n"
    )
    stops = [one.get("stop", False) for one in document["routes"].values()]
    assert stops == [False, True, False, False]


def test_what_is_told_to_nobody_is_told_to_nobody(taking: Taking) -> None:
    document, _ = taking(
        "route:\n  receiver: ops\n  routes: [{matchers: [severity=info], receiver: 'null'}]\n"
        "receivers:\n  - name: 'null'\n  - {name: ops, webhook_configs: [{url: 'http://b'}]}\n"
    )
    first = document["routes"]["null"]
    assert (first["urls"], first["severities"], first["stop"]) == (["console://"], ["info"], True)


def test_it_is_found_in_a_secret_and_in_a_template(taking: Taking) -> None:
    plain = (
        "route:\n  receiver: tg\nreceivers:\n  - name: tg\n    telegram_configs:\n"
        "      - chat_id: {{ .CHAT }}\n        bot_token: {{ .BOT_TOKEN }}\n"
    )
    quoted = plain.replace("{{ .CHAT }}", "12").replace("{{ .BOT_TOKEN }}", "abc:def")
    packed = base64.b64encode(quoted.encode()).decode()
    for text in (
        f"kind: Secret\ndata:\n  alertmanager.yaml: {packed}\n",
        "spec:\n  values:\n    alertmanager:\n      config:\n"
        + "".join(f"        {line}\n" for line in quoted.splitlines()),
        "stringData:\n  alertmanager.yaml: |\n"
        + "".join(f"    {line}\n" for line in quoted.splitlines()),
    ):
        document, _ = taking(text)
        assert document["routes"]["tg"]["urls"] == ["tgram://${TELEGRAM_BOT_TOKEN}/12"]
    document, _ = taking(plain)
    assert document["routes"]["tg"]["urls"] == ["tgram://${BOT_TOKEN}/${CHAT}"]


def test_the_operators_own_objects_are_read(taking: Taking) -> None:
    document, report = taking("""\
kind: AlertmanagerConfig
spec:
  route:
    receiver: chat
    groupInterval: 1m
    routes:
      - receiver: tg
        matchers: [{name: severity, value: critical, matchType: "="}]
        muteTimeIntervals: [night]
  receivers:
    - name: chat
      discordConfigs: [{apiURL: {name: chat, key: url}, sendResolved: true}]
    - name: tg
      telegramConfigs: [{botToken: {name: tg, key: token}, chatID: -100}]
  muteTimeIntervals:
    - name: night
      timeIntervals: [{times: [{startTime: "00:00", endTime: "06:00"}]}]
  inhibitRules:
    - sourceMatch: [{name: severity, value: critical}]
      targetMatch: [{name: severity, value: warning}]
      equal: [instance]
""")
    first, second = document["routes"].values()
    assert first["urls"] == ["tgram://${TELEGRAM_BOT_TOKEN}/-100"]
    assert (first["severities"], first["quiet"]) == (["critical"], {"hours": ["00:00-06:00"]})
    assert (second["urls"], second["group_interval"]) == (["${DISCORD_WEBHOOK_URL}"], "1m")
    assert report.count("left_out") == 0
    assert report.unreadable == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: 1\n", "found neither"),
        ("route: {receiver: x, matchers: ['=']}\nreceivers: []\n", "expected matchers"),
        ("route: {receiver: x, routes: 3}\nreceivers: []\n", "a list of mappings"),
        ("route: [\n", ""),
    ],
)
def test_what_can_not_be_read_is_told(taking: Taking, text: str, word: str) -> None:
    _, report = taking(text)
    assert len(report.unreadable) == 1
    assert word in report.unreadable[0].why


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ('severity="critical"', [("severity", "=", "critical")]),
        ("severity = critical", [("severity", "=", "critical")]),
        ('{a="b,c", d=~"e|f",}', [("a", "=", "b,c"), ("d", "=~", "e|f")]),
        ('a!~"x\\"y"', [("a", "!~", 'x"y')]),
        ('"a b" != ""', [("a b", "!=", "")]),
        ("foo=", [("foo", "=", "")]),
        ({"name": "a", "value": "b", "matchType": "!="}, [("a", "!=", "b")]),
    ],
)
def test_matchers(written: object, found: list[tuple[str, str, str]]) -> None:
    read = matchers_of(Fields({"matchers": [written]}, "f"))
    assert [(one.label, one.operator, one.value) for one in read] == found


@pytest.mark.parametrize(
    ("value", "values"),
    [
        ("a|b", ("a", "b")),
        ("^(?:a|b)$", ("a", "b")),
        ("web-.*", ("web-*",)),
        (r"db\.example", ("db.example",)),
        ("[ab]", None),
        ("a.b", None),
    ],
)
def test_expressions_of_words(value: str, values: tuple[str, ...] | None) -> None:
    assert Matcher("x", "=~", value).values == values


def test_hours_over_the_week() -> None:
    found = hours.interval(
        "x",
        [{"weekdays": ["friday:monday"], "times": [{"start_time": "22:00", "end_time": "24:00"}]}],
    )
    assert hours.written(found.week) == ["mon,fri-sun 22:00-24:00"]
    assert hours.written(hours.beside(found.week)) == ["mon,fri-sun 00:00-22:00", "tue-thu"]
    with pytest.raises(ValueError, match="a day"):
        hours.interval("x", [{"weekdays": ["someday"]}])
    with pytest.raises(ValueError, match="a time"):
        hours.interval("x", [{"times": [{"start_time": "25:00", "end_time": "26:00"}]}])


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["receiver", "routes", "matchers", "name", "slack_configs", "match", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=30)
@given(
    st.fixed_dictionaries(
        {
            "route": st.just({}) | _ANY,
            "receivers": _ANY,
            "time_intervals": _ANY,
            "inhibit_rules": _ANY,
            "global": _ANY,
        }
    )
)
def test_whatever_stands_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]
) -> None:
    import json

    path = tmp_path_factory.mktemp("any") / "a.yml"
    path.write_text(json.dumps(config))
    found = read([path], Options())
    _, report = assemble(found, Options())
    assert len(report.entries) == len(found.entries)
