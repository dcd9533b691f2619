"""Diagnosis of a domain: what its registry says of it."""

from streams.diagnosis import first_steps
from streams.diagnosis.diagnosis import Diagnosis, Likely
from streams.diagnosis.facts import Facts
from streams.diagnosis.words import names, verb

_RENEW = (
    "Renew it at the registrar (is its bill paid, does its card still hold, who gets its mails?)"
)


def likely(known: Facts) -> Diagnosis:
    """What has become of the registration, or will, whatever the type of the incident."""
    cause: Likely
    if not known.failing:
        cause, sentence = "registration_due", "It was not renewed yet."
    elif "domain_expired" in known.reasons:
        cause = "registration_ended"
        sentence = (
            "The registration has ended, or the registry knows no such domain: its names resolve "
            "no more, or will soon not, and in some weeks anybody may have it."
        )
    else:
        cause = "registration_ending"
        sentence = "The registration ends within days: it was not renewed, or the payment failed."
    others = known.working if known.failing else known.renewed
    if others:
        sentence += (
            f" {names(others)} {verb(others, 'is', 'are')} told otherwise: the registry's servers "
            "do not agree yet."
        )
    return Diagnosis(cause, sentence, (first_steps.registration(known.target), _RENEW))
