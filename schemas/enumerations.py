"""The enumerations of the messages by name, so that generated types have readable names."""

from typing import Any, Final, Literal, get_args

from schemas import incident, notification, notifier_state, policy, probe, result, target, web
from schemas._types import ExpectedState

_NAMED: Final[dict[str, Any]] = {
    "ApplyState": Literal["begun", "done"],
    "Cause": result.Cause,
    "ChannelEventKind": Literal["channel.broken", "channel.works"],
    "ClosedBecause": incident.ClosedBecause,
    "ConsensusRule": Literal["quorum", "unanimous"],
    "Criticality": target.Criticality,
    "DnsRcode": Literal["NOERROR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"],
    "DnsTransport": Literal["udp", "tcp"],
    "DrillEventKind": Literal["drill.overdue", "drill.done"],
    "EventKind": incident.EventKind,
    "ExpectedState": ExpectedState,
    "Impact": web.Impact,
    "IncidentType": incident.IncidentType,
    "LatencyOf": Literal["connect", "total"],
    "MassEventKind": Literal["mass.down", "mass.over"],
    "MissedRule": Literal["tell", "drop"],
    "NotificationStatus": notification.NotificationStatus,
    "Phase": notifier_state.Phase,
    "PostSort": Literal["incident", "maintenance"],
    "PostState": web.PostState,
    "Reason": result.Reason,
    "RecheckCause": Literal["failure", "recovery"],
    "RegionEventKind": incident.RegionEventKind,
    "RemovalCause": Literal["removed", "target_changed"],
    "Scope": web.Scope,
    "Severity": incident.Severity,
    "ShareKeyUse": Literal["ping", "badge", "page"],
    "SignInVia": Literal["password", "oidc"],
    "Signal": result.Signal,
    "SnmpVersion": Literal["1", "2c", "3"],
    "Status": result.Status,
    "StatusPageAccess": Literal["public", "locked"],
    "TargetStatus": incident.TargetStatus,
    "TargetsEventKind": incident.TargetsEventKind,
    "TcpTls": Literal["none", "implicit"],
    "Tls": probe.Tls,
    "TlsVersion": Literal["1.2", "1.3"],
    "UdpProtocol": Literal["dns", "ntp"],
    "Verdict": incident.Verdict,
    "WebhookAction": Literal["trigger", "acknowledge", "resolve"],
    "Weekday": policy.Weekday,
}
_NAME_OF: Final = {frozenset(get_args(kind)): name for name, kind in _NAMED.items()}


def name_of(members: list[str]) -> str:
    """The name of the enumeration that has these members.

    Raises:
        LookupError: no enumeration has them: a `Literal` of a message has no name here.
    """
    name = _NAME_OF.get(frozenset(members))
    if name is None:
        raise LookupError(
            f"expected a name in schemas/enumerations.py for the members {members}, found none"
        )
    return name
