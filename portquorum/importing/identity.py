"""Ids of targets, made of the group and name at the source."""

from typing import Final

from schemas.target_id import slug

_LONGEST: Final = 128


class Ids:
    """Gives each target an id that no other has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def give(self, group: str, name: str, fallback: str, own: str = "") -> tuple[str, bool]:
        """An id, and whether it is another one than group and name alone would give.

        `fallback` is what it is made of when group and name have no letter or digit of ASCII.
        `own`: an id that the source has for it already.
        """
        group, name = ("", own) if slug(own) else (group, name)
        wanted = slug(f"{group} {name}" if group else name)
        # A name of which nothing is left must not become the group alone.
        plain = wanted if slug(name) else slug(f"{group} {fallback}") or "target"
        found, count = plain, self._next.get(plain, 2)
        while found in self._taken:
            end = f"-{count}"
            found, count = plain[: _LONGEST - len(end)].rstrip("-._") + end, count + 1
        self._taken.add(found)
        self._next[plain] = count
        return found, found != wanted
