"""What follows when a field changes and the inventory is applied.

For targets it is what the rules do with a new definition (`streams.rules.inventory_changes`) and
the probers with it (`producers.schedule.scheduler`), for routes what the notifier does. Tests hold
each of these against them.
"""

from typing import Final

from msgspec import Struct

from portquorum.inventory.reference.fact import Change
from schemas.incident import ClosedBecause


class Effect(Struct, frozen=True):
    """`title`: in a table; `text`: the whole of it.

    Of targets: `closes` is why open incidents close (None: they go on), `forgets` whether what
    regions have seen counts no more.
    """

    title: str
    text: str
    closes: ClosedBecause | None = None
    forgets: bool = False


EFFECTS: Final[dict[Change, Effect]] = {
    "another_target": Effect(
        "another target",
        "The target of the old id is removed: its open incidents close (`target_removed`), its "
        "history stays under the old id. Another one begins. Where no `id` is written, another "
        "`name` is another id; where neither is, another host or port.",
        "target_removed",
        forgets=True,
    ),
    "moved": Effect(
        "another place",
        "Open incidents close (`target_changed`), and nothing that was seen counts on. The history "
        "goes on under the same id.",
        "target_changed",
        forgets=True,
    ),
    "enabled": Effect(
        "nobody checks it",
        "With `false` open incidents close (`target_paused`), and it is checked no more; with "
        "`true` it begins as a new one.",
        "target_paused",
        forgets=True,
    ),
    "words": Effect(
        "new words",
        "Open incidents go on; their next event has the new value, and so has the next message. "
        "Who is told of an open incident stays as it was chosen when it opened.",
    ),
    "dependencies": Effect(
        "other dependencies",
        "Open incidents go on; their next event has the new ones. Who is spared is looked at anew "
        "with it, and the next first failure asks for checks of the new ones.",
    ),
    "criticality": Effect(
        "new words, other pace",
        "Open incidents go on and keep the severity with which they opened. Where no `interval` is "
        "written, it changes, too.",
    ),
    "judged": Effect(
        "judged anew",
        "What regions have seen stays, and is judged by the new value at once: an incident may "
        "open or close at that moment.",
    ),
    "pace": Effect(
        "other pace",
        "What regions have seen stays, for as long as the new values say that it is fresh (rule "
        "4); checks go by the new ones from now on.",
    ),
    "regions": Effect(
        "other voters",
        "The word of a region that goes counts no more, and one that comes is `pending` until its "
        "first result; the majority is that of the new number, at once.",
    ),
    "latency": Effect(
        "new limits",
        "What regions have seen stays, and results from now on are judged by the new limits. "
        "Taken away, an open `slow` incident closes (`policy_changed`).",
    ),
    "options": Effect(
        "other checks",
        "Open incidents go on, and what regions have seen stays; the next checks are made by the "
        "new value.",
    ),
    "warn_days": Effect(
        "other checks; may end `expiring`",
        "As other options. When it means fewer days than before (also when certificates are looked "
        "at no more), an open `expiring` incident closes (`policy_changed`), unless an end within "
        "the new days was seen.",
    ),
    "reports": Effect(
        "reports alone", "Reports and tables have the new value; no rule reads it, nobody is told."
    ),
    "job_clock": Effect(
        "another clock",
        "An open incident goes on; the next report is due as after a first `apply`: an interval, "
        "or a scheduled time, from now.",
    ),
    "job_deadline": Effect(
        "another deadline",
        "An open incident goes on; the new value holds for the report that is due already.",
    ),
    "audience": Effect(
        "who is told from now on",
        "Holds for incidents that open from now on, and for those of which nobody was told yet. "
        "Who was told of an outage is told of its end all the same.",
    ),
    "channels": Effect(
        "other channels",
        "As for who is told. A new URL in place of one that did not confirm gets what that did not "
        "get; the order of the URLs has no meaning.",
    ),
    "messages": Effect(
        "from the next message on",
        "Holds at once, for incidents that are open, too.",
    ),
    "fallback": Effect(
        "fallback, at once", "Holds also for messages that wait for their confirmation."
    ),
    "vantage": Effect(
        "other probers",
        "The probers of the region take it up, and check all their targets at once; what they "
        "may not reach is `missed` (`address_blocked`), which is no outage.",
    ),
    "window": Effect(
        "who is spared, at once",
        "The notifier takes it up: who is spared, and until when. Reports count each version of a "
        "window for the time in which it stood in the inventory.",
    ),
    "drill": Effect("compared at once", "The time since the last fire drill is compared with it."),
    "section": Effect(
        "targets come and go",
        "What is added begins, and what is taken away ends: open incidents of a target that goes "
        "close (`target_removed`). What changes within goes by its own fields.",
    ),
}
"""Change → what follows."""
