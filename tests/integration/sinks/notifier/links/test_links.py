"""The link of a message, from the message to the record on [results]."""

import asyncio
import html
import re
import socket

from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import policy
from schemas.partition import partition_for
from schemas.policy import Silence
from sinks.notifier.links.server import MOST_CONNECTIONS, LinkServer
from sinks.notifier.links.token import LinkClaim, signed
from sinks.notifier.notifier import Notifier
from tests.integration.sinks.notifier.links.rig import (
    KEY,
    acknowledgements,
    ask,
    linked,
    now_ms,
    serving,
)
from tests.integration.sinks.notifier.rig import (
    Hook,
    incident_event,
    notifier,
    publish,
    publish_policy,
    route,
    until,
)

LINK = re.compile(r"https://monitor\.example\.com/pq(/i/[A-Za-z0-9_.-]+)")
OURS = {"Origin": "https://monitor.example.com", "Sec-Fetch-Site": "same-origin"}


async def told(settings: Settings, channel: Hook, running: Notifier, target: str = "db") -> str:
    """Has `target` go down, and returns the path of the message's link."""
    await publish_policy(settings, route(channel))
    await until(lambda: running.active, "it is active")
    await publish(settings, incident_event(target))
    await until(lambda: len(channel.posts) > 0, "people are told")
    found = LINK.findall(channel.posts[-1]["message"])
    assert len(found) == 1, channel.posts[-1]["message"]
    return str(found[0])


def forms(page: str) -> dict[str, str]:
    """The paths of the forms by their buttons."""
    found = re.findall(r'action="([^"]+)".*?<button>([^<]+)</button>', page, re.DOTALL)
    return {label: f"/i/{html.unescape(token)}" for token, label in found}


async def silences(settings: Settings) -> list[Silence]:
    async with Follower(settings, settings.topic("policy")) as follower:
        entries = [policy.decode(one.value) async for one in follower.present() if one.value]
    return [one for one in entries if isinstance(one, Silence)]


async def test_a_person_acknowledges_by_the_link_of_a_message(
    settings: Settings, channel: Hook
) -> None:
    settings = linked(settings)
    async with serving(settings) as (running, server):
        path = await told(settings, channel, running)
        shown = await ask(server, "GET", path)
        assert shown.status_code == 200
        assert "TCP Port Unreachable: db (db.example.com:5432)" in shown.text
        assert "script" not in shown.text
        posting = asyncio.create_task(
            ask(
                server,
                "POST",
                forms(shown.text)["Acknowledge"],
                data={"by": "  Ann\tO'Neil\N{RIGHT-TO-LEFT OVERRIDE} "},
                headers=OURS,
            )
        )
        words: list[tuple[int, object]] = []

        async def written() -> bool:
            words[:] = await acknowledgements(settings)
            return bool(words)

        await until(written, "the record is there")
        (number, word) = (await acknowledgements(settings))[0]
        assert number == partition_for("db.example.com", settings.partitions)
        assert (word.target, word.by, word.note) == ("db", "Ann O'Neil\ufffd", "by link")
        assert word.incident_id == incident_event("db").incident_id
        # As the stream answers it.
        await publish(settings, incident_event("db", "updated", acknowledged_by=word.by))
        answer = await posting
        assert answer.status_code == 200
        assert "Acknowledged" in answer.text
        assert "Ann O&#39;Neil" in answer.text

        async def seen() -> bool:
            return "Acknowledge" not in forms((await ask(server, "GET", path)).text)

        await until(seen, "the page says that somebody has it in hand")
        # By reload, or twice: nothing more is written.
        again = await ask(server, "POST", path, headers=OURS)
        assert "acknowledged already" in again.text
        assert len(await acknowledgements(settings)) == 1


async def test_a_mail_scanner_changes_nothing(settings: Settings, channel: Hook) -> None:
    settings = linked(settings)
    async with serving(settings) as (running, server):
        path = await told(settings, channel, running)
        cross = {"Sec-Fetch-Site": "cross-site", "Referer": "https://mail.example.net/"}
        page = ""
        for method, headers in (("GET", {}), ("GET", cross), ("HEAD", {}), ("HEAD", cross)):
            for prefix in ("", "/pq"):  # a proxy may leave the base's path in or out
                answer = await ask(server, method, f"{prefix}{path}", headers=headers)
                assert answer.status_code == 200
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["X-Robots-Tag"].startswith("noindex")
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                page = answer.text or page
        for form in forms(page).values():
            assert (await ask(server, "GET", form)).status_code == 200
        for method in ("PUT", "DELETE", "OPTIONS"):
            assert (await ask(server, method, path)).status_code == 405
        assert await acknowledgements(settings) == []
        assert await silences(settings) == []


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://monitor.example.com.evil.example"},
    {"Referer": "https://evil.example/"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Host": "evil.example"},
]


async def test_the_page_of_another_server_changes_nothing(
    settings: Settings, channel: Hook
) -> None:
    settings = linked(settings)
    async with serving(settings) as (running, server):
        path = await told(settings, channel, running)
        for headers in FOREIGN:
            answer = await ask(server, "POST", path, headers=headers)
            assert answer.status_code == 403, headers
            assert await acknowledgements(settings) == [], headers


