"""Which job a secret in an address is of."""

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

from portquorum.receiver.jobs import Jobs
from portquorum.receiver.report import Job
from schemas.web import ShareKey

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
"""See `schemas.target.Target.id`."""


class NotFoundError(Exception):
    """The secret is not known, or there is no such job for it."""


class AmbiguousError(Exception):
    """Several jobs have this name."""


class NotReadyError(Exception):
    """Keys or jobs were not read up yet: nobody knows which secrets are right."""


class PingKeys(Protocol):
    """Finds keys; `portquorum.changing.keys.Keys` is such."""

    def find(self, secret: str, use: Literal["ping"]) -> ShareKey | None:
        """The key of a text in an address; None: there is none for this use."""


class Lookup:
    """Finds jobs by keys, from memory."""

    def __init__(self, keys: PingKeys, jobs: Jobs, is_present: Callable[[], bool]) -> None:
        """`is_present`: whether all keys were read up once."""
        self._keys = keys
        self._jobs = jobs
        self._is_present = is_present

    def key(self, secret: str) -> ShareKey:
        """The key of a secret.

        Raises:
            NotFoundError: nobody has it, or it is over.
            NotReadyError: nobody knows yet.
        """
        if not self._is_present() or not self._jobs.is_present:
            raise NotReadyError
        found = self._keys.find(secret, "ping")
        if found is None:
            raise NotFoundError
        return found

    def only(self, key: ShareKey) -> Job:
        """The job that a key is about.

        Raises:
            NotFoundError: it is about none, or the job is gone.
        """
        job = None if key.about is None else self._jobs.get(key.about)
        if job is None:
            raise NotFoundError
        return job

    def by_slug(self, key: ShareKey, slug: str) -> Job:
        """The job of an id or of a name as a slug, within the limits of the key.

        Raises:
            NotFoundError: there is none.
            AmbiguousError: several have this name.
        """
        return self._one(key, slug, self._jobs.named(slug))

    def by_gatus_key(self, key: ShareKey, name: str) -> Job:
        """As `by_slug`; the name is `GROUP_NAME` as Gatus has it."""
        return self._one(key, name, self._jobs.keyed(name))

    def made(self, key: ShareKey, job_id: str) -> Job | None:
        """The job of an id, if this key may report it."""
        found = self._jobs.get(job_id)
        return found if found is not None and _is_within(found, key) else None

    def is_free(self, name: str) -> bool:
        """Whether a heartbeat may be made of this name: an id that no heartbeat has."""
        return _ID.fullmatch(name) is not None and self._jobs.get(name) is None

    def _one(self, key: ShareKey, job_id: str, others: Sequence[Job]) -> Job:
        exact = self._jobs.get(job_id)
        if exact is not None and _is_within(exact, key):
            return exact
        found = [job for job in others if _is_within(job, key)]
        if not found:
            raise NotFoundError
        if len(found) > 1:
            raise AmbiguousError
        return found[0]


def _is_within(job: Job, key: ShareKey) -> bool:
    if key.about is not None:
        return job.id == key.about
    if not key.teams and not key.tags:
        return True
    return job.team in key.teams or not set(key.tags).isdisjoint(job.tags)
