"""Keys and jobs in memory, and a deliverer that remembers."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any, Literal

from portquorum.receiver.answers import NOT_FOUND, RefusedError
from portquorum.receiver.app import ReceiverApp
from portquorum.receiver.jobs import JobBook
from portquorum.receiver.lookup import Lookup
from portquorum.receiver.publisher import NotConfirmedError
from portquorum.receiver.report import Job, Report
from portquorum.receiver.request import NewJob
from schemas.web import ShareKey

BACKUP = "0d4a1c6e-8a55-4d0e-9b1f-0f7a5d3c2b11"
ALL = "qL7x-Yk2_mN0pQ4rS8tUvW"
MOST_MADE = 1

LIMITED = "aB3dE5fG7hJ9kL1mN3pQ5r"


def job(job_id: str, name: str | None = None, **more: Any) -> Job:
    fields = {"team": None, "tags": (), "version": 7, "enabled": True} | more
    return Job(id=job_id, name=name or job_id, **fields)


def key(text: str, about: str | None = None, **more: Any) -> ShareKey:
    return ShareKey(
        version=1,
        change="5f1d9a30b7c24e68",
        at=0,
        by="ann",
        id=hashlib.sha256(text.encode()).hexdigest()[:8],
        name="key",
        use="ping",
        secret=hashlib.sha256(text.encode()).hexdigest(),
        about=about,
        owner="ann",
        created_at=0,
        **more,
    )


class FakeKeys:
    def __init__(self) -> None:
        self.found = {
            BACKUP: key(BACKUP, "backup"),
            ALL: key(ALL),
            LIMITED: key(LIMITED, teams=("db",), tags=("nightly",)),
        }

    def find(self, secret: str, use: Literal["ping"]) -> ShareKey | None:
        assert use == "ping"
        return self.found.get(secret)


class FakeJobs(JobBook):
    is_present = True


JOBS = (
    job("backup", "Nightly Backup", team="db"),
    job("reports", "Reports", team="sales", tags=("nightly",)),
    job("twin-a", "Twin"),
    job("twin-b", "Twin"),
    job("core.sync", "Sync", team="Core Team"),
)


class Place:
    """An app, and what it delivered."""

    def __init__(self, jobs: Sequence[Job] = JOBS) -> None:
        self.jobs = FakeJobs(jobs)
        self.keys = FakeKeys()
        self.delivered: list[tuple[str, Report]] = []
        self.is_read = True
        self.is_away = False
        self.made: list[NewJob] = []
        self.app = ReceiverApp(Lookup(self.keys, self.jobs, lambda: self.is_read), self, self)

    async def make(self, wanted: NewJob) -> Job:
        if len(self.made) == MOST_MADE:
            raise RefusedError(NOT_FOUND)
        self.made.append(wanted)
        return job(wanted.id)

    async def deliver(self, report: Report, of: Job) -> None:
        if self.is_away:
            raise NotConfirmedError
        self.delivered.append((of.id, report))

    async def ask(
        self,
        method: str,
        url: str,
        body: bytes | list[bytes] = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        ends: Literal["well", "leaves", "never"] = "well",
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of the answer to a request; status 0: there was none."""
        path, _, query = url.partition("?")
        parts = body if isinstance(body, list) else [body]
        coming = [
            {
                "type": "http.request",
                "body": one,
                "more_body": ends != "well" or number < len(parts),
            }
            for number, one in enumerate(parts, start=1)
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            if coming:
                return coming.pop(0)
            if ends == "never":
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode("latin-1"),
            "headers": list(headers),
        }
        assert self.app.takes(scope)
        await self.app(scope, receive, send)
        if not sent:
            return 0, b"", {}
        told = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], sent[1]["body"], told

    def last(self) -> tuple[str, Report]:
        """The job and the report that were delivered last."""
        return self.delivered[-1]