async def test_silence_for_an_hour(settings: Settings, channel: Hook) -> None:
    settings = linked(settings)
    async with serving(settings) as (running, server):
        path = await told(settings, channel, running)
        form = forms((await ask(server, "GET", path)).text)["Silence for 1 h"]
        began = now_ms()
        answer = await ask(server, "POST", form, data={"by": "ann"}, headers=OURS)
        assert answer.status_code == 200
        (one,) = await silences(settings)
        assert (one.targets, one.by) == (("db",), "ann")
        assert one.ends_at - one.begins_at == 3_600_000
        assert began <= one.begins_at <= now_ms()
        assert "by link" in one.reason

        async def spared() -> bool:
            return "Silence for 1 h" not in forms((await ask(server, "GET", path)).text)

        await until(spared, "the page says that it is silenced")
        again = await ask(server, "POST", form, headers=OURS)
        assert "silenced already" in again.text
        assert len(await silences(settings)) == 1
        before = len(channel.posts)
        await publish(settings, incident_event("db", "worsened", episode=2))
        await publish(settings, incident_event("other"))
        await until(lambda: len(channel.posts) > before, "the other is told")
        assert "other" in channel.posts[-1]["title"]


async def test_what_is_no_link_is_404_and_an_old_one_410(settings: Settings, channel: Hook) -> None:
    settings = linked(settings)
    async with serving(settings) as (running, server):
        path = await told(settings, channel, running)
        for wrong in ("/i/x", path[:-1], f"{path}x", "/i/" + "x" * 2_000, f"{path}%00"):
            for method in ("GET", "POST"):
                assert (await ask(server, method, wrong)).status_code == 404, wrong
        assert (await ask(server, "GET", "/")).status_code == 404
        incident_id = incident_event("db").incident_id
        old = signed(LinkClaim("ack", incident_id, 1, now_ms() // 1000 - 1), KEY)
        for method in ("GET", "POST"):
            assert (await ask(server, method, f"/i/{old}")).status_code == 410
        assert await acknowledgements(settings) == []


async def test_a_link_of_an_earlier_outage_or_of_one_that_is_over_does_nothing(
    settings: Settings, channel: Hook
) -> None:
    settings = linked(settings)
    async with serving(settings) as (running, server):
        path = await told(settings, channel, running)
        await publish(settings, incident_event("db", "worsened", episode=2))

        async def anew() -> bool:
            return "number 2" in (await ask(server, "GET", path)).text

        await until(anew, "it is the second outage")
        answer = await ask(server, "POST", path, headers=OURS)
        assert answer.status_code == 409
        assert "down again" in answer.text
        await publish(settings, incident_event("db", "closed", episode=2))

        async def over() -> bool:
            page = (await ask(server, "GET", path)).text
            return not forms(page) and "closed" in page

        await until(over, "it is over")
        assert (await ask(server, "POST", path, headers=OURS)).status_code == 409
        assert await acknowledgements(settings) == []


async def test_one_that_stands_by_serves_links_too(settings: Settings, channel: Hook) -> None:
    settings = linked(settings)
    async with serving(settings) as (active, _):
        path = await told(settings, channel, active)
        async with serving(settings) as (other, server):

            async def known() -> bool:
                return "Acknowledge" in forms((await ask(server, "GET", path)).text)

            await until(known, "it knows the incident")
            assert not other.active
            await ask(server, "POST", path, headers=OURS)
            assert [word.by for _, word in await acknowledgements(settings)] == ["by link"]


async def test_large_slow_and_many_clients_hold_nobody_up(
    settings: Settings, channel: Hook
) -> None:
    settings = linked(settings)
    async with serving(settings) as (running, server):
        path = await told(settings, channel, running)
        large = await ask(server, "POST", path, data=b"by=" + b"x" * 100_000, headers=OURS)
        assert large.status_code == 413

        def slow() -> list[socket.socket]:
            made = []
            for _ in range(MOST_CONNECTIONS + 20):
                one = socket.create_connection(("127.0.0.1", server.port))
                one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
                made.append(one)
            return made

        held = await asyncio.to_thread(slow)
        try:
            assert (await ask(server, "GET", path)).status_code == 200
        finally:
            for one in held:
                one.close()
        assert await acknowledgements(settings) == []


async def test_a_slow_client_is_ended(settings: Settings) -> None:
    server = LinkServer(linked(settings), lambda: None, life_s=0.5)
    task = asyncio.create_task(server.run())
    try:
        await until(lambda: server.port > 0, "links are served")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /i/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nb")
        await writer.drain()
        async with asyncio.timeout(30):
            while await _answer(reader):
                pass
        writer.close()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _answer(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(1_000)
    except ConnectionError:
        return b""


async def test_many_requests_are_limited(settings: Settings) -> None:
    server = LinkServer(linked(settings), lambda: None, requests=(1e-6, 3))
    task = asyncio.create_task(server.run())
    try:
        await until(lambda: server.port > 0, "links are served")
        answers = [(await ask(server, "GET", "/i/x")) for _ in range(5)]
        assert [one.status_code for one in answers] == [404, 404, 404, 429, 429]
        assert answers[-1].headers["Retry-After"] == "5"
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_without_the_setting_there_are_no_links(settings: Settings, channel: Hook) -> None:
    await publish_policy(settings, route(channel))
    server = LinkServer(settings, lambda: None)
    await asyncio.wait_for(server.run(), 5)
    async with notifier(settings) as running:
        await until(lambda: running.active, "it is active")
        await publish(settings, incident_event("db"))
        await until(lambda: len(channel.posts) > 0, "people are told")
        assert "/i/" not in channel.posts[0]["message"]
