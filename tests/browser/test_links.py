"""The page of a link in a real browser: its form is let through, one of another page is not.

Kafka is away: an answer that says so has passed every check of the request.
"""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping

import msgspec
import pytest
from msgspec import Struct
from playwright.sync_api import Page

from foundation.lifecycle import cancelled
from foundation.settings import Settings
from schemas import notifier_state
from schemas.notifier_state import Subject, subject_key
from schemas.policy import Policy
from sinks.notifier.links.server import LinkServer
from sinks.notifier.links.token import LinkClaim, signed
from tests.browser.browser import Server
from tests.integration.kinds.servers import free_port
from tests.unit.sinks.notifier.events import AT, incident_event

KEY = "a key that several notifiers share, and nobody else"
EVENT = incident_event(name="<script>document.title='run'</script>", incident_id="i1")
DEADLINE_S = 60


class Memory(Struct):
    """A notifier's memory that does not change."""

    values: Mapping[bytes, bytes]
    policy: Mapping[bytes, Policy] = {}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """Where links are served, in a thread: the browser's loop has this one."""
    port = free_port()
    settings = Settings(
        kafka=f"127.0.0.1:{free_port()}",
        links=f"http://127.0.0.1:{port}",
        links_listen=f"127.0.0.1:{port}",
        links_key=KEY,
    )
    subject = Subject(
        term=1,
        key="incident/i1",
        event=msgspec.Raw(msgspec.json.encode(EVENT)),
        phase="down",
        episode=1,
        began_at=AT,
        changed_at=AT,
    )
    memory = Memory({subject_key(subject.key): notifier_state.encode(subject)})
    server = LinkServer(settings, lambda: memory)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def begun() -> asyncio.Task[None]:
        return asyncio.create_task(server.run())

    serving = asyncio.run_coroutine_threadsafe(begun(), loop).result(DEADLINE_S)
    deadline = time.monotonic() + DEADLINE_S
    while not server.port and time.monotonic() < deadline:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.port}"
    asyncio.run_coroutine_threadsafe(cancelled(serving), loop).result(DEADLINE_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def link(base: str) -> str:
    claim = LinkClaim("ack", "i1", 1, time.time_ns() // 1_000_000_000 + 3600)
    return f"{base}/i/{signed(claim, KEY)}"


def test_the_form_of_the_page_is_let_through(page: Page, base: str) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    answer = page.goto(link(base))
    assert answer is not None
    assert answer.status == 200
    assert "document.title" in page.inner_text("h1")
    assert page.title() != "run", "a name of the inventory is text"
    assert page.evaluate("getComputedStyle(document.querySelector('dl')).display") == "grid"
    assert refused == [], "the style is allowed by the page's own policy"
    for button in ("Acknowledge", "Silence for 1 h"):
        page.goto(link(base))
        with page.expect_response(lambda one: one.request.method == "POST") as posted:
            page.click(f"button:text-is('{button}')")
        assert posted.value.status == 503, posted.value.text()
        page.wait_for_selector("[role=status]:text('Kafka did not take it')")


@pytest.mark.parametrize("policy", ["no-referrer", "unsafe-url", ""])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.example"])
def test_the_form_of_another_page_is_not(
    page: Page, base: str, attacker: Server, host: str, policy: str
) -> None:
    page.goto(f"http://{host}:{attacker.port}/")
    with page.expect_response(lambda one: one.request.method == "POST") as posted:
        page.evaluate(
            """([url, policy]) => {
                const meta = document.createElement('meta');
                meta.name = 'referrer';
                meta.content = policy;
                document.head.append(meta);
                const form = document.createElement('form');
                form.method = 'post';
                form.action = url;
                document.body.append(form);
                form.submit();
            }""",
            [link(base), policy],
        )
    assert posted.value.status == 403


def test_a_link_is_opened_from_any_page(page: Page, base: str, attacker: Server) -> None:
    page.goto(f"http://evil.example:{attacker.port}/")
    page.evaluate("url => { location = url }", link(base))
    page.wait_for_selector("button:text-is('Acknowledge')")
