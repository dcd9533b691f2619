"""The heartbeats that a receiver knows, by what clients call them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from portquorum.receiver.report import Job

_NO_SLUG: Final = re.compile(r"[^\w\s-]", re.ASCII)
_GAPS: Final = re.compile(r"[-\s]+")
_NOT_IN_KEYS: Final = str.maketrans("/_., #+&", "-" * 8)


class Jobs(Protocol):
    """The heartbeats of [targets]."""

    @property
    def is_present(self) -> bool:
        """Whether [targets] was read up to its end once."""

    @property
    def enabled(self) -> int:
        """How many there are that are not disabled."""

    def get(self, job_id: str) -> Job | None:
        """The heartbeat of an id."""

    def named(self, slug: str) -> Sequence[Job]:
        """Those whose name is this slug (`slug_of`)."""

    def keyed(self, key: str) -> Sequence[Job]:
        """Those of this key of Gatus (`gatus_key`)."""


class JobBook:
    """The names of jobs."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._jobs: dict[str, Job] = {}
        self._slugs: dict[str, dict[str, Job]] = {}
        self._keys: dict[str, dict[str, Job]] = {}
        self.enabled = 0
        for job in jobs:
            self.put(job)

    def get(self, job_id: str) -> Job | None:
        """The job of an id."""
        return self._jobs.get(job_id)

    def named(self, slug: str) -> Sequence[Job]:
        """Those whose name is this slug."""
        return tuple(self._slugs.get(slug, {}).values())

    def keyed(self, key: str) -> Sequence[Job]:
        """Those of this key."""
        return tuple(self._keys.get(key, {}).values())

    def put(self, job: Job) -> None:
        """Adds a job, or replaces the one of its id."""
        self.remove(job.id)
        self._jobs[job.id] = job
        self.enabled += job.enabled
        self._slugs.setdefault(slug_of(job.name), {})[job.id] = job
        self._keys.setdefault(gatus_key(job), {})[job.id] = job

    def remove(self, job_id: str) -> None:
        """Removes the job of an id, if there is one."""
        job = self._jobs.pop(job_id, None)
        if job is None:
            return
        self.enabled -= job.enabled
        for names, name in ((self._slugs, slug_of(job.name)), (self._keys, gatus_key(job))):
            del names[name][job_id]
            if not names[name]:
                del names[name]


def slug_of(name: str) -> str:
    """A name as Healthchecks makes an address of it: `Database Backup` is `database-backup`.

    ASCII letters in lower case, digits, `_` and `-`; blanks are hyphens.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _GAPS.sub("-", _NO_SLUG.sub("", plain)).strip("-_")


def gatus_key(job: Job) -> str:
    """The key of Gatus: `GROUP_NAME`, both in lower case, with a hyphen for each separator."""
    return f"{_for_gatus(job.team or '')}_{_for_gatus(job.name)}"


def _for_gatus(text: str) -> str:
    return text.lower().strip().translate(_NOT_IN_KEYS)
