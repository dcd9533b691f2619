"""What was true of one target while one definition held, worked out from the faults alone."""

from typing import Final

from producers.schedule.schedule import slots
from schemas.target import Target
from tests.simulation.broker import BACK_MOST_MS, WAY_MOST_MS
from tests.simulation.faults import Loss, Outage
from tests.simulation.simulation import Epoch, Run
from tests.simulation.spans import Spans
from tests.simulation.world import DNS_MOST_MS, RTT_MOST_MS

SKEW_MS: Final = 300.0
"""A prober's clock is off by no more than the way of its first acknowledgement."""

PIPE_MS: Final = 3 * WAY_MOST_MS + 50
"""From the end of a check that is news to its place in the log: the batch before must be
confirmed, then this one arrives."""

ASK_MS: Final = 100.0
"""From a decision to the recheck that it asks for, while the worker and the broker are there."""

TURN_MS: Final = 11_000.0
"""A request that waits for its turn: 5 s, and then the next control record."""

READY_MS: Final = BACK_MOST_MS + 1_000
"""After the broker is back, or a region's network, or the guard has found out."""

LATE_MS: Final = 15_000.0


class Truth:
    """A target in [begin, end), and its regions.

    `blocked`: its checks fail, or may. `tellable`: of that, what can still be told in time (rule
    1: what waits for longer than its timeout and 15 s is history). `failing`: a prober with a way
    to the broker sees them fail. `clean`: one sees them succeed. `able`: there is one. `gone`:
    nothing can come of the region.
    """

    def __init__(self, run: Run, epoch: Epoch, outages: list[Outage], partition: int) -> None:
        self.target: Target = epoch.target
        self.begin, self.end = epoch.begin, epoch.end
        self.ended = epoch.ended
        self.partition = partition
        self.outages = outages
        self.losses = run.faults.losses
        self.paused = run.paused
        self.gaps = run.stillness[partition].gaps()
        self.blocked: dict[str, Spans] = {}
        self.tellable: dict[str, Spans] = {}
        self.failing: dict[str, Spans] = {}
        self.clean: dict[str, Spans] = {}
        self.able: dict[str, Spans] = {}
        self.gone: dict[str, Spans] = {}
        self.blips: dict[str, list[float]] = {}
        inside = Spans([(self.begin + 1_500, self.end)])
        none = Spans()
        for region in self.target.regions:
            mine = [outage for outage in outages if region in outage.regions]
            losses = [loss for loss in self.losses if loss.region == region]
            out = Spans((one.begin, one.end) for one in mine)
            lost = Spans((one.begin, one.end) for one in losses)
            guarded = Spans((one.begin, one.end) for one in losses if one.guarded)
            unowned = run.unowned.get((region, partition), none)
            cut = run.cut.get(region, none)
            self.gone[region] = unowned | cut | self.paused
            unable = (
                unowned.grown(0, 300)
                | cut.grown(0, READY_MS)
                | self.paused.grown(0, READY_MS)
                | guarded.grown(0, READY_MS)
            )
            self.blocked[region] = out | lost
            late = self.target.timeout_ms + LATE_MS + 2 * SKEW_MS
            kept = Spans((begin + PIPE_MS, end - late) for begin, end in (cut | self.paused).spans)
            self.tellable[region] = self.blocked[region] - kept
            self.able[region] = inside - unable
            self.failing[region] = self.able[region] & (out | lost)
            self.clean[region] = self.able[region] - (out | lost)
            self.blips[region] = run.blips.get((self.target.id, region), [])

    # The schedule, as producers/schedule/schedule.py promises it

    def slot(self, region: str, after: float) -> float:
        """The first scheduled check of `region` that surely begins after `after`."""
        target = self.target
        known = slots(target.id, target.regions, region, target.interval_ms)
        return known.after(after + SKEW_MS) + SKEW_MS

    def slot_in(self, region: str, begin: float, end: float) -> bool:
        """Whether a scheduled check may begin in [begin, end)."""
        return self.slot(region, begin - 2 * SKEW_MS) - 2 * SKEW_MS < end

    def failure_ms(self, region: str, begin: float, end: float) -> float:
        """How long a failing check takes at most."""
        target = self.target
        longest = RTT_MOST_MS
        faults: list[Outage | Loss] = [one for one in self.outages if region in one.regions]
        faults += [loss for loss in self.losses if loss.region == region]
        for fault in faults:
            if fault.end <= begin or fault.begin >= end:
                continue
            if fault.reason == "timed_out":
                longest = max(longest, target.timeout_ms + 10)
            elif fault.reason == "dns_failed":
                longest = max(longest, min(DNS_MOST_MS, target.timeout_ms))
        return longest

    def series_ms(self, failure_ms: float) -> float:
        """From the first failing attempt's begin to the last one's end."""
        target = self.target
        return (target.retries + 1) * failure_ms + target.retries * (target.retry_delay_ms * 1.12)

    @property
    def longest_series_ms(self) -> float:
        return self.series_ms(max(self.target.timeout_ms, RTT_MOST_MS) + 10)

    @property
    def word_ms(self) -> float:
        """A region that can speak has spoken of what is so for that long, with a verdict."""
        return self.most_apart_ms + self.longest_series_ms + PIPE_MS + 3 * SKEW_MS

    @property
    def most_apart_ms(self) -> float:
        """Between two scheduled checks of a region: a tenth of the interval to either side."""
        return 1.2 * self.target.interval_ms

    @property
    def span_ms(self) -> float:
        return 2.5 * self.target.interval_ms + self.target.timeout_ms

    def reach_ms(self, region: str, at: float) -> float:
        """How long before `at` the last word of `region`, if it is fresh, may have been true."""
        if self.able[region].covers(at - self.word_ms, at):
            return self.word_ms
        word = reach = self.span_ms + PIPE_MS + SKEW_MS
        # A gap moves the end of a word by its length, however many words long it is.
        while (longer := word + self.gaps.length(at - reach, at)) > reach:
            reach = longer
        return reach

    def blip_in(self, region: str, begin: float, end: float) -> bool:
        return any(begin <= at < end for at in self.blips[region])

    def running_between(self, begin: float, end: float) -> float:
        """Running time from `begin` to `end`: log time without its gaps."""
        return end - begin - self.gaps.length(begin, end)
