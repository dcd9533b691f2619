"""From a module and a target to the fields of one of ours."""

from portquorum.importing.prometheus import http_check, other_checks
from portquorum.importing.prometheus.making import CannotError, Entry, Making
from portquorum.importing.prometheus.modules import (
    DialogueOptions,
    DnsOptions,
    GrpcOptions,
    HttpOptions,
    IcmpOptions,
    WebSocketOptions,
)


def made(making: Making, target: str, hostname: str = "") -> Entry:
    """The fields of the target: kind, host, port and probe.

    Raises:
        CannotError: it can't be taken over.
    """
    module = making.module
    if module.broken:
        raise CannotError(
            f"the exporter would not load its module {module.name!r}: {module.broken}"
        )
    for name in module.unknown:
        making.differ(f"the field {name.partition('.')[2] or name} of the module is not known here")
    match module.options:
        case HttpOptions() as options:
            return http_check.made(making, options, target, hostname)
        case DialogueOptions() as options:
            return other_checks.tcp(making, options, target, hostname)
        case IcmpOptions() as options:
            return other_checks.icmp(making, options, target)
        case DnsOptions() as options:
            return other_checks.dns(making, options, target)
        case GrpcOptions() as options:
            return other_checks.grpc(making, options, target)
        case WebSocketOptions() as options:
            return other_checks.websocket(making, options, target)
    raise CannotError(
        "it asks a socket on the exporter's own machine (prober unix), which no network monitor "
        "does",
        networked=False,
    )
