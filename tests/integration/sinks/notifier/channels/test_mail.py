"""Mail: what the server says, and when the connection breaks."""

import pytest

from sinks.notifier.channels.send import send
from sinks.notifier.model import SendOutcome
from tests.receivers import faults
from tests.receivers.faults import Fault
from tests.receivers.neighbourhood import Neighbourhood
from tests.unit.sinks.notifier.channels.deliveries import delivery


def sent(url: str) -> SendOutcome:
    return send(delivery(url, "opened"), may_send=lambda: True)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.status(451), "unreachable"),
        (faults.status(554), "refused"),
        (faults.RESET, "uncertain"),
        (faults.RESET_UNREAD, "unreachable"),
    ],
    ids=["451", "554", "reset", "reset_unread"],
)
def test_the_kind_of_a_failure(street: Neighbourhood, fault: Fault, kind: str) -> None:
    street.smtp.misbehave(fault)
    outcome = sent(street.smtp.url())
    assert outcome.kind == kind, outcome
    assert outcome.error


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(faults.HANG, "uncertain"), (faults.HANG_UNREAD, "unreachable")],
    ids=["hang", "hang_unread"],
)
def test_an_answer_that_does_not_come(street: Neighbourhood, fault: Fault, kind: str) -> None:
    street.smtp.misbehave(fault)
    separator = "&" if "?" in street.smtp.url() else "?"
    outcome = sent(f"{street.smtp.url()}{separator}rto=1.5")
    assert outcome.kind == kind, outcome


def test_nobody_listens(street: Neighbourhood) -> None:
    url = street.smtp.url()
    street.smtp.close()
    outcome = sent(url)
    assert outcome.kind == "unreachable", outcome
