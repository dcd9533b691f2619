"""Redirects: each certificate on the way counts, each time, and a failure is told with its URL."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from producers.checks.model import CheckOutcome
from tests.integration.kinds.answering import answering, http
from tests.integration.kinds.certificates import Certificates, Pair
from tests.integration.kinds.checking import assert_down
from tests.integration.kinds.odd_answers import ok
from tests.integration.kinds.servers import free_port


def moved(*locations: str) -> bytes:
    fields = [f"Location: {one}".encode() for one in locations]
    return b"\r\n".join([b"HTTP/1.1 302 Found", b"Content-Length: 0", *fields, b"", b""])


@contextlib.asynccontextmanager
async def way(*pairs: Pair | None, last: bytes = ok()) -> AsyncIterator[list[str]]:
    """Servers that lead from one to the next, in TLS those with a certificate; their URLs."""
    async with contextlib.AsyncExitStack() as stack:
        urls: list[str] = []
        for pair in reversed(pairs):
            answer = moved(urls[0]) if urls else last
            port = await stack.enter_async_context(answering(answer, pair=pair))
            urls.insert(0, f"{'http' if pair is None else 'https'}://127.0.0.1:{port}/")
        yield urls


async def followed(urls: list[str], **probe: object) -> CheckOutcome:
    scheme, _, rest = urls[0].partition("://")
    port = int(rest.rstrip("/").rpartition(":")[2])
    return await http(port, tls=scheme == "https", **probe)


@pytest.mark.usefixtures("certificates")
async def test_a_certificate_of_any_hop_that_ends_is_down(made_certificates: Certificates) -> None:
    """kuma 3921, 3437. `good` ends in 20 days, `endless` in the year 9999."""
    good, endless = made_certificates.good, made_certificates.endless
    for pairs in ([good, endless], [endless, good], [good, None], [None, good, endless, None]):
        async with way(*pairs) as urls:
            outcome = await followed(urls, critical_days=30, expect="ok")
            soon = await followed(urls, warn_days=30, expect="ok")
            fine = await followed(urls, expect="ok")
        place = urls[pairs.index(good)]
        assert outcome.status == "down", outcome
        assert outcome.reason in {"certificate_ending", "certificate_expired"}
        assert outcome.cert_expires_at == good.until_ms
        assert (outcome.detail or "").startswith(f"{place}: the certificate "), outcome
        assert soon.status == "up"
        assert (soon.detail or "").startswith(f"{place}: the certificate "), soon
        assert (fine.status, fine.detail) == ("up", None)
        assert fine.cert_expires_at == good.until_ms


@pytest.mark.usefixtures("certificates")
async def test_a_certificate_that_ends_is_less_than_a_failure(
    made_certificates: Certificates,
) -> None:
    """It still holds, and what comes after it does not work at all."""
    good = made_certificates.good
    async with way(good, None, last=b"HTTP/1.1 500 x\r\n\r\n") as urls:
        outcome = await followed(urls, critical_days=30)
    assert_down(outcome, "unexpected_response", f"after 1 redirect: {urls[1]}: expected the status")
    assert outcome.cert_expires_at == good.until_ms
    async with way(good, made_certificates.expired) as urls:
        outcome = await followed(urls, critical_days=30)
    assert_down(outcome, "certificate_expired", f"after 1 redirect: {urls[1]}: certificate has")
    assert outcome.cert_expires_at == made_certificates.expired.until_ms


@pytest.mark.usefixtures("certificates")
async def test_the_first_expiry_is_told_of_a_certificate_that_is_wrong_otherwise(
    made_certificates: Certificates,
) -> None:
    async with way(made_certificates.endless, made_certificates.other) as urls:
        outcome = await followed(urls)
    assert_down(outcome, "certificate_invalid", f"after 1 redirect: {urls[1]}: ")
    assert outcome.cert_expires_at == made_certificates.other.until_ms


@pytest.mark.usefixtures("certificates")
async def test_all_times_are_of_all_hops(made_certificates: Certificates) -> None:
    good, endless = made_certificates.good, made_certificates.endless
    async with way(good, endless, None) as urls:
        outcome = await followed(urls)
    connect_ms = [hop.connect_ms or 0.0 for hop in outcome.hops]
    tls_ms = [hop.tls_ms or 0.0 for hop in outcome.hops]
    wait_ms = [hop.wait_ms for hop in outcome.hops]
    assert len(connect_ms) == 3
    assert outcome.connect_ms == pytest.approx(sum(connect_ms))
    assert outcome.tls_ms == pytest.approx(sum(tls_ms), abs=0.01)
    assert outcome.total_ms is not None
    assert outcome.total_ms >= sum(connect_ms) + sum(tls_ms) + sum(wait_ms) - 0.01


async def test_a_hop_that_nobody_listens_at_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}/x"
    async with answering(moved(f"{url}?token=secret")) as port:
        outcome = await http(port)
    assert_down(outcome, "connection_refused", f"after 1 redirect: {url}: ")
    assert "secret" not in (outcome.detail or "")
    assert outcome.http_status == 302
    assert outcome.total_ms is not None
    assert outcome.connect_ms is not None
    assert outcome.total_ms > outcome.connect_ms


async def test_of_several_locations_the_first_is_followed_and_an_empty_one_leads_nowhere() -> None:
    """As curl does."""
    async with way(None) as urls, answering(moved(urls[0], "ftp://h/")) as port:
        assert (await http(port)).status == "up"
    async with answering(moved("")) as port:
        assert_down(await http(port), "unexpected_response", "200 to 299, found 302 (Found)")
        assert (await http(port, status=[302])).status == "up"


async def test_the_body_of_a_redirect_is_not_waited_for() -> None:
    async with way(None) as urls:
        answer = moved(urls[0]).replace(b"Content-Length: 0", b"Content-Length: 9")
        async with answering(answer, held=True) as port:
            assert (await http(port, expect="ok")).status == "up"
