"""What Alertmanager's API v2 answers and takes, in its own names of fields."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

LabelSet = dict[str, str]
LabelText = Annotated[str, Meta(max_length=10_000)]


class ReceiverName(Struct, frozen=True):
    """A receiver by its name."""

    name: str


class AlertStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """`suppressed`: a silence, a maintenance window or an acknowledgement keeps it quiet."""

    state: Literal["active", "suppressed"]
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()


class Alert(Struct, frozen=True, kw_only=True, rename="camel"):
    """An open incident as an alert."""

    labels: LabelSet
    annotations: LabelSet
    receivers: tuple[ReceiverName, ...]
    fingerprint: str
    starts_at: datetime
    updated_at: datetime
    ends_at: datetime
    status: AlertStatus
    generator_url: str = msgspec.field(name="generatorURL")


class AlertGroup(Struct, frozen=True, kw_only=True, rename="camel"):
    """Alerts that have `labels` in common."""

    labels: LabelSet
    route_labels: LabelSet
    receiver: ReceiverName
    alerts: tuple[Alert, ...]


class SilenceMatcher(Struct, frozen=True, kw_only=True, rename="camel"):
    """A condition of a silence."""

    name: LabelText
    value: LabelText
    is_regex: bool
    is_equal: bool = True


class SilenceStatus(Struct, frozen=True, kw_only=True):
    """`pending`: it has not begun."""

    state: Literal["active", "pending", "expired"]


class ShownSilence(Struct, frozen=True, kw_only=True, rename="camel"):
    """A silence of ours."""

    id: str
    status: SilenceStatus
    updated_at: datetime
    matchers: tuple[SilenceMatcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    annotations: LabelSet = {}


class PostedSilence(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A silence as a client wants it; with `id` it takes the place of that one.

    `created_by` is what a client says: nobody believes it.
    """

    matchers: Annotated[tuple[SilenceMatcher, ...], Meta(min_length=1, max_length=100)]
    starts_at: Annotated[datetime, Meta(tz=True)]
    ends_at: Annotated[datetime, Meta(tz=True)]
    comment: str
    created_by: str = ""
    annotations: LabelSet | None = None
    id: str = ""


class SilenceId(Struct, frozen=True):
    """The answer to a silence that was made."""

    silence_id: str = msgspec.field(name="silenceID")


class ClusterStatus(Struct, frozen=True, kw_only=True):
    """Web processes share nothing but topics: there is no cluster to join."""

    status: Literal["ready", "settling", "disabled"] = "disabled"
    peers: tuple[str, ...] = ()


class VersionInfo(Struct, frozen=True, kw_only=True, rename="camel"):
    """`version` is that of the Alertmanager whose API this is; `branch` and `revision` are ours."""

    version: str
    revision: str
    branch: str = "portquorum"
    build_user: str = ""
    build_date: str = ""
    go_version: str = ""


class OriginalConfig(Struct, frozen=True, kw_only=True):
    """A configuration in YAML."""

    original: str


class ServerStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """The process that answers."""

    cluster: ClusterStatus
    version_info: VersionInfo
    config: OriginalConfig
    uptime: datetime
