"""Domain: the end of its registration, as its registry says it by RDAP.

Only what a registry says of the domain is a word about it. A registry that does not answer, wants
to be asked less often or answers something else leaves the check without a result (`prober_error`).
"""

import contextlib
import time
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.kinds.certificate_end import span
from producers.kinds.check_context import CheckContext
from producers.kinds.kind import Kind
from producers.kinds.pace import Pace
from producers.kinds.rdap import Registration
from producers.kinds.rdap_client import registration_of
from producers.kinds.rdap_memory import Registries
from schemas.duration import DAY_MS, HOUR_MS
from schemas.probe import DomainProbe, Probe

SLOW: Final = Pace(burst=3, every_s=3.0)
"""Twenty questions a minute to one server: registries lock out whoever asks more often, some from
about ten a minute on, and a fleet's domains are few."""

LEAST_INTERVAL_MS: Final = HOUR_MS
"""The least interval at a registry of IANA's list; a server of one's own may be asked as often as
it likes."""

_NOTHING: Final = DomainProbe()


async def check(context: CheckContext) -> None:
    """Up: the registry knows the domain, and its registration holds for `critical_days`.

    `cert_expires_at` is the end of the registration; `total_ms` is the time of all requests.

    Raises:
        CheckFailedError: `domain_ending` and `domain_expired`, the latter also when the registry
            knows no such domain; `prober_error` and `address_blocked` if it said nothing.
    """
    probe, name = context.target.probe, context.target.host
    options = probe if isinstance(probe, DomainProbe) else _NOTHING
    if name is None:
        raise CheckFailedError("prober_error", "the target has no host")
    context.silence, context.waiting_for = "prober_error", "answer of the registry"
    # Connections, certificates and times are the registry's: none of it is part of the result.
    with contextlib.closing(context.another()) as other:
        other.limit = context.limit
        try:
            found = await registration_of(
                other, context.registries or Registries(), name, options.rdap
            )
        except CheckFailedError:
            raise
        except Exception as error:
            # Whatever a registry sends is no outage of the domain.
            text = f"the registry's answer can't be understood: {type(error).__name__}: {error}"
            raise CheckFailedError("prober_error", text) from error
        finally:
            context.started_at = other.started_at  # it may have waited for its turn
            context.total_ms = (time.monotonic() - other.started_at) * 1000
    if found is None:
        raise CheckFailedError("domain_expired", _unknown(name))
    _judge(context, options, found)


def _judge(context: CheckContext, options: DomainProbe, found: Registration) -> None:
    """Stores what the registry says, and judges it.

    Raises:
        CheckFailedError: `domain_ending`: less than `critical_days` are left; `domain_expired`:
            none, or the registry says that it has ended.
    """
    context.banner = found.words or None
    if found.gone:
        # A registry that has renewed it by itself names an end that will not be reached.
        text = f"the registration has ended: the registry says {' and '.join(found.gone)}"
        raise CheckFailedError("domain_expired", text)
    context.cert_expires_at = found.ends_at
    if found.ends_at is None:
        context.note(
            "the registry does not say when the registration ends: only that it exists is checked"
        )
        return
    left_ms = found.ends_at - time.time() * 1000
    if left_ms <= 0:
        raise CheckFailedError("domain_expired", f"the registration ended {span(-left_ms)} ago")
    for days, reason in ((options.critical_days, "domain_ending"), (options.warn_days, None)):
        if left_ms < days * DAY_MS:
            text = f"the registration ends in {span(left_ms)}, less than {_days(days)}"
            if reason == "domain_ending":
                raise CheckFailedError("domain_ending", text)
            context.note(text)
            break
    if found.on_trial:
        context.note(
            "the registry renewed it by itself (auto renew period): the registrar may let it go"
        )


def _unknown(name: str) -> str:
    text = f"the registry knows no domain {name}: its registration has ended, or it never had one"
    if name.count(".") > 1:
        text += " (a registration is of example.com, not of www.example.com)"
    return text


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def check_name(host: str) -> None:
    """Checks the host of a target.

    Raises:
        ValueError: it is no name that can be registered.
    """
    if "." not in host or "_" in host or ":" in host or host.replace(".", "").isdecimal():
        raise ValueError(f"expected a registered domain such as example.com, found {host!r}")


def _settle(probe: Probe | None, _: int | None) -> Probe:
    return probe if isinstance(probe, DomainProbe) else _NOTHING


KIND: Final = Kind(
    check=check,
    has_port=False,
    options=DomainProbe,
    settle=_settle,
    pace=SLOW,
    latency_of="total",
    asks_others=True,
    check_host=check_name,
    spans={"interval": "1d", "timeout": "20s", "retry_delay": "1m"},
    least_interval_ms=lambda probe: (
        0 if isinstance(probe, DomainProbe) and probe.rdap else LEAST_INTERVAL_MS
    ),
)
