"""Kind `domain`: registrations that hold, end, have ended, and registries that say nothing."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Any

import pytest
import structlog

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.checks.resolver import Resolver
from producers.engine.task_engine import TaskEngine
from producers.kinds.rdap_memory import Registries
from schemas.probe import DomainProbe
from schemas.target import Target
from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.rdap_server import RDAP, Answer, registry
from tests.unit.producers.kinds import rdap_answers as answers

NAME = "example.com"
PATH = f"/domain/{NAME}"
DAY_MS = 86_400_000
HTML = "text/html; charset=utf-8"


@pytest.fixture(autouse=True)
def quiet() -> "contextlib.Generator[None]":
    """Nothing is logged as an error."""
    with structlog.testing.capture_logs() as logged:
        yield
    assert [entry for entry in logged if entry["log_level"] == "error"] == []


class Prober:
    """Checks of domains by one prober, which remembers what it was told."""

    def __init__(self, *, internal: bool = True, list_url: str = "http://127.0.0.1:1/") -> None:
        self._resolver = Resolver()
        self.engine = TaskEngine(
            Vantage(internal=internal), self._resolver, registries=Registries(list_url)
        )

    async def check(
        self, rdap: str | None, name: str = NAME, timeout_ms: int = 10_000, **options: Any
    ) -> CheckOutcome:
        done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
        target = Target(
            id="d",
            name="d",
            kind="domain",
            host=name,
            port=None,
            regions=("r",),
            interval_ms=DAY_MS,
            timeout_ms=timeout_ms,
            version=1,
            source="test",
            probe=DomainProbe(rdap=rdap, **options),
        )
        planned = PlannedCheck(target, 0.0, 0, "schedule")
        self.engine.submit(planned, lambda _, outcome: done.set_result(outcome))
        async with asyncio.timeout(30):
            return await done

    def close(self) -> None:
        self.engine.close()
        self._resolver.close()


@contextlib.asynccontextmanager
async def prober(**options: Any) -> AsyncIterator[Prober]:
    made = Prober(**options)
    try:
        yield made
    finally:
        made.close()


async def checked(answer: Answer, **options: Any) -> CheckOutcome:
    """The outcome where a registry answers so."""
    async with registry() as server, prober() as one:
        server.answers[PATH] = answer
        return await one.check(server.url, **options)


def json_of(answer: dict[str, Any], **more: Any) -> Answer:
    return Answer(answers.as_body(answer), **more)


def assert_missed(outcome: CheckOutcome, *said: str) -> None:
    """Nothing was said of the domain."""
    assert (outcome.status, outcome.reason) == ("missed", "prober_error"), outcome
    assert outcome.total_ms is None
    assert outcome.cert_expires_at is None
    for part in said:
        assert part in (outcome.detail or ""), outcome


@pytest.mark.parametrize(
    ("days", "status", "reason", "detail"),
    [
        (100, "up", None, None),
        (29.5, "up", None, "the registration ends in 29.4 days, less than 30 days"),
        (6.5, "down", "domain_ending", "the registration ends in 6.4 days, less than 7 days"),
        (0.1, "down", "domain_ending", "the registration ends in 2 hours, less than 7 days"),
        (-2.05, "down", "domain_expired", "the registration ended 2.0 days ago"),
    ],
)
async def test_what_is_left_of_the_registration_decides(
    days: float, status: str, reason: str | None, detail: str | None
) -> None:
    outcome = await checked(json_of(answers.registry(NAME, days)))
    assert (outcome.status, outcome.reason, outcome.detail) == (status, reason, detail)
    ends_at = (time.time() + days * 86_400) * 1000
    assert abs((outcome.cert_expires_at or 0) - ends_at) < 60_000
    assert outcome.banner == (
        "Example Registrar, Inc.; client delete prohibited, client transfer prohibited"
    )
    # Times and address would be the registry's, not the domain's.
    assert (outcome.connect_ms, outcome.dns_ms, outcome.tls_ms, outcome.address) == (None,) * 4
    assert outcome.total_ms is not None
    assert outcome.total_ms > 0


async def test_options_say_how_many_days() -> None:
    answer = json_of(answers.registry(NAME, 40))
    outcome = await checked(answer, critical_days=20, warn_days=60)
    assert (outcome.status, outcome.detail) == (
        "up",
        "the registration ends in 39.9 days, less than 60 days",
    )
    outcome = await checked(answer, critical_days=50)
    assert outcome.reason == "domain_ending"


async def test_the_question_is_that_of_the_rfc() -> None:
    async with registry() as server, prober() as one:
        path = "/rdap/domain/xn--bcher-kva.example"
        server.answers[path] = json_of(answers.of_the_rfc("xn--bcher-kva.example", 90))
        outcome = await one.check(server.url + "rdap", "xn--bcher-kva.example")
        assert outcome.status == "up", outcome
        assert server.asked == [path]
        assert "Accept: application/rdap+json, application/json;q=0.9" in server.heads[0]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(answers.as_body(answers.error(404, "Not Found", "No such domain.")), 404),
        Answer(b"", 404),
        Answer(b"{}", 404, "application/json"),
    ],
)
async def test_a_domain_that_the_registry_does_not_know_is_down(answer: Answer) -> None:
    outcome = await checked(answer)
    assert (outcome.status, outcome.reason) == ("down", "domain_expired")
    assert outcome.detail == (
        "the registry knows no domain example.com: its registration has ended, or it never had one"
    )


@pytest.mark.parametrize("status", ["redemption period", "pending delete"])
async def test_a_registration_that_waits_for_its_deletion_has_ended(status: str) -> None:
    outcome = await checked(json_of(answers.registry(NAME, 300, status=[status])))
    assert (outcome.reason, outcome.cert_expires_at) == ("domain_expired", None)
    assert outcome.detail == f"the registration has ended: the registry says {status}"


async def test_what_the_registry_renewed_by_itself_is_up_with_a_remark() -> None:
    outcome = await checked(json_of(answers.registry(NAME, 360, status=["auto renew period"])))
    assert outcome.status == "up"
    assert "the registrar may let it go" in (outcome.detail or "")


async def test_without_an_end_only_the_domain_itself_is_known() -> None:
    outcome = await checked(json_of(answers.registry(NAME, None)))
    assert (outcome.status, outcome.cert_expires_at) == ("up", None)
    assert "does not say when the registration ends" in (outcome.detail or "")


async def test_the_registrar_is_asked_for_an_end_that_the_registry_leaves_out() -> None:
    async with registry() as server, registry() as registrar, prober() as one:
        link = {"rel": "related", "type": RDAP, "href": f"{registrar.url}domain/EXAMPLE.COM"}
        server.answers[PATH] = json_of(answers.registry(NAME, None, links=[link]))
        there = answers.registry(NAME, None)
        there["events"] = [{"eventAction": "registrar expiration", "eventDate": answers.at(5.5)}]
        registrar.answers["/domain/EXAMPLE.COM"] = json_of(there)
        outcome = await one.check(server.url)
        assert outcome.reason == "domain_ending", outcome
        # While the registrar says nothing, nobody knows whether it ends.
        async with prober() as another:
            registrar.answers["/domain/EXAMPLE.COM"] = Answer(b"", 503)
            assert_missed(await another.check(server.url), "answered 503")


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_registrar_without_rdap_has_no_word_on_the_end(status: int) -> None:
    async with registry() as server, registry() as registrar, prober() as one:
        link = {"rel": "related", "type": RDAP, "href": f"{registrar.url}domain/EXAMPLE.COM"}
        server.answers[PATH] = json_of(answers.registry(NAME, None, links=[link]))
        registrar.answers["/domain/EXAMPLE.COM"] = Answer(b"<html>no</html>", status, HTML)
        outcome = await one.check(server.url)
        assert (outcome.status, outcome.cert_expires_at) == ("up", None), outcome
        assert "does not say when the registration ends" in (outcome.detail or "")


# Which server


async def test_iana_s_list_says_who_is_asked_and_is_asked_for_once() -> None:
    async with registry() as iana, registry() as server:
        listed = answers.services((["net"], ["http://192.0.2.1/"]), (["com"], [server.url]))
        iana.answers["/dns.json"] = Answer(listed, media="application/json")
        for name in ("example.com", "example.org.com"):
            server.answers[f"/domain/{name}"] = json_of(answers.registry(name, 99))
        async with prober(list_url=f"{iana.url}dns.json") as one:
            names = ("example.com", "example.org.com", "example.com")
            found = await asyncio.gather(*(one.check(None, name) for name in names))
            assert [outcome.status for outcome in found] == ["up"] * 3, found
            assert iana.asked == ["/dns.json"]
            assert_missed(
                await one.check(None, "example.de"),
                "the registry of .de has no RDAP server in IANA's list",
                "give one by rdap:",
            )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"{}", media="application/json"), "expected a list of services"),
        (Answer(b"no", 500), "answered 500 (no)"),
        (None, "the RDAP server 127.0.0.1:1 can't be asked: Connection refused"),
    ],
)
async def test_without_a_list_nothing_is_known(answer: Answer | None, said: str) -> None:
    async with registry() as iana:
        url = "http://127.0.0.1:1/"
        if answer is not None:
            iana.answers["/dns.json"], url = answer, f"{iana.url}dns.json"
        async with prober(list_url=url) as one:
            assert_missed(await one.check(None), said)


async def test_redirects_are_followed_to_the_server_that_knows() -> None:
    async with registry() as server, registry() as other, prober() as one:
        server.answers[PATH] = Answer(
            status=302, headers=(("Location", f"{other.url}v1/domain/EXAMPLE.COM"),)
        )
        other.answers["/v1/domain/EXAMPLE.COM"] = json_of(answers.registry(NAME, 99))
        assert (await one.check(server.url)).status == "up"


async def test_a_circle_of_redirects_ends() -> None:
    async with registry() as server, prober() as one:
        server.answers[PATH] = Answer(status=301, headers=(("Location", PATH),))
        assert_missed(await one.check(server.url), "redirects 6 times")
        assert len(server.asked) == 6


async def test_tls_is_verified_and_never_left(certificates: Certificates) -> None:
    async with registry(certificates.good) as server, registry() as plain, prober() as one:
        server.answers[PATH] = json_of(answers.registry(NAME, 99))
        outcome = await one.check(server.url)
        assert outcome.status == "up", outcome
        # The registry's own certificate, which ends in 20 days, is nobody's business here.
        assert (outcome.cert_expires_at or 0) > (time.time() + 90 * 86_400) * 1000
        path = "/domain/example.net"
        server.answers[path] = Answer(status=302, headers=(("Location", plain.url),))
        assert_missed(await one.check(server.url, "example.net"), "redirects from TLS to none")
        assert plain.asked == []
    async with registry(certificates.expired) as server, prober() as one:
        outcome = await one.check(server.url)
        assert_missed(outcome, "can't be asked: Certificate expired")


# Registries that say nothing of the domain


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"<html>Not here</html>", 404, HTML), "answered 404 (<html>Not here</html>)"),
        # What Caddy, icann-rdap-srv beside its /rdap, and Go's own server say of any path.
        (Answer(b"", 404, "text/plain"), "answered 404"),
        (Answer(b"404 page not found\n", 404, "text/plain"), "answered 404 (404 page not found)"),
        (Answer(b"not here", 404, "application/json"), "answered 404 (not here)"),
        (Answer(b"<HTML>Number of allowed queries exceeded.", 403, HTML), "answered 403"),
        (
            json_of(
                answers.error("422", "Forbidden request", "Your access is too fast"), status=422
            ),
            "answered 422 (Forbidden request; Your access is too fast)",
        ),
        (json_of(answers.error(400, "Bad Request"), status=400), "answered 400 (Bad Request)"),
        (Answer(b"", 501), "answered 501"),
        (Answer(b"oops", 500, "text/plain"), "answered 500 (oops)"),
        (Answer(b"", 200), "expected JSON"),
        (Answer(b"<html>Welcome", 200, HTML), "expected JSON, found"),
        (json_of(answers.registry("example.net", 99)), "found one about EXAMPLE.NET"),
        (json_of(answers.error(429, "Slow down")), "expected a domain, found Slow down"),
        (Answer(b"[" * 100_000), "expected JSON"),
        (Answer(b" " * 300_000), "more than 262144 bytes came"),
        (Answer(b"{", headers=(("Content-Encoding", "br"),)), "expected JSON"),
        (
            json_of(
                answers.registry(
                    NAME, 9, events=[{"eventAction": "expiration", "eventDate": "soon"}]
                )
            ),
            "expected the date of the end",
        ),
    ],
)
async def test_a_registry_that_answers_something_else_is_no_outage_of_the_domain(
    answer: Answer, said: str
) -> None:
    assert_missed(await checked(answer), said)


async def test_a_registry_that_does_not_answer_is_no_outage_of_the_domain() -> None:
    outcome = await checked(Answer(b'{"objectClassName"', held=True), timeout_ms=300)
    assert_missed(outcome, "no answer of the registry within 300 ms")
    async with prober() as one:
        assert_missed(
            await one.check("http://127.0.0.1:1/"),
            "the RDAP server 127.0.0.1:1 can't be asked: Connection refused",
        )
        assert_missed(
            await one.check("http://nobody.invalid/"), "can't be asked: DNS resolution failed"
        )


@pytest.mark.parametrize(
    ("header", "waits"),
    [
        ((), "15 minutes"),
        ((("Retry-After", "7300"),), "2 hours"),
        (
            (
                (
                    "Retry-After",
                    format_datetime(
                        dt.datetime.now(dt.UTC) + dt.timedelta(hours=5, minutes=30), usegmt=True
                    ),
                ),
            ),
            "5 hours",
        ),
        ((("Retry-After", "soon"),), "15 minutes"),
    ],
)
async def test_a_registry_that_limits_is_left_alone_for_as_long_as_it_wants(
    header: tuple[tuple[str, str], ...], waits: str
) -> None:
    async with registry() as server, prober() as one:
        server.answers[PATH] = json_of(
            answers.error(429, "Too Many Requests"), status=429, headers=header
        )
        assert_missed(
            await one.check(server.url),
            f"answered 429 (Too Many Requests); it is not asked again for {waits}",
        )
        outcome = await one.check(server.url, "example.net")
        assert_missed(outcome, "wants not to be asked for another")
        assert server.asked == [PATH]


async def test_a_registry_is_asked_once_in_some_minutes_for_a_domain() -> None:
    async with registry() as server, prober() as one:
        server.answers[PATH] = json_of(answers.registry(NAME, 5))
        found = [await one.check(server.url) for _ in range(4)]
        assert [outcome.reason for outcome in found] == ["domain_ending"] * 4
        assert server.asked == [PATH]


async def test_a_fleet_of_domains_asks_one_after_the_other() -> None:
    async with registry() as server, prober() as one:
        names = [f"d{number}.com" for number in range(4)]
        for name in names:
            server.answers[f"/domain/{name}"] = json_of(answers.registry(name, 99))
        began = time.monotonic()
        found = await asyncio.gather(
            *(one.check(server.url, name, timeout_ms=2_000) for name in names)
        )
        assert [outcome.status for outcome in found] == ["up"] * 4, found
        took_s = time.monotonic() - began
        assert 2.5 < took_s < 20
        # The wait for a turn is none of the registry's time.
        assert max(outcome.total_ms or 0 for outcome in found) < 2_000


# The address guard


async def test_the_guard_judges_the_registry_and_whom_it_names() -> None:
    async with registry() as server, prober(internal=False) as one:
        outcome = await one.check(server.url)
        assert (outcome.status, outcome.reason) == ("missed", "address_blocked")
        assert server.asked == []
