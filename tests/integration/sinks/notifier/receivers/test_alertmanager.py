"""Debian's Alertmanager: an incident appears, stays past `resolve_timeout`, survives a takeover."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sinks.notifier.receivers.scene import Outage, Scene, route, side_by_side
from tests.receivers.alertmanager import Alertmanager, running_alertmanager

pytestmark = pytest.mark.timeout(400)

RESOLVE_TIMEOUT_S = 5


def of(manager: Alertmanager, outage: Outage) -> list[dict[str, Any]]:
    return [alert for alert in manager.alerts() if outage.name in repr(alert)]


def noted(manager: Alertmanager, outage: Outage) -> list[str]:
    return [one.status for one in manager.hook.noted if outage.name in repr(one.labels)]


async def an_incident_stays_while_it_lasts_and_over_a_takeover(scene: Scene) -> None:
    with running_alertmanager(scene.folder, RESOLVE_TIMEOUT_S) as manager:
        outage, short = Outage(), Outage()
        active = await scene.begin(route("manager", f"alertmanager+http://{manager.address}"))
        await scene.happens(outage.opened(), short.opened())
        await scene.until(lambda: len(of(manager, outage)) == 1, "the incident is there")
        await scene.until(lambda: noted(manager, outage) == ["firing"], "Alertmanager tells it")
        ends = of(manager, outage)[0]["endsAt"]
        # It is repeated, by whoever is active, before Alertmanager would forget it.
        await active.kill()
        await scene.start()
        await scene.until(
            lambda: of(manager, outage) and of(manager, outage)[0]["endsAt"] > ends,
            "repeated after the takeover",
        )
        ends = of(manager, outage)[0]["endsAt"]
        await scene.until(
            lambda: of(manager, outage) and of(manager, outage)[0]["endsAt"] > ends,
            "repeated a minute later",
        )
        await scene.happens(short.closed())
        await scene.until(lambda: of(manager, short) == [], "the other one is over")
        assert len(of(manager, outage)) == 1
        assert noted(manager, outage) == ["firing"]
        await scene.happens(outage.closed())
        await scene.until(lambda: of(manager, outage) == [], "it is over")
        await scene.until(lambda: noted(manager, outage) == ["firing", "resolved"], "and told")


async def a_target_of_another_team_ends_as_the_alert_that_it_was(scene: Scene) -> None:
    with running_alertmanager(scene.folder, RESOLVE_TIMEOUT_S) as manager:
        outage = Outage(team="one")
        await scene.begin(route("manager", f"alertmanager+http://{manager.address}"))
        await scene.happens(outage.opened())
        await scene.until(lambda: noted(manager, outage) == ["firing"], "Alertmanager tells it")
        outage.changes(team="two")
        await scene.happens(outage.closed())
        await scene.until(lambda: of(manager, outage) == [], "it is over")
        await scene.until(lambda: noted(manager, outage) == ["firing", "resolved"], "and told")


async def an_alertmanager_that_comes_back_empty_is_told_again(scene: Scene) -> None:
    with running_alertmanager(scene.folder, RESOLVE_TIMEOUT_S) as manager:
        outage = Outage()
        await scene.begin(route("manager", f"alertmanager+http://{manager.address}"))
        await scene.happens(outage.opened())
        await scene.until(lambda: len(of(manager, outage)) == 1, "the incident is there")
        manager.restart_empty()
        assert of(manager, outage) == []
        await scene.until(lambda: len(of(manager, outage)) == 1, "it is there again")
        await scene.happens(outage.closed())
        await scene.until(lambda: of(manager, outage) == [], "it is over")


ACTS: dict[str, Callable[[Scene], Awaitable[None]]] = {
    act.__name__: act
    for act in (
        an_incident_stays_while_it_lasts_and_over_a_takeover,
        a_target_of_another_team_ends_as_the_alert_that_it_was,
        an_alertmanager_that_comes_back_empty_is_told_again,
    )
}


async def test_each_act(kafka: str, tmp_path: Path) -> None:
    """Side by side: what is open is repeated each minute, and two of them wait for that."""
    await side_by_side(kafka, tmp_path, lambda scene, name: ACTS[name](scene), list(ACTS))
