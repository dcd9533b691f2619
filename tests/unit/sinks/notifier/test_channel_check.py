"""Channels with a problem are named when a route brings them, once."""

from collections.abc import Mapping

import pytest

from schemas.policy import Route
from sinks.notifier import metrics
from sinks.notifier.channel_check import ChannelCheck
from sinks.notifier.routing import Routes


def routes(*urls: str) -> Routes:
    return Routes.of([Route(name="ops", urls=urls)])


def problems() -> float:
    return float(metrics.CHANNEL_PROBLEMS._value.get())


def test_each_problem_is_said_once_and_again_when_it_comes_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = []

    def problem(url: str, env: Mapping[str, str] | None) -> str | None:
        asked.append((url, env))
        return "no such scheme" if url.startswith("odd") else None

    check = ChannelCheck(problem, {"A": "1"})

    def look(*urls: str) -> None:
        check.look(routes(*urls))
        while check.some():
            pass

    look("json://a", "odd://b")
    assert problems() == 1
    assert capsys.readouterr().out.count("no such scheme") == 1
    look("json://a", "odd://b", "odd://c")
    assert problems() == 2
    assert capsys.readouterr().out.count("no such scheme") == 1
    assert [url for url, _ in asked] == ["json://a", "odd://b", "odd://c"]
    assert all(env == {"A": "1"} for _, env in asked)
    look("json://a")
    assert problems() == 0
    look("json://a", "odd://b")
    assert capsys.readouterr().out.count("no such scheme") == 1


def test_many_channels_are_looked_at_in_turns() -> None:
    """10,000 of them take 4 s: the notifier would lose its partitions meanwhile."""
    asked: list[str] = []
    check = ChannelCheck(lambda url, _: asked.append(url), {})
    check.look(routes(*(f"json://h/{number}" for number in range(100))))
    assert asked == []
    assert check.some(within_s=0)
    assert len(asked) == 1, "it ends when its time is over, however fast the machine is"
    assert not check.some(within_s=3600)
    assert len(asked) == 100
    assert not check.some()
    check.look(routes("json://h/1"))
    assert not check.some(), "a URL is looked at once"
