"""Further routes for an outage that nobody acknowledges. Pure."""

from sinks.notifier.decision import rows
from sinks.notifier.decision.escalation import steps_ahead
from sinks.notifier.decision.membership import Membership
from sinks.notifier.decision.reviewer import Reviewer
from sinks.notifier.decision.subjects import OpenSubject


class Escalations:
    """Lets the channels of a step's routes join when its time has come."""

    def __init__(self, core: Reviewer, membership: Membership) -> None:
        self._core = core
        self._membership = membership

    def take_steps(self, subject: OpenSubject, now: int) -> None:
        """Takes the steps whose time has come; a review of the subject follows."""
        routes = self._core.routes
        for due in list(steps_ahead(subject, routes)):
            if due.at > now:
                continue
            subject.escalated = (*subject.escalated, due.name)
            for name in due.step.routes:
                channels = routes.channels_of(name, now)
                if channels:
                    self._membership.escalate(subject, channels, due.route, now)
                    continue
                why = rows.no_escalation(due.route, name)
                self._core.said.add(
                    *(rows.not_sent(subject.event, one, None, why, now) for one in subject.marks)
                )
            self._core.mark_changed(subject)
