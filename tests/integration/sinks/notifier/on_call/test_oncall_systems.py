import re
from pathlib import Path

import apprise
import apprise.plugins
import pytest

from sinks.notifier.channels.on_call_systems import SYSTEMS, OnCallSystem, on_call_system
from tests.integration.sinks.notifier.on_call import table
from tests.integration.sinks.notifier.on_call.intercept import intercept
from tests.integration.sinks.notifier.on_call.probe import KEY_1, KEY_2
from tests.integration.sinks.notifier.on_call.systems import NO_ON_CALL_SYSTEMS, PLUGINS

_SPEAKS_OF_ALERTS = re.compile(
    r"incidents?\b|on-?call|acknowledg|dedup|escalat|pager|/alerts", re.IGNORECASE
)


_OURS = OnCallSystem(name="ours", schemes=(), key="key", acknowledge="", resolve="")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[table._Findings]:
    with intercept(tmp_path_factory.mktemp("proxy")) as proxy:
        return table.run(proxy)


def test_the_page_is_what_running_gives(found: list[table._Findings]) -> None:
    written = table.PAGE.read_text(encoding="utf-8")
    if f"of Apprise {apprise.__version__}," not in written:
        pytest.skip(f"the page is of another Apprise than {apprise.__version__}: make it anew")
    assert written == table.page(found)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda one: one.name)
def test_each_system_opens_and_does_what_is_declared(
    plugin: table.Plugin, found: list[table._Findings]
) -> None:
    one = next((one for one in found if one.plugin is plugin), None)
    if one is None:
        pytest.skip(f"Apprise {apprise.__version__} has no {plugin.scheme}")
    system = on_call_system(plugin.scheme) or _OURS

    given = {part: table.does(plugin, told) for part, told in one.story.items()}

    first, second = (KEY_1, KEY_2) if system.key else ("", "")
    resolves = system.resolve is not None
    assert given["opened"] == [("trigger", first)]
    assert given["acknowledged"] == [("acknowledge", first)] * (system.acknowledge is not None)
    assert given["worsened"] == [("resolve", first)] * resolves + [("trigger", second)]
    assert given["closed"] == [("resolve", second)] * resolves
    for told in (told for tolds in one.story.values() for told in tolds):
        assert told.confirmed == bool(told.requests)  # it never says "sent" of nothing


def test_every_system_is_run() -> None:
    run = {one.scheme for one in PLUGINS}
    assert all(run & set(system.schemes) for system in SYSTEMS)


def test_every_plugin_that_speaks_of_alerts_is_known() -> None:
    folder = Path(apprise.plugins.__file__).parent
    text = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    speaking = {
        path.stem if path.parent == folder else path.parent.name
        for path, source in text.items()
        # Their licence speaks of incidental damages.
        if _SPEAKS_OF_ALERTS.search(source) and path.name != "__init__.py"
    }
    ours = {one.scheme.removesuffix("s") for one in PLUGINS} | {one.scheme for one in PLUGINS}
    unknown = speaking - ours - NO_ON_CALL_SYSTEMS
    if unknown and f"of Apprise {apprise.__version__}," not in table.PAGE.read_text("utf-8"):
        pytest.skip(f"plugins of Apprise {apprise.__version__} to look at: {sorted(unknown)}")
    assert not unknown
    assert len(speaking & ours) >= 4, "Apprise's plugins were not found"
