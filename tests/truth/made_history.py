"""Seeded histories that hurt."""

from random import Random
from typing import Final

from tests.truth.made_incidents import Incidents
from tests.truth.made_results import Results
from tests.truth.made_targets import Log, made_target, made_windows
from tests.truth.records import DAY, HOUR, History

EARLIER: Final = 9 * DAY
"""Outages begin so long before the first results."""


def made_history(
    seed: int, now: int, *, days: int, targets: int, interval_ms: int, tells_recovery: bool
) -> History:
    """`targets` targets over so many days until `now` (UTC ms).

    The first target never answers. Targets are checked each `interval_ms`, some less often.
    `tells_recovery`: closing events of flapping incidents may have the time of the last recovery.
    """
    random, log = Random(seed), Log()  # noqa: S311 - a repeatable history
    begin = now - days * DAY - random.randrange(DAY)
    history = History(now=now)
    made = [
        made_target(random, log, number, (begin, now), interval_ms) for number in range(targets)
    ]
    gaps = [
        (at, at + random.choice([HOUR, 5 * HOUR, 30 * HOUR]))
        for at in (random.randrange(begin, now - DAY) for _ in range(1 + days // 8))
    ]
    for number, target in enumerate(made):
        history.targets += target.rows
        incidents = Incidents(random, log, target, now)
        found = incidents.all(begin - EARLIER, never_up=number == 0)
        history.incidents += found.events
        history.results += Results(random, log, target, now).all(found.failing, gaps)
    if not tells_recovery:
        for row in history.incidents:
            row["recovered_at"] = None
    history.maintenance = made_windows(random, log, made, begin, now)
    # Delivered again, at another place of the log: a result and an event; and the same row twice.
    for row in random.sample(history.results, len(history.results) // 200):
        history.results.append(row | log.place(row["appended_at"]))
    for row in random.sample(history.incidents, len(history.incidents) // 8):
        history.incidents.append(row | log.place(row["appended_at"]))
    history.targets.append(history.targets[0])
    if history.maintenance:
        history.maintenance.append(history.maintenance[0])
    random.shuffle(history.incidents)
    return history
