"""Diagnoses of certificates and TLS handshakes."""

from typing import Final

from streams.diagnosis import first_steps
from streams.diagnosis.diagnosis import Diagnosis
from streams.diagnosis.facts import Facts
from streams.diagnosis.words import names, port, verb

_RENEW: Final = "Renew it (certbot renew, or as your authority does), then reload the service"


def everywhere(known: Facts) -> Diagnosis:
    """The diagnosis when TLS fails in every region."""
    target = known.target
    match known.reasons[0]:
        case "certificate_ending":
            return Diagnosis(
                "certificate_ending",
                f"The certificate of {target.place}, or one of its chain, ends within days: it was "
                f"not renewed, or the service was not reloaded after it was.{_plain(known)}",
                (
                    first_steps.certificate(target),
                    _RENEW,
                ),
            )
        case "certificate_expired":
            return Diagnosis(
                "certificate_expired",
                f"The certificate of {target.place} has expired: it was not renewed, or the "
                f"service was not reloaded after it was.{_plain(known)}",
                (
                    first_steps.certificate(target),
                    _RENEW,
                ),
            )
        case "certificate_invalid":
            return Diagnosis(
                "certificate_invalid",
                f"The certificate of {target.place} is not valid for {target.host}: another name, "
                f"an incomplete chain, or an unknown authority.{_plain(known)}",
                (first_steps.verify(target), first_steps.certificate(target)),
            )
        case _:
            return Diagnosis(
                "tls",
                f"Port {port(known)} accepts connections, and the TLS handshake fails: no version "
                f"or cipher in common, or no TLS there at all.{_plain(known)}",
                (first_steps.handshake(target), first_steps.journal(target)),
            )


def from_some(known: Facts) -> Diagnosis:
    """The diagnosis when TLS works in some regions."""
    target, failing = known.target, known.failing_regions
    return Diagnosis(
        "certificate_on_some",
        f"{names(failing)} {verb(failing, 'gets', 'get')} another certificate or handshake than "
        f"{names(known.working)}: one of several servers behind {target.host} has an old one.",
        (
            f"From each region: {first_steps.addresses(target)}",
            f"Each address in place of the name: {first_steps.certificate(target)}",
        ),
    )


def ending(known: Facts) -> Diagnosis:
    """The diagnosis of a certificate that ends soon; at least one region saw it."""
    target = known.target
    if known.renewed:
        old = tuple(region for region, _ in known.ending)
        return Diagnosis(
            "renewal_missing_on_some",
            f"{names(old)} {verb(old, 'gets', 'get')} another certificate than "
            f"{names(known.renewed)}: one of several servers behind {target.host} has an old one.",
            (
                f"From each region: {first_steps.addresses(target)}",
                f"Each address in place of the name: {first_steps.certificate(target)}",
            ),
        )
    return Diagnosis(
        "renewal_due",
        "The certificate, or one of its chain, was not renewed yet, or the service was not "
        "reloaded after it was.",
        (first_steps.certificate(target), _RENEW),
    )


def _plain(known: Facts) -> str:
    """The result of a plain connection to the same port, without TLS."""
    match known.host.plain:
        case "up" | "slow":
            return " The port itself accepts connections."
        case "down":
            return " The port does not accept plain connections either."
        case _:
            return ""
