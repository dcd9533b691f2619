"""Words on incidents: acknowledged, resolved. Their answer comes by [incidents] into the fleet."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Literal

from portquorum.access.principal import Principal
from portquorum.changing.acts import Said
from portquorum.changing.errors import ChangeError
from portquorum.speaking import words
from portquorum.speaking.words import Word
from portquorum.web.acts.desk import Desk, cleaned
from portquorum.web.acts.limits import must_touch
from portquorum.web.fleet.incident_book import KeptIncident
from schemas.control import Acknowledged, Resolved

MOST: Final = 500
ANSWER_S: Final = 5.0
"""Longest wait for the stream. It takes a record within milliseconds."""
_MOST_NOTE: Final = 500

Outcome = Literal["acknowledged", "resolved", "known", "closed", "unanswered"]


class WordDesk:
    """Says words, and waits for what the stream makes of them."""

    def __init__(self, desk: Desk, *, answer_s: float = ANSWER_S) -> None:
        """`answer_s` is the longest wait for the stream."""
        self._desk = desk
        self._answer_s = answer_s

    async def say(
        self,
        kind: type[Acknowledged] | type[Resolved],
        who: Principal,
        incidents: Sequence[str],
        note: str,
    ) -> tuple[Said, ...]:
        """As of `Acts.acknowledge` and `Acts.resolve`.

        Raises:
            ChangeError: 400, 403, 404, 503; nothing was said then.
        """
        self._desk.must_be_read()
        ids = tuple(dict.fromkeys(incidents))
        if len(ids) > MOST:
            raise ChangeError(
                HTTPStatus.BAD_REQUEST, f"expected at most {MOST} incidents, found {len(ids)}"
            )
        text = cleaned("note", note, _MOST_NOTE) or None
        said: dict[str, Word] = {}
        outcomes: dict[str, Outcome] = {}
        for one in ids:
            kept = self._kept(one)
            event = kept.event
            must_touch(who, f"the incident {one!r}", event.team, event.tags)
            word = kind(target=event.target, incident_id=one, by=who.name, note=text)
            if not kept.is_open:
                outcomes[one] = "closed"
            elif words.is_known(event, word):
                outcomes[one] = "known"
            said[one] = word
        waiting = {one: word for one, word in said.items() if one not in outcomes}
        if waiting:
            outcomes |= await self._said(waiting)
            await self._desk.audit(who, _ACTIONS[kind], tuple(waiting), text or "")
        return tuple(
            Said(
                incident_id=one,
                target=word.target,
                by=word.by,
                outcome=outcomes[one],
                note=text,
            )
            for one, word in said.items()
        )

    async def _said(self, said: dict[str, Word]) -> dict[str, Outcome]:
        partitions = self._desk.settings.partitions
        await self._desk.control(
            [
                (words.partition_of(self._kept(one).event, partitions), word)
                for one, word in said.items()
            ]
        )
        left = dict(said)
        outcomes: dict[str, Outcome] = dict.fromkeys(said, "unanswered")

        def are_answered() -> bool:
            for one, word in list(left.items()):
                kept = self._desk.fleet.incident_book.get(one)
                if kept is None:  # the stream repaired [incidents.open]: it is closed
                    outcomes[one] = "closed"
                elif words.answers(kept.event, word):
                    outcomes[one] = _outcome(word) if words.heeded(kept.event, word) else "closed"
                else:
                    continue
                del left[one]
            return not left

        await self._desk.until(are_answered, self._answer_s)
        return outcomes

    def _kept(self, incident: str) -> KeptIncident:
        found = self._desk.fleet.incident_book.get(incident)
        if found is None:
            raise ChangeError(
                HTTPStatus.NOT_FOUND,
                f"no incident {incident[:128]!r} is open or closed within 24 h",
            )
        return found


_ACTIONS: Final[dict[type[Word], str]] = {
    Acknowledged: "acknowledge incident",
    Resolved: "resolve incident",
}


def _outcome(word: Word) -> Outcome:
    return "resolved" if isinstance(word, Resolved) else "acknowledged"
