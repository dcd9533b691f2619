"""The diagnosis and the names of all causes."""

from typing import Literal

from msgspec import Struct

Likely = Literal[
    # The port does not answer as it should, seen from every region.
    "service_down",
    "all_services_down",
    "filtered",
    "rejected",
    "overloaded",
    "host_down",
    "no_answer",
    "no_route",
    "reset",
    "dns",
    "certificate_ending",
    "certificate_expired",
    "certificate_invalid",
    "tls",
    "too_many_connections",
    "hung",
    "wrong_protocol",
    "unexpected_response",
    "heartbeat_missed",
    "job_failed",
    "job_overran",
    "mixed",
    # It works from some regions.
    "refused_from_some",
    "filtered_from_some",
    "path",
    "region_network",
    "dns_from_some",
    "certificate_on_some",
    "one_of_several",
    # It is open, and must be closed.
    "port_open",
    "open_from_some",
    "port_unsteady",
    # It is slow.
    "service_slow",
    "host_busy",
    "slow_path",
    "rising",
    # Its certificate ends soon.
    "renewal_due",
    "renewal_missing_on_some",
    # The registration of a domain.
    "registration_ended",
    "registration_ending",
    "registration_due",
    # It goes down and up.
    "restart_loop",
    "unstable_host",
    "unstable_path",
    "unstable",
]
"""Stable names, for machines; docs/diagnosis.md has a row for each."""


class Diagnosis(Struct, frozen=True, gc=False):
    """`likely` names the likely cause; `sentence` and `first_steps` are for people."""

    likely: Likely
    sentence: str
    first_steps: tuple[str, ...]
