"""What leaves for each service is what the text's maker wrote: nothing more escaped, nothing less.

Apprise itself makes the requests; they are caught before they leave.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from sinks.notifier.channels.by_apprise import _notify
from sinks.notifier.channels.exchange import Recorder, recording
from sinks.notifier.channels.plugins import amendment, make
from sinks.notifier.channels.ways import budget_for
from sinks.notifier.texts.render import render
from tests.unit.sinks.notifier.channels.deliveries import delivery, news

EVIL = "@everyone @here <@123> <!channel> <users/all> <b>x</b> & *b* _i_ `c` |s| :boom: \\n &lt;"
URLS = {
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
    "slack bot": "slack://xoxb-1234-1234-abc124/#general?format=markdown",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "discord markdown": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?format=markdown",
    "guilded": "guilded://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "telegram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "telegram markdown": "tgram://123456789:abcdefg_hijklmnop/12315544/?format=markdown",
    "mattermost": "mmost://host.example/3ccdd113474722377935511fc85d3dd4",
    "rocketchat": "rockets://token1/token2@host.example/#general?mode=webhook",
    "zulip": "zulip://bot@org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/general",
    "gchat": "gchat://workspace/key/token",
    "webex": f"wxteams://{'abcd1234' * 10}",
    "revolt": "revolt://abc123/channel",
    "matrix": "matrixs://host.example/3ccdd113474722377935511fc85d3dd4?mode=slack",
    "ntfy": "ntfys://host.example/topic",
    "gotify": "gotifys://host.example/token",
    "pushover": f"pover://{'a' * 30}@{'b' * 30}",
    "json": "json://host.example/x",
    "form": "form://host.example/x",
    "mailgun": "mailgun://user@example.com/aaaaaaaa-bbbbbbbb-cccccccc/to@example.com",
    "mastodon": "mastodons://tok@host.example",
    "feishu": "feishu://abcdefghij0123456789",
    "dingtalk": "dingtalk://abcd1234abcd",
    "nctalk": "nctalks://user:pass@host.example/room1",
}
ENTITIES_BY_APPRISE = {"matrix"}
"""In this mode Apprise itself makes entities of `<`, `>` and `&`, as Slack has them."""


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from strings(one)
        case list():
            for one in value:
                yield from strings(one)


def told(request: requests.PreparedRequest) -> str:
    body = request.body or b""
    text = body.decode() if isinstance(body, bytes) else body
    try:
        return "\n".join(strings(json.loads(text)))
    except ValueError:
        return "\n".join(value for _, value in parse_qsl(text, keep_blank_values=True))


@pytest.mark.parametrize("name", URLS)
def test_the_text_leaves_as_it_was_written(name: str) -> None:
    plugin, way = make(URLS[name])
    one = delivery(URLS[name], "opened", news(summary=EVIL, name=f"DB {EVIL}"))
    text = render(one, budget_for(plugin, way))
    caught: list[requests.PreparedRequest] = []
    amend = amendment(plugin)

    def catch(request: requests.PreparedRequest) -> None:
        if amend is not None:
            amend(request)
        caught.append(request)

    with recording(Recorder(lambda: False, amend=catch)):
        assert not _notify(plugin, way, text, "failure")
    found = told(caught[-1])
    wanted = text.html if way.markup == "html" else text.body
    assert wanted is not None
    if name in ENTITIES_BY_APPRISE:
        found = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    lines = [line.strip() for line in wanted.splitlines() if line.strip()]
    assert len(lines) > 5
    assert [line for line in lines if line not in found] == []
    assert "👉" not in found
    assert "Production" not in found


@pytest.mark.parametrize("name", ["discord", "discord markdown", "guilded"])
def test_discord_is_told_to_ping_nobody(name: str) -> None:
    plugin, way = make(URLS[name])
    text = render(delivery(URLS[name], "opened", news(summary=EVIL)), budget_for(plugin, way))
    caught: list[requests.PreparedRequest] = []
    amend = amendment(plugin)

    def catch(request: requests.PreparedRequest) -> None:
        amend(request)
        caught.append(request)

    with recording(Recorder(lambda: False, amend=catch)):
        _notify(plugin, way, text, "failure")
    body = json.loads(caught[-1].body or "")
    assert body["allowed_mentions"] == {"parse": [], "roles": [], "users": []}
    assert "allow_mentions" not in body
    assert "embeds" not in body


def test_telegram_keeps_the_blank_lines() -> None:
    plugin, way = make(URLS["telegram"])
    text = render(delivery(URLS["telegram"], "opened"), budget_for(plugin, way))
    caught: list[requests.PreparedRequest] = []
    with recording(Recorder(lambda: False, amend=caught.append)):
        _notify(plugin, way, text, "failure")
    found = json.loads(caught[-1].body or "")["text"]
    assert "\n\n" in text.body
    assert found.replace("\u200b", "").replace("\r\n", "\n") == text.body


@pytest.mark.parametrize(
    ("url", "limit"),
    [
        ("ntfys://host.example/topic", 4_096),
        ("irc://host.example/%23ops", 380),
        (f"threema://*THEGWID@{'a' * 16}/ABCD1234", 3_500),
        ("wecombot://12345678-1234-1234-1234-123456789abc", 2_048),
    ],
)
def test_who_counts_bytes_is_given_so_many_bytes(url: str, limit: int) -> None:
    budget = budget_for(*make(url))
    assert budget.units == "bytes"
    assert limit - 202 <= budget.body <= limit  # Apprise may put a title before it
    long = [news(f"i{n}/1", name="Ü" * 200, summary="\N{PILE OF POO}" * 2_000) for n in range(40)]
    for subjects in (long[:1], long):
        text = render(delivery(url, "opened", *subjects), budget)
        assert len(text.body.encode()) <= budget.body
